"""Any stored recording, decoded block by block to 16-bit samples at the engine's rate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from callcenter.asr.errors import EmptyRecording, NotAudio, TooLong
from callcenter.asr.formats import HEAD_BYTES, PIPED_WAV_BYTES, demuxer_for, states_more_than

Samples = NDArray[np.int16]

MAX_SECONDS = 4 * 3600
_RATES_HZ = range(4000, 192_001)
_LENGTH_ESTIMATED = frozenset({"mp3", "aac", "amr"})
_OPTIONS = {"protocol_whitelist": "file"}
_WAV_OPTIONS = {"max_size": "65536"}
"""Larger pieces than the default 4 KiB, which would cost more in calls than in decoding."""


@dataclass(kw_only=True)
class Recording:
    """An open recording. `blocks()` may be read once; the counts are complete after it."""

    container: InputContainer
    stream: AudioStream
    channels: int
    rate_hz: int
    max_seconds: float
    header_seconds: float | None
    """What the file's own header says; None where it says nothing or only an estimate."""
    cut_short: bool
    """The file is shorter than its own header says."""
    decoded_samples: int = field(default=0, init=False)
    skipped_packets: int = field(default=0, init=False)
    broken_samples: int = field(default=0, init=False)

    @property
    def decoded_seconds(self) -> float:
        return self.decoded_samples / self.rate_hz

    def blocks(self) -> Iterator[Samples]:
        """Arrays of shape (channels, samples). Raises TooLong, EmptyRecording."""
        resampler: AudioResampler | None = None
        shape: tuple[object, ...] = ()
        for frame in self._frames():
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or found != shape:
                yield from self._resampled(resampler, None)
                resampler, shape = self._resampler(), found
            yield from self._resampled(resampler, frame)
        yield from self._resampled(resampler, None)
        if not self.decoded_samples:
            raise EmptyRecording("the recording holds no sound that can be decoded: fetch it again")

    def _resampler(self) -> AudioResampler:
        return AudioResampler(format="s16", layout="stereo" if self.channels == 2 else "mono", rate=self.rate_hz)

    def _frames(self) -> Iterator[AudioFrame]:
        """Packet by packet; a packet that does not decode is left out and counted."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:  # the container breaks off: what was read so far stands
                self.skipped_packets += 1
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.skipped_packets += 1
                continue
            for frame in frames:
                if isinstance(frame, AudioFrame) and frame.samples and frame.sample_rate in _RATES_HZ:
                    yield self._finite(frame)

    def _finite(self, frame: AudioFrame) -> AudioFrame:
        """Raw float samples may be NaN, infinite or far beyond full scale: the resampler would spread that."""
        frame.pts = None
        if not self.stream.codec_context.name.startswith("pcm_f"):
            return frame
        values = frame.to_ndarray()
        broken = int(values.size - np.isfinite(values).sum())
        if not broken and np.abs(values).max(initial=0.0) <= 1.0:
            return frame
        self.broken_samples += broken
        cleaned = np.clip(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
        mended = AudioFrame.from_ndarray(cleaned, format=frame.format.name, layout=frame.layout.name)
        mended.sample_rate = frame.sample_rate
        return mended

    def _resampled(self, resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[Samples]:
        for out in resampler.resample(frame) if resampler else ():
            self.decoded_samples += out.samples
            if self.decoded_seconds > self.max_seconds:
                raise TooLong(f"the recording decodes to more than {self.max_seconds / 3600:g} h; the limit can be set")
            yield out.to_ndarray().astype(np.int16, copy=False).reshape(-1, self.channels).T


@contextmanager
def open_recording(
    path: Path, *, rate_hz: int, split_channels: bool, max_seconds: float = MAX_SECONDS
) -> Iterator[Recording]:
    """Open for decoding. Two channels are kept apart where `split_channels`, else everything is mixed to one.

    Raises NotAudio, EmptyRecording, TooLong.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    demuxer, size_bytes = demuxer_for(head), path.stat().st_size
    options = _OPTIONS | (_WAV_OPTIONS if demuxer == "wav" else {})
    try:
        container = av.open(str(path), format=demuxer, options=options)
    except (av.FFmpegError, ValueError) as error:
        raise NotAudio(f"the file starts like {demuxer} but cannot be opened ({error}): fetch it again") from error
    with container:
        stream = _audio_stream(container)
        header_seconds = _header_seconds(container, stream, size_bytes)
        if header_seconds is not None and header_seconds > max_seconds:
            hours = header_seconds / 3600
            raise TooLong(f"the recording states {hours:.1f} h, more than the limit of {max_seconds / 3600:g} h")
        yield Recording(
            container=container,
            stream=stream,
            channels=2 if split_channels and stream.codec_context.channels >= 2 else 1,
            rate_hz=rate_hz,
            max_seconds=max_seconds,
            cut_short=states_more_than(head, size_bytes),
            header_seconds=None if demuxer in _LENGTH_ESTIMATED else header_seconds,
        )


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise NotAudio("the file has no sound track")
    stream = container.streams.audio[0]
    rate_hz = stream.codec_context.sample_rate
    if rate_hz and rate_hz not in _RATES_HZ:
        raise NotAudio(f"the file states a sample rate of {rate_hz} Hz, which no recording has")
    return stream


def _header_seconds(container: InputContainer, stream: AudioStream, size_bytes: int) -> float | None:
    """What the header says; nothing where a WAV written to a pipe states 2 or 4 GiB because its end was not known."""
    if not container.duration:
        return None
    seconds = container.duration / av.time_base
    stated_bytes = seconds * (stream.bit_rate or 0) / 8
    written_to_pipe = stated_bytes >= PIPED_WAV_BYTES and stated_bytes > size_bytes
    return None if written_to_pipe else seconds


def write_samples(blocks: Iterator[Samples], paths: tuple[Path, ...]) -> Iterator[Samples]:
    """Pass the blocks through while each channel is appended to its own file of raw samples."""
    files = [path.open("wb") for path in paths]
    try:
        for block in blocks:
            for file, channel in zip(files, block, strict=True):
                file.write(np.ascontiguousarray(channel).tobytes())
            yield block
    finally:
        for file in files:
            file.close()
