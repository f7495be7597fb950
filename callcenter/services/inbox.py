"""The durable inbox of call events: stored before they are answered, whatever the database does.

Events wait in a queue; one task writes all that have gathered in one transaction (group commit) and only then
lets their webhooks be answered. A batch that fails is retried row by row. What the database does not take in
time goes, fsynced, to a local spool and is replayed in order; where neither works the caller is told
(`NotStored`), so that it can say so.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from callcenter.db.engine import Database
from callcenter.db.events import event_values, store_events
from callcenter.domain.calls import CallEvent
from callcenter.services.spool import Spool, SpoolFull

log = structlog.get_logger()

DATABASE_SECONDS = 1.2
SPOOL_SECONDS = 0.7
LARGEST_BATCH = 256
LONGEST_QUEUE = 10_000
"""So many wait only where the database hangs; what comes then goes to the spool at once."""
REPLAY_SECONDS = 1.0


class NotStored(Exception):
    """Neither the database nor the spool took the event in time."""


class NotWritten(Exception):
    """A batch failed in a way nobody foresaw."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    rows: list[dict[str, Any]]
    stored: asyncio.Future[None]
    until: float
    """The event loop's time at which the database has had its time."""


class EventInbox:
    """Start it, `store` events, close it. The event `stored` is set after each commit."""

    def __init__(
        self,
        database: Database,
        spool: Spool,
        *,
        database_seconds: float = DATABASE_SECONDS,
        spool_seconds: float = SPOOL_SECONDS,
        replay_seconds: float = REPLAY_SECONDS,
    ) -> None:
        self._database = database
        self.spool = spool
        self._database_seconds = database_seconds
        self.spool_seconds = spool_seconds
        self._replay_seconds = replay_seconds
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._on_time: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.stored = asyncio.Event()

    async def start(self) -> None:
        await asyncio.to_thread(self.spool.open)
        self._tasks = [
            asyncio.create_task(self._write_batches(), name="inbox-writer"),
            asyncio.create_task(self._replay(), name="inbox-replay"),
        ]

    async def close(self) -> None:
        """Writes what is still queued, then stops."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), timeout=self._database_seconds)
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.spool.close)

    async def store(self, events: Sequence[CallEvent], *, received_at: datetime) -> None:
        """Returns once the events are safe on disk, here or in the spool. Raises NotStored."""
        if not events:
            return
        rows = [event_values(event, received_at) for event in events]
        if self._queue.qsize() >= LONGEST_QUEUE:
            await self._keep_in_spool(rows)
            return
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows=rows, stored=loop.create_future(), until=loop.time() + self._database_seconds)
        self._queue.put_nowait(waiting)
        self._watch(waiting)
        try:
            await waiting.stored
        except (TimeoutError, SQLAlchemyError, OSError, NotWritten) as error:
            log.warning(
                "database did not take the events in time", call_id=events[0].call_id, error=type(error).__name__
            )
            await self._keep_in_spool(rows)

    @property
    def busy(self) -> bool:
        """Whether events are being written or wait for it."""
        return bool(self._on_time) and not self._on_time[-1].stored.done()

    def _watch(self, waiting: _Waiting) -> None:
        """One timer, for whoever has waited longest: one for each event would cost as much as its signature."""
        self._on_time.append(waiting)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(waiting.until, self._give_up_on_the_late)

    def _give_up_on_the_late(self) -> None:
        loop = asyncio.get_running_loop()
        while self._on_time and (self._on_time[0].until <= loop.time() or self._on_time[0].stored.done()):
            _resolve(self._on_time.popleft().stored, TimeoutError())
        self._timer = loop.call_at(self._on_time[0].until, self._give_up_on_the_late) if self._on_time else None

    async def _keep_in_spool(self, rows: list[dict[str, Any]]) -> None:
        try:
            async with asyncio.timeout(self.spool_seconds):
                await asyncio.to_thread(self.spool.append, rows)
        except (TimeoutError, SpoolFull) as error:
            raise NotStored("neither the database nor the spool took the event") from error

    async def _write_batches(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < LARGEST_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._write(batch)
            except Exception as error:
                log.exception("batch of events failed in a way nobody foresaw", size=len(batch))
                for waiting in batch:
                    _resolve(waiting.stored, NotWritten(type(error).__name__))
            finally:
                for _ in batch:
                    self._queue.task_done()

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            await self._insert_rows([row for waiting in batch for row in waiting.rows])
        except (SQLAlchemyError, OSError) as error:
            log.warning("batch of events failed; retrying row by row", size=len(batch), error=type(error).__name__)
            for waiting in batch:
                if not waiting.stored.done():  # else it waited too long and is in the spool
                    await self._write_alone(waiting)
        else:
            for waiting in batch:
                _resolve(waiting.stored, None)

    async def _write_alone(self, waiting: _Waiting) -> None:
        try:
            await self._insert_rows(waiting.rows)
        except (SQLAlchemyError, OSError) as error:
            _resolve(waiting.stored, error)
        else:
            _resolve(waiting.stored, None)

    async def _insert_rows(self, rows: list[dict[str, Any]]) -> None:
        await store_events(self._database, rows)
        self.stored.set()

    async def _replay(self) -> None:
        while True:
            try:
                await self.replay_once()
            except (SQLAlchemyError, OSError, SpoolFull) as error:
                log.warning("the spool cannot be replayed yet", error=type(error).__name__)
            except Exception:
                log.exception("replaying the spool failed in a way nobody foresaw")
            await asyncio.sleep(self._replay_seconds)

    async def replay_once(self) -> None:
        """Moves what the spool holds into the database, oldest first; raises where the database is still away."""
        for number, row in await asyncio.to_thread(self.spool.oldest, LARGEST_BATCH):
            await self._replay_row(number, row)

    async def _replay_row(self, number: int, row: dict[str, Any]) -> None:
        try:
            await self._insert_rows([row])
        except (DataError, IntegrityError, StatementError) as error:
            if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
                raise
            log.exception("the database refuses a spooled event for good", call_id=row["call_id"])
            await asyncio.to_thread(self.spool.refuse, number, repr(error))
        else:
            await asyncio.to_thread(self.spool.remove, number)
            log.info("event replayed from the spool", call_id=row["call_id"])


def _resolve(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
