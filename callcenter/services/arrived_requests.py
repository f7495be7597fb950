"""The last requests that came in from providers, refused ones too: what an administrator looks at while setting one up.

Kept in memory only, without bodies: whose number rang is in the call's own events.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

LAST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """`status` is what was answered, `reason` why something was refused."""

    at: datetime
    provider: str
    hook: str
    status: int
    call_id: str | None = None
    reason: str | None = None


class Arrivals:
    """The newest first."""

    def __init__(self) -> None:
        self._last: deque[Arrival] = deque(maxlen=LAST)

    def note(self, arrival: Arrival) -> None:
        self._last.appendleft(arrival)

    def since(self, at: datetime) -> tuple[Arrival, ...]:
        return tuple(one for one in self._last if one.at >= at)
