"""One track of a live stream, put in order: late frames in their place, lost ones as silence, doubled ones once."""

from collections.abc import Iterator
from dataclasses import dataclass, field

SAMPLES_PER_MS = 8
WAITS_SAMPLES = 100 * SAMPLES_PER_MS
"""So much newer sound may come before a missing frame is given up."""
SLACK_SAMPLES = 20 * SAMPLES_PER_MS
"""Stamps are whole milliseconds and wander a little: less than a frame is no gap."""
LONGEST_GAP_SAMPLES = 10_000 * SAMPLES_PER_MS
"""Silence is filled in for no longer; a longer gap is closed up."""


@dataclass(kw_only=True)
class TrackOrder:
    """Times are samples (8 kHz) since the stream began. `silence` is one byte of it in the track's coding."""

    silence: bytes
    lost_frames: int = 0
    late_frames: int = 0
    _next: int | None = None
    _waiting: dict[int, bytes] = field(default_factory=dict)

    def add(self, at_ms: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
        """One byte of `payload` a sample. Yields (time in ms, bytes): pieces that follow on each other."""
        start = at_ms * SAMPLES_PER_MS
        if self._next is None:
            self._next = start
        if start + len(payload) <= self._next or start in self._waiting:
            self.late_frames += 1
            return
        self._waiting[start] = payload
        yield from self._ready()
        if self._waiting and max(self._waiting) - self._next >= WAITS_SAMPLES:
            yield from self._filled()
            yield from self._ready()

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """No more frames come: what waits is given out, its gaps as silence."""
        while self._waiting:
            yield from self._filled()
            yield from self._ready()

    def _ready(self) -> Iterator[tuple[int, bytes]]:
        while self._waiting and (start := min(self._waiting)) < self._at + SLACK_SAMPLES:
            payload = self._waiting.pop(start)
            overlap = self._at - start
            if overlap >= SLACK_SAMPLES:
                payload = payload[overlap:]
            yield from self._out(payload)

    def _filled(self) -> Iterator[tuple[int, bytes]]:
        gap = min(self._waiting) - self._at
        self.lost_frames += max(1, round(gap / SLACK_SAMPLES))
        if gap > LONGEST_GAP_SAMPLES:
            self._next = self._at + gap
        else:
            yield from self._out(self.silence * gap)

    def _out(self, payload: bytes) -> Iterator[tuple[int, bytes]]:
        if payload:
            yield self._at // SAMPLES_PER_MS, payload
            self._next = self._at + len(payload)

    @property
    def _at(self) -> int:
        return self._next or 0
