"""What a caller hears of what we know, looked up in a moment or not at all.

On arrival: an incident where they live. Key 4 in the menu: how their tickets stand, or the one they name.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from callcenter.ivr.call_flow import PROGRESS_KEY
from callcenter.ivr.provider import Incoming, MenuEnded, Question, Say, Step, TicketNumberGiven
from callcenter.ports import IncidentLookup, ProgressLookup, ProgressUnknown

log = structlog.get_logger()

LOOKUP_SECONDS = 0.8


def with_what_is_known(question: Question | None, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The notice first, then the incident, then whatever follows."""
    if isinstance(question, Incoming) and question.known:
        notice = next((at for at, step in enumerate(steps) if isinstance(step, Say)), None)
        if notice is not None:
            return *steps[: notice + 1], Say(text=question.known), *steps[notice + 1 :]
    return tuple(steps)


class ProgressOnTheLine:
    """Fills in what a caller who asked for it hears. Nobody waits for a slow database: agents are rung instead."""

    def __init__(
        self, lookup: ProgressLookup, *, incidents: IncidentLookup | None = None, seconds: float = LOOKUP_SECONDS
    ) -> None:
        self._lookup = lookup
        self._incidents = incidents
        self._seconds = seconds
        self._late: set[asyncio.Task[str | None]] = set()

    async def filled_in(self, question: Question) -> Question:
        try:
            match question:
                case Incoming(from_number=number) if self._incidents is not None:
                    return replace(question, known=await self._in_time(self._incidents.heard_on_arrival(number)))
                case MenuEnded(digits=digits) if digits == PROGRESS_KEY:
                    told = await self._in_time(self._lookup.heard_by(question.from_number))
                    return replace(question, progress=told, nothing_open=told is None)
                case TicketNumberGiven(number=str(number)):
                    told = await self._in_time(self._lookup.heard_about(number))
                    return replace(question, progress=told, not_found=told is None)
        except (TimeoutError, ProgressUnknown) as error:
            log.warning("not looked up in time; the call goes on without it", error=repr(error))
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
