"""Time that jumps to the next thing that happens, and a clock of ours that can be wrong about it."""

import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

Happening = Callable[[], Awaitable[None]]


class VirtualClock:
    """`at` is the true time; `now()` is what our own clock shows, `skew` off."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.skew = timedelta()

    def now(self) -> datetime:
        return self.at + self.skew

    def move_to(self, at: datetime) -> None:
        """True time never goes back."""
        self.at = max(self.at, at)


class Agenda:
    """What will happen, in the order of time; of two things at one time the one planned first."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._waiting: list[tuple[datetime, int, Happening]] = []
        self._planned = 0

    def at(self, at: datetime, happening: Happening) -> None:
        self._planned += 1
        heapq.heappush(self._waiting, (max(at, self._clock.at), self._planned, happening))

    def after(self, delay: timedelta, happening: Happening) -> None:
        self.at(self._clock.at + delay, happening)

    def next_at(self) -> datetime | None:
        return self._waiting[0][0] if self._waiting else None

    def pop(self) -> Happening:
        return heapq.heappop(self._waiting)[2]
