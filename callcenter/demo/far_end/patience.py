"""A caller who gives up after so many seconds of hearing it ring, over all the phones that ring."""

from datetime import datetime

from callcenter.demo.far_end.line import HungUp
from callcenter.demo.far_end.virtual_time import Part, VirtualTime


class RingingStopped(Exception):
    """Nothing rings any more; the caller goes on waiting."""


class Patience:
    """`seconds` None: endless. Counts only while at least one phone rings."""

    def __init__(self, time: VirtualTime, caller: Part, seconds: float | None) -> None:
        self._time = time
        self._caller = caller
        self._left = seconds
        self._ringing = 0
        self._since: datetime | None = None
        self._watch: Part | None = None

    def ring_started(self) -> None:
        self._ringing += 1
        if self._ringing == 1 and self._left is not None:
            self._since = self._time.now
            self._watch = self._time.spawn("patience", self._run_out(self._left))

    def ring_stopped(self) -> None:
        self._ringing -= 1
        if self._ringing == 0 and self._left is not None and self._since is not None and self._watch is not None:
            self._left -= (self._time.now - self._since).total_seconds()
            self._time.wake(self._watch, RingingStopped())

    async def _run_out(self, seconds: float) -> None:
        try:
            await self._time.sleep(seconds)
        except RingingStopped:
            return
        self._time.wake(self._caller, HungUp())
