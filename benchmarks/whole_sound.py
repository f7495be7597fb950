"""From how many calls on the sound of recordings is not whole any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.crowd import Recording
from tests.asterisk.fidelity import FRAME, fidelity

RATE_HZ = 8000
HEADER_BYTES = 44
MOST_MISSING = 0.01
LEAST_CORRELATION = 0.99
WINDOW_SECONDS = 2.0
SAMPLE = 16
"""Calls whose sound is looked at in each window, evenly chosen."""
REPEATS = 3
"""The clip, as often as it is laid end to end to be compared with: longer than a window."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """`calls` go on at once; what became of both sides of some of them meanwhile."""

    calls: int
    missing: float
    put_in: float
    correlation: float

    @property
    def whole(self) -> bool:
        return self.missing <= MOST_MISSING and self.correlation >= LEAST_CORRELATION


def windows(found: Sequence[Recording], clips: dict[str, np.ndarray], *, step: float = WINDOW_SECONDS) -> list[Window]:
    """One after the other, while any call goes on that covers one whole."""
    out = []
    at = min(one.began for one in found)
    while at < max(one.ended for one in found):
        there = [one for one in found if one.began <= at and one.ended >= at + WINDOW_SECONDS]
        if there:
            chosen = there[:: max(1, len(there) // SAMPLE)]
            out.append(_window(len(there), chosen, at, clips))
        at += step
    return out


def _window(calls: int, chosen: Sequence[Recording], at: float, clips: dict[str, np.ndarray]) -> Window:
    sides = [
        fidelity(_part(getattr(one, speaker), at - one.began), np.tile(spoken, REPEATS))
        for one in chosen
        for speaker, spoken in clips.items()
    ]
    return Window(
        calls=calls,
        missing=float(np.mean([side.missing for side in sides])),
        put_in=float(np.mean([side.put_in for side in sides])),
        correlation=float(np.mean([side.correlation for side in sides])),
    )


def _part(file: Path, begins: float) -> np.ndarray:
    """The samples of a window; a side that is too short there is silent to its end."""
    first = HEADER_BYTES + 2 * FRAME * round(begins * RATE_HZ / FRAME)
    wanted = round(WINDOW_SECONDS * RATE_HZ)
    with file.open("rb") as opened:
        opened.seek(first)
        read = np.frombuffer(opened.read(2 * wanted), dtype="<i2")
    return np.concatenate((read, np.zeros(wanted - len(read), dtype="<i2")))


def most_whole(found: Sequence[Window]) -> int:
    """The calls of the last window before the first two in a row that are not whole; all, where none are."""
    rising = found[: int(np.argmax([window.calls for window in found])) + 1]
    best = 0
    for window, following in zip(rising, [*rising[1:], None], strict=True):
        if not window.whole and (following is None or not following.whole):
            return best
        best = max(best, window.calls)
    return best
