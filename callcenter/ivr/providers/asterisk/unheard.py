"""Calls that ended while nobody of us listened: taken from the hang-up log, each once."""

import asyncio
from collections.abc import Callable

import structlog

from callcenter.ivr.providers.asterisk.agent_call import write_recordings
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError
from callcenter.ivr.providers.asterisk.hangup_log import HangupLog, LoggedCall, write_events
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ports import Clock
from callcenter.services.inbox import EventInbox

log = structlog.get_logger()

SWEEP_SECONDS = 20.0
SETTLE_SECONDS = 1.0
"""A call that ended a moment ago is still being written down by its own task."""


class UnheardCalls:
    """Of one Asterisk. `is_open` says of a channel whether its call is being played now."""

    def __init__(self, ari: AriClient, *, inbox: EventInbox, clock: Clock, is_open: Callable[[str], bool]) -> None:
        self._ari = ari
        self._inbox = inbox
        self._clock = clock
        self._is_open = is_open
        self._log = HangupLog(ari)
        self._lock = asyncio.Lock()
        self._finished: set[str] = set()

    def finished(self, channel: str) -> None:
        """This call was seen to its end by ourselves."""
        self._finished.add(channel)

    async def sweep(self, connected: asyncio.Event) -> None:
        """Again and again while there is a connection, until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if connected.is_set():
                await self.try_take()

    async def try_take(self) -> None:
        try:
            await self.take()
        except AriError as error:
            log.warning("the hang-up log cannot be read now", asterisk=self._ari.settings.name, error=str(error))
        except Exception:
            log.exception("the hang-up log could not be read; trying again", asterisk=self._ari.settings.name)

    async def take(self) -> None:
        """Each entry once: what we have seen to its end ourselves is only removed. Raises AriError."""
        async with self._lock:
            now = self._clock.now()
            taken = []
            for entry in await self._log.entries():
                if self._is_open(entry.channel) or (now - entry.ended).total_seconds() < SETTLE_SECONDS:
                    continue
                if entry.channel not in self._finished:
                    await self._take_entry(entry)
                taken.append(entry.channel)
            await self._log.remove(taken)
            self._finished.difference_update(taken)

    async def _take_entry(self, entry: LoggedCall) -> None:
        name = self._ari.settings.name
        ledger = CallLedger(server=name, channel=entry.channel, inbox=self._inbox, clock=self._clock)
        write_events(entry, ledger)
        await write_recordings(self._ari, entry.channel, ledger, entry.ended)
        await ledger.close()
        log.info("a call that nobody of us heard is written down", call_id=ledger.call_id, handled=entry.handled)
