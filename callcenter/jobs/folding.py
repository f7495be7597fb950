"""Keeps the rows of calls in step with their events, and never gets in the way of the webhooks.

While events keep coming in, folding takes a two-hundredth of the time: after each turn it rests 199 times as long
as it worked, and a few seconds at the most. So not one callback in a hundred waits for it; in a storm the figures lag
for a while, but the events are stored and answered. In a lull, when none has come for a moment and none waits for a
slow disk either, it catches up.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from callcenter.db.engine import Database
from callcenter.domain.rings import RingRule
from callcenter.ports import Clock
from callcenter.services.fold_calls import WhenFolded, fold_calls, pending_calls
from callcenter.services.judge_again import judge_some
from callcenter.services.news import News

log = structlog.get_logger()

REST_FACTOR = 199.0
LONGEST_REST_SECONDS = 5.0
LOOK_SECONDS = 1.0
LULL_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 600.0


class FoldingLoop:
    """An async context manager: folds while it is open."""

    def __init__(
        self,
        database: Database,
        rule: RingRule,
        clock: Clock,
        stored: asyncio.Event,
        when_folded: Sequence[WhenFolded],
        *,
        news: News | None = None,
        storing: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stored` is set after each commit of events; `storing` tells whether more are being written."""
        self._database = database
        self._rule = rule
        self._clock = clock
        self._stored = stored
        self._when_folded = when_folded
        self._news = news
        self._storing = storing
        self._task: asyncio.Task[None] | None = None
        self._failed: dict[str, tuple[int, float]] = {}
        self._all_judged = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="folding")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._stored.clear()
            try:
                await self._fold_all()
                await self._judge_again()
            except (SQLAlchemyError, OSError) as error:
                log.warning("calls cannot be folded now", error=type(error).__name__)
            except Exception:
                log.exception("folding failed; going on with the next turn")
            try:
                await asyncio.wait_for(self._stored.wait(), timeout=LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _fold_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            call_ids = await pending_calls(self._database, without=self._set_aside())
            if not call_ids:
                return
            await self._fold(call_ids)
            await self._rest(min((loop.time() - began) * REST_FACTOR, LONGEST_REST_SECONDS))

    async def _judge_again(self) -> None:
        """Once after the start: the calls that another ring rule judged, unless there is something to fold."""
        loop = asyncio.get_running_loop()
        while not self._all_judged and not self._stored.is_set():
            began = loop.time()
            judged = await judge_some(self._database, self._rule, now=self._clock.now())
            self._all_judged = judged == 0
            if judged:
                log.info("calls judged by the new ring rule", calls=judged, rule=self._rule.version)
                await asyncio.sleep(min((loop.time() - began) * REST_FACTOR, LOOK_SECONDS))

    async def _fold(self, call_ids: list[str]) -> None:
        """All in one transaction; where that fails, each alone, and one that fails alone waits for a while."""
        try:
            await self._write(call_ids)
        except (OperationalError, InterfaceError, OSError):
            raise
        except Exception:
            log.exception("calls could not be folded together; folding each alone", calls=len(call_ids))
            for call_id in call_ids:
                await self._fold_alone(call_id)

    async def _fold_alone(self, call_id: str) -> None:
        try:
            await self._write([call_id])
        except Exception:
            tries, _ = self._failed.get(call_id, (0, 0.0))
            pause = min(LONGEST_PAUSE_SECONDS, 2.0**tries)
            self._failed[call_id] = tries + 1, asyncio.get_running_loop().time() + pause
            log.exception("call cannot be folded; others go on", call_id=call_id, tries=tries + 1, pause_seconds=pause)

    async def _write(self, call_ids: list[str]) -> None:
        now = self._clock.now()
        await fold_calls(self._database, call_ids, self._rule, now=now, when_folded=self._when_folded)
        for call_id in call_ids:
            self._failed.pop(call_id, None)
        if self._news is not None:
            self._news.tell()

    def _set_aside(self) -> list[str]:
        now = asyncio.get_running_loop().time()
        return [call_id for call_id, (_, until) in self._failed.items() if until > now]

    async def _rest(self, seconds: float) -> None:
        """Shorter where no event comes in meanwhile."""
        until = asyncio.get_running_loop().time() + seconds
        self._stored.clear()
        await asyncio.sleep(min(seconds, LULL_SECONDS))
        while (self._stored.is_set() or self._storing()) and asyncio.get_running_loop().time() < until:
            self._stored.clear()
            await asyncio.sleep(LULL_SECONDS)
