"""The loudness of a recording, thinned for drawing, and where on it the evidence and the silences are."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.web.script import Piece

COLUMNS = 960
LOUDEST = 127
SILENCE_MS = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of the recording, as shares of its length in thousandths."""

    x: float
    width: float
    start_ms: int
    field: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waveform:
    """`peaks` is JSON: one list of 0..1 a side, the resident's first."""

    duration_ms: int
    peaks: str
    evidence: tuple[Stretch, ...]
    silences: tuple[Stretch, ...]

    @property
    def longest_silence_ms(self) -> int:
        return round(max((one.width for one in self.silences), default=0) * self.duration_ms / 1000)


def waveform(recording: RecordingRow, segments: Sequence[SegmentRow], evidence: Iterable[Piece]) -> Waveform | None:
    """None where the recording has not been measured yet."""
    if not recording.peaks or not recording.duration_ms:
        return None
    sides = [recording.peaks.get(side) for side in ("resident", "agent")]
    measured = [side for side in sides if side] or [next(iter(recording.peaks.values()), [])]
    duration = recording.duration_ms
    own = [piece for piece in evidence if piece.call_id in (recording.call_id, None)]
    return Waveform(
        duration_ms=duration,
        peaks=json.dumps([_thinned(side) for side in measured], separators=(",", ":")),
        evidence=tuple(_stretch(one.start_ms, one.end_ms, duration, one.field) for one in own),
        silences=tuple(_stretch(start, end, duration) for start, end in _silences(segments)),
    )


def _thinned(peaks: Sequence[int]) -> list[float]:
    """The loudest of each column, 0..1 with two decimals."""
    step = max(1, -(-len(peaks) // COLUMNS))
    return [round(max(peaks[at : at + step]) / LOUDEST, 2) for at in range(0, len(peaks), step)]


def _stretch(start_ms: int, end_ms: int, duration_ms: int, field: str = "") -> Stretch:
    start, end = (max(0, min(at, duration_ms)) for at in (start_ms, end_ms))
    width = max(4.0, (end - start) * 1000 / duration_ms)
    return Stretch(x=round(start * 1000 / duration_ms, 1), width=round(width, 1), start_ms=start, field=field)


def _silences(segments: Sequence[SegmentRow]) -> Iterable[tuple[int, int]]:
    """Where neither side spoke for long, between the first word and the last."""
    quiet_from: int | None = None
    for segment in sorted(segments, key=lambda one: one.start_ms):
        if quiet_from is not None and segment.start_ms - quiet_from >= SILENCE_MS:
            yield quiet_from, segment.start_ms
        quiet_from = max(quiet_from or 0, segment.end_ms)
