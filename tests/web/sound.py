"""A stereo recording in which a tone stands for speech: the resident left, the agent right."""

import math
import struct
import wave
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path

RATE_HZ = 8000
Said = tuple[str, float, float, str]
"""side, from second, to second, words"""


def write_wav(path: Path, said: Sequence[Said], seconds: float) -> dict[str, list[int]]:
    """Writes the file; its peaks, 20 a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_wav(tuple(said), seconds))
    return {side: [_peak(said, side, step / 20) for step in range(int(seconds * 20))] for side in ("resident", "agent")}


@lru_cache(maxsize=8)
def _wav(said: tuple[Said, ...], seconds: float) -> bytes:
    frames = bytearray()
    for number in range(int(seconds * RATE_HZ)):
        at = number / RATE_HZ
        sample = int(9000 * math.sin(2 * math.pi * 220 * at))
        frames += struct.pack("<hh", *(sample if _speaks(said, side, at) else 0 for side in ("resident", "agent")))
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(frames))
    return buffer.getvalue()


def _speaks(said: Sequence[Said], side: str, at: float) -> bool:
    return any(one[0] == side and one[1] <= at < one[2] for one in said)


def _peak(said: Sequence[Said], side: str, at: float) -> int:
    return int(40 + 50 * abs(math.sin(at * 5.1 + len(side)) * math.sin(at * 1.7))) if _speaks(said, side, at) else 0
