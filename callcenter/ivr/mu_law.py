"""G.711 mu-law, the coding of a telephone line's live sound: one byte a sample."""

import numpy as np
from numpy.typing import NDArray

SILENCE = b"\xff"
_BIAS = 132


def _levels() -> NDArray[np.int16]:
    """The sample that each byte stands for, as ITU-T G.711 has it."""
    byte = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (byte >> 4) & 7, (byte & 15).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(byte & 128, -magnitude, magnitude).astype("<i2")


_LEVELS = _levels()


def decoded(mu_law: bytes) -> bytes:
    """16-bit little-endian samples."""
    return _LEVELS[np.frombuffer(mu_law, np.uint8)].tobytes()


def encoded(pcm: bytes) -> bytes:
    """For far ends of our own (rehearsals, tests, measurements)."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    magnitude = np.minimum(np.abs(samples), 32635) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 128, 0)
    coded: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa)).astype(np.uint8)
    return coded.tobytes()
