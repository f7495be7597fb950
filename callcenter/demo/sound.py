"""The sound of a call: a side's WAV, and the recording that a provider would make of the sides."""

import io
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path

RATE_HZ = 8000
SAMPLE_BYTES = 2


class SoundUnusable(Exception):
    """The file is not a WAV of the kind that the demonstration plays."""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """One side: 16-bit mono samples at 8 kHz, little-endian."""

    samples: bytes = field(repr=False)

    @property
    def frames(self) -> int:
        return len(self.samples) // SAMPLE_BYTES

    @property
    def seconds(self) -> float:
        return self.frames / RATE_HZ

    def first(self, seconds: float) -> "Sound":
        """No more than the first `seconds`."""
        return Sound(samples=self.samples[: int(seconds * RATE_HZ) * SAMPLE_BYTES])


def read_wav(file: Path) -> Sound:
    """Raises SoundUnusable."""
    try:
        with wave.open(str(file)) as opened:
            found = (opened.getframerate(), opened.getnchannels(), opened.getsampwidth())
            samples = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise SoundUnusable(f"not a WAV file ({error})") from error
    if found != (RATE_HZ, 1, SAMPLE_BYTES):
        raise SoundUnusable(f"{found[0]} Hz, {found[1]} channel(s), {8 * found[2]} bit")
    return Sound(samples=samples)


def stereo_wav(left: Sound, right: Sound) -> bytes:
    """One WAV with a side a channel, as a dual-channel recording has it."""
    frames = max(left.frames, right.frames)
    mixed = array("h", bytes(2 * frames * SAMPLE_BYTES))
    mixed[0 : 2 * left.frames : 2] = array("h", left.samples)
    mixed[1 : 2 * right.frames : 2] = array("h", right.samples)
    return _wav(mixed.tobytes(), channels=2)


def mono_wav(sound: Sound) -> bytes:
    return _wav(sound.samples, channels=1)


def mixed_down(wav: bytes) -> bytes:
    """The same recording with its channels mixed to one."""
    with wave.open(io.BytesIO(wav)) as opened:
        channels, samples = opened.getnchannels(), array("h", opened.readframes(opened.getnframes()))
    if channels == 1:
        return wav
    pairs = zip(samples[0::2], samples[1::2], strict=True)
    return _wav(array("h", ((left + right) // 2 for left, right in pairs)).tobytes(), channels=1)


def _wav(samples: bytes, *, channels: int) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(SAMPLE_BYTES)
        target.setframerate(RATE_HZ)
        target.writeframes(samples)
    return written.getvalue()
