"""Residents who wait for an agent, in the order in which they came; in memory, as long as they are heard of.

A place that is kept for a call-back stays in the line, so that whoever phones later is not served before it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FORGOTTEN_SECONDS = 60.0
"""Whoever has not been heard of for so long has hung up."""
KEPT_SECONDS = 1800.0


@dataclass(kw_only=True, slots=True)
class _Place:
    until: float
    kept: bool = False
    rings: bool = False


@dataclass
class WaitingLine:
    """`clock` counts seconds."""

    clock: Callable[[], float] = time.monotonic
    _places: dict[str, _Place] = field(default_factory=dict)

    def ahead(self, call_id: str) -> int:
        """How many wait before this call; all where it does not wait yet. For whom an agent rings waits no more."""
        self._forget()
        ahead = 0
        for name, place in self._places.items():
            if name == call_id:
                break
            ahead += not place.rings
        return ahead

    def wait(self, call_id: str, *, seconds: float) -> int:
        """Takes the last place, or keeps the one that it has, for `seconds` and a while; how many are before it."""
        ahead = self.ahead(call_id)
        until = self.clock() + seconds + FORGOTTEN_SECONDS
        place = self._places.setdefault(call_id, _Place(until=until))
        place.until, place.rings = until, False
        return ahead

    def rings(self, call_id: str, *, seconds: float) -> None:
        """An agent is rung for this call, which keeps its place in case that nobody answers."""
        place = self._places.get(call_id)
        if place is not None:
            place.until, place.rings = self.clock() + seconds + FORGOTTEN_SECONDS, True

    def has(self, call_id: str) -> bool:
        return call_id in self._places

    def keep(self, call_id: str) -> None:
        """The resident has hung up and will be called back when it is their turn."""
        place = self._places.setdefault(call_id, _Place(until=0.0))
        place.until, place.kept = self.clock() + KEPT_SECONDS, True

    def leave(self, call_id: str) -> None:
        self._places.pop(call_id, None)

    def gone(self, call_id: str) -> None:
        """The caller is off the line; a kept place stays."""
        place = self._places.get(call_id)
        if place is not None and not place.kept:
            self.leave(call_id)

    def call_back(self) -> None:
        """A call-back has reached its resident: the oldest kept place is used up."""
        kept = next((name for name, place in self._places.items() if place.kept), None)
        if kept is not None:
            self.leave(kept)

    @property
    def waiting(self) -> int:
        """Who waits on the line now."""
        self._forget()
        return sum(not place.kept for place in self._places.values())

    def _forget(self) -> None:
        now = self.clock()
        for name in [name for name, place in self._places.items() if place.until < now]:
            del self._places[name]
