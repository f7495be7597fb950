"""Moments and spans that know how exact they are, and whose clock gave them.

A provider's clock that shows whole seconds makes each edge an interval; a figure computed
from such edges is an interval too, and a verdict on it may be undecided (domain rule "Answering").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Clock(StrEnum):
    """Whose clock a moment was read from."""

    PROVIDER = "provider"
    OURS = "ours"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A point of time known to lie in [earliest, latest); exact where the two are equal. UTC."""

    earliest: datetime
    latest: datetime
    clock: Clock

    @classmethod
    def exactly(cls, at: datetime, clock: Clock = Clock.OURS) -> "Moment":
        return cls(earliest=at, latest=at, clock=clock)

    @classmethod
    def whole_second(cls, at: datetime, clock: Clock = Clock.PROVIDER) -> "Moment":
        """A stamp cut down to the second: the event happened within the second that follows it."""
        return cls(earliest=at, latest=at + timedelta(seconds=1), clock=clock)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A length of time in milliseconds: `low_ms` exactly when equal to `high_ms`, else in [low_ms, high_ms)."""

    low_ms: int
    high_ms: int

    @property
    def is_exact(self) -> bool:
        return self.low_ms == self.high_ms

    @property
    def middle_ms(self) -> int:
        return (self.low_ms + self.high_ms) // 2

    def surely_below(self, limit_ms: int) -> bool:
        return self.low_ms < limit_ms if self.is_exact else self.high_ms <= limit_ms

    def surely_at_least(self, limit_ms: int) -> bool:
        return self.low_ms >= limit_ms


SKEW_MS = 2000
"""How far two clocks may be apart: a stretch from one clock's edge to another's is that much less certain."""


def between(start: Moment, end: Moment) -> Span:
    """From start to end, never below zero."""
    skew = 0 if start.clock is end.clock else SKEW_MS
    low = max(0, milliseconds(end.earliest - start.latest) - skew)
    high = max(low, milliseconds(end.latest - start.earliest) + skew)
    return Span(low_ms=low, high_ms=high)


def somewhere_between(start: Moment, end: Moment) -> Moment:
    """A moment that nobody reported: not before `start`, not after `end`."""
    return Moment(earliest=start.earliest, latest=max(end.latest, start.earliest), clock=start.clock)


def union(stretches: Iterable[tuple[Moment, Moment]]) -> Span:
    """How long at least one of the stretches lasted; overlapping time is counted once."""
    pairs = [(start, _less_certain(start, end)) for start, end in stretches]
    low = _covered((start.latest, end.earliest) for start, end in pairs)
    high = _covered((start.earliest, end.latest) for start, end in pairs)
    return Span(low_ms=min(low, high), high_ms=high)


def _less_certain(start: Moment, end: Moment) -> Moment:
    if start.clock is end.clock:
        return end
    skew = timedelta(milliseconds=SKEW_MS)
    return Moment(earliest=end.earliest - skew, latest=end.latest + skew, clock=end.clock)


def _covered(intervals: Iterable[tuple[datetime, datetime]]) -> int:
    total = timedelta()
    reached: datetime | None = None
    for start, end in sorted(pair for pair in intervals if pair[1] > pair[0]):
        begin = start if reached is None or start > reached else reached
        if end > begin:
            total += end - begin
            reached = end
    return milliseconds(total)


def milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
