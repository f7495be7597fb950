"""One call's events on their way into the inbox: in order, each once, and the call never waits for the disk."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Clock as WhoseClock
from callcenter.domain.moments import Moment
from callcenter.ivr.providers.asterisk.names import NAME, call_id
from callcenter.ports import Clock
from callcenter.services.inbox import EventInbox, NotStored

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class CallLedger:
    """An event's id is made of call, leg and kind, so that whoever tells of it again changes nothing."""

    def __init__(self, *, server: str, channel: str, inbox: EventInbox, clock: Clock) -> None:
        self.call_id = call_id(server, channel)
        self._inbox = inbox
        self._clock = clock
        self._written: set[str] = set()
        self._queue: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._task = asyncio.create_task(self._store(), name=f"events of {self.call_id}")

    def write(
        self,
        kind: EventKind,
        at: datetime | Moment,
        *,
        leg: str | None = None,
        key: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """A time without a clock is Asterisk's own, in milliseconds. `key` tells several of a kind apart."""
        name = ":".join(part for part in (self.call_id, leg and leg.rpartition("-leg-")[2], kind.value, key) if part)
        if name in self._written:
            return
        self._written.add(name)
        moment = at if isinstance(at, Moment) else Moment.exactly(at, WhoseClock.PROVIDER)
        known = {field: value for field, value in (data or {}).items() if value is not None}
        self.add(
            CallEvent(event_id=name, provider=NAME, call_id=self.call_id, kind=kind, at=moment, leg_id=leg, data=known)
        )

    def add(self, event: CallEvent) -> None:
        self._queue.put_nowait(event)

    async def _store(self) -> None:
        while True:
            events = [await self._queue.get()]
            while not self._queue.empty():
                events.append(self._queue.get_nowait())
            await self._keep(events)
            for _ in events:
                self._queue.task_done()

    async def _keep(self, events: list[CallEvent]) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._inbox.store(events, received_at=self._clock.now())
            except NotStored:
                log.error("events not stored; trying again", call_id=self.call_id, events=len(events))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def close(self, *, seconds: float | None = None) -> None:
        """Waits until all is stored, at most `seconds`."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            log.critical("events of a call could not be stored", call_id=self.call_id, events=self._queue.qsize())
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
