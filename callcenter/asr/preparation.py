"""First step of a transcription, in a disposable process: the stored file becomes raw samples, a file a side."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.asr.audio import Recording, Samples, open_recording, write_samples
from callcenter.asr.result import Sides
from callcenter.asr.waveform import PeakMeter
from callcenter.domain.transcript import Side

_SHORTER_SHARE, _SHORTER_SECONDS = 0.97, 1.0
_LONGER_SHARE, _LONGER_SECONDS = 1.05, 2.0
_IDENTICAL_SHARE = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparationTask:
    path: Path
    folder: Path
    """Where the samples go."""
    sides: Sides
    stated_seconds: float | None
    max_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedSide:
    side: Side
    pcm_path: Path
    peaks: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedRecording:
    sides: tuple[PreparedSide, ...]
    rate_hz: int
    duration_ms: int
    warnings: tuple[str, ...]


def prepare(task: PreparationTask, *, rate_hz: int) -> PreparedRecording:
    """Decode the whole recording to disk. Raises NotAudio, EmptyRecording, TooLong."""
    stereo = task.sides in ("stereo", "any")
    with open_recording(task.path, rate_hz=rate_hz, split_channels=stereo, max_seconds=task.max_seconds) as recording:
        paths = tuple(task.folder / f"channel{number}.pcm" for number in range(recording.channels))
        meters = [PeakMeter(rate_hz=rate_hz) for _ in paths]
        likeness = _Likeness()
        for block in write_samples(recording.blocks(), paths):
            for meter, channel in zip(meters, block, strict=True):
                meter.add(channel)
            likeness.add(block)
        peaks = [meter.finish() for meter in meters]
        warnings = _warnings(recording, task)
    sides, doubt = _name_sides(task.sides, channels=len(paths), identical=likeness.identical)
    return PreparedRecording(
        sides=tuple(PreparedSide(side=s, pcm_path=p, peaks=k) for s, p, k in zip(sides, paths, peaks, strict=False)),
        rate_hz=rate_hz,
        duration_ms=recording.decoded_samples * 1000 // rate_hz,
        warnings=(*warnings, *doubt),
    )


def _name_sides(sides: Sides, *, channels: int, identical: bool) -> tuple[tuple[Side, ...], tuple[str, ...]]:
    if sides not in ("stereo", "any"):
        return (Side(sides),), ()
    if channels == 1:
        return (Side.UNKNOWN,), (("mono_instead_of_stereo",) if sides == "stereo" else ())
    if identical:
        return (Side.UNKNOWN,), ("sides_identical",)
    return (Side.RESIDENT, Side.AGENT), ()


def _warnings(recording: Recording, task: PreparationTask) -> tuple[str, ...]:
    seconds = recording.decoded_seconds
    found = []
    if recording.cut_short or any(
        _much_shorter(seconds, stated) for stated in (task.stated_seconds, recording.header_seconds)
    ):
        found.append("truncated")
    if task.stated_seconds and seconds > task.stated_seconds * _LONGER_SHARE + _LONGER_SECONDS:
        found.append("longer_than_stated")
    if recording.skipped_packets:
        found.append(f"skipped_packets:{recording.skipped_packets}")
    if recording.broken_samples:
        found.append(f"broken_samples:{recording.broken_samples}")
    return tuple(found)


def _much_shorter(seconds: float, stated: float | None) -> bool:
    """Providers round to whole seconds, hence the slack."""
    return stated is not None and seconds < stated * _SHORTER_SHARE - _SHORTER_SECONDS


class _Likeness:
    """Whether both channels are the same sound: a mono call stored as stereo would be heard twice."""

    def __init__(self) -> None:
        self._difference = 0
        self._loudness = 0

    def add(self, block: Samples) -> None:
        if len(block) == 2:
            left, right = block.astype(np.int32)
            self._difference += int(np.abs(left - right).sum())
            self._loudness += int(np.abs(left).sum() + np.abs(right).sum())

    @property
    def identical(self) -> bool:
        return self._loudness > 0 and self._difference < self._loudness * _IDENTICAL_SHARE
