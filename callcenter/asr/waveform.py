"""Peaks of a recording, for drawing it."""

import numpy as np
from numpy.typing import NDArray

PEAKS_PER_SECOND = 20


class PeakMeter:
    """Collects the loudest sample of every twentieth of a second as one byte, 0..127."""

    def __init__(self, *, rate_hz: int) -> None:
        self._samples_per_peak = rate_hz // PEAKS_PER_SECOND
        self._rest: NDArray[np.int16] = np.empty(0, np.int16)
        self._peaks = bytearray()

    def add(self, samples: NDArray[np.int16]) -> None:
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) // self._samples_per_peak * self._samples_per_peak
        self._rest = joined[whole:]
        if whole:
            self._peaks += _peaks(joined[:whole].reshape(-1, self._samples_per_peak))

    def finish(self) -> bytes:
        if len(self._rest):
            self._peaks += _peaks(self._rest.reshape(1, -1))
            self._rest = np.empty(0, np.int16)
        return bytes(self._peaks)


def _peaks(rows: NDArray[np.int16]) -> bytes:
    loudest = np.maximum(rows.max(axis=1).astype(np.int32), -rows.min(axis=1).astype(np.int32))
    return bytes(np.minimum(loudest >> 8, 127).astype(np.uint8))
