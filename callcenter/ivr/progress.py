"""Key 4 in the menu: how the caller's tickets stand, or the one they name, looked up in a moment or not at all."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import structlog

from callcenter.ivr.call_flow import PROGRESS_KEY
from callcenter.ivr.provider import MenuEnded, Question, TicketNumberGiven
from callcenter.ports import ProgressLookup, ProgressUnknown

log = structlog.get_logger()

LOOKUP_SECONDS = 0.8


class ProgressOnTheLine:
    """Fills in what a caller who asked for it hears. Nobody waits for a slow database: agents are rung instead."""

    def __init__(self, lookup: ProgressLookup, *, seconds: float = LOOKUP_SECONDS) -> None:
        self._lookup = lookup
        self._seconds = seconds
        self._late: set[asyncio.Task[str | None]] = set()

    async def filled_in(self, question: Question) -> Question:
        try:
            match question:
                case MenuEnded(digits=digits) if digits == PROGRESS_KEY:
                    told = await self._in_time(self._lookup.heard_by(question.from_number))
                    return replace(question, progress=told, nothing_open=told is None)
                case TicketNumberGiven(number=str(number)):
                    told = await self._in_time(self._lookup.heard_about(number))
                    return replace(question, progress=told, not_found=told is None)
        except (TimeoutError, ProgressUnknown) as error:
            log.warning("progress not looked up in time; ringing the agents", error=repr(error))
        return question

    async def _in_time(self, lookup: Coroutine[Any, Any, str | None]) -> str | None:
        """Raises TimeoutError at once: not even the ending of a slow query is waited for."""
        looking = asyncio.create_task(lookup, name="progress by phone")
        done, _ = await asyncio.wait({looking}, timeout=self._seconds)
        if done:
            return looking.result()
        self._late.add(looking)
        looking.add_done_callback(self._forget)
        looking.cancel()
        raise TimeoutError(f"not within {self._seconds} s")

    def _forget(self, task: asyncio.Task[str | None]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()
