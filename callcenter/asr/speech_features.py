"""What the speech gate looks at: level and spectral shape of every 20 ms of a side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callcenter.asr.audio import Samples

FRAME_MS = 20
_CHUNK_FRAMES = 3000
"""Frames measured at a time: a minute, so that a call of hours needs little memory."""
_LOWEST_BIN, _HIGHEST_BIN = 4, 72
"""Bins of 50 Hz: 200 to 3600 Hz, what a telephone passes."""
_BAND_EDGES = np.array([0, 4, 8, 12, 18, 26, 36, 50])
_SHAPE_RANGE_DB = 35.0
_TINY = 1e-3

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameFeatures:
    """One row a frame. Levels in dB over one step of a 16-bit sample."""

    level_db: Floats
    level_change_db: Floats
    shape_db: Floats
    """Level of each band against the frame's mean over the bands."""
    shape_change_db: Floats


def measure_frames(samples: Samples, *, rate_hz: int) -> FrameFeatures:
    frame_samples = rate_hz * FRAME_MS // 1000
    frames = samples[: len(samples) // frame_samples * frame_samples].reshape(-1, frame_samples)
    parts = [_measure(frames[at : at + _CHUNK_FRAMES]) for at in range(0, len(frames), _CHUNK_FRAMES)]
    level = np.concatenate([part[0] for part in parts] or [np.empty(0, np.float32)])
    shape = np.concatenate([part[1] for part in parts] or [np.empty((0, len(_BAND_EDGES)), np.float32)])
    return FrameFeatures(
        level_db=level,
        level_change_db=np.abs(np.diff(level, prepend=level[:1])),
        shape_db=shape,
        shape_change_db=np.abs(np.diff(shape, axis=0, prepend=shape[:1])).mean(axis=1),
    )


def _measure(frames: Samples) -> tuple[Floats, Floats]:
    window = np.hanning(frames.shape[1]).astype(np.float32)
    centred = frames.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(centred * window, axis=1)) ** 2)[:, _LOWEST_BIN:_HIGHEST_BIN].astype(np.float32)
    level = 10 * np.log10(2 * power.sum(axis=1) / (0.375 * frames.shape[1] ** 2) + _TINY)
    bands = 10 * np.log10(np.add.reduceat(power, _BAND_EDGES, axis=1) + _TINY)
    bands = np.maximum(bands, bands.max(axis=1, keepdims=True) - _SHAPE_RANGE_DB)
    return level, bands - bands.mean(axis=1, keepdims=True)
