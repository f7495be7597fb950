"""What goes wrong: a process that dies at its nth step, a database that is away, a clock that is wrong."""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from callcenter.db.engine import Database

T = TypeVar("T")


class Life:
    """The steps that a process has left. A step is one resumption of any of its tasks, so one await."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.main: asyncio.Task[Any] | None = None
        self.died = False

    def step(self) -> None:
        self.left -= 1
        if self.left == 0 and self.main is not None:
            self.died = self.main.cancel()


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


class _Counted(Coroutine[Any, Any, T]):
    """A coroutine whose every step is counted."""

    def __init__(self, counted: Coroutine[Any, Any, T], life: Life) -> None:
        self._counted = counted
        self._life = life

    def send(self, value: Any) -> Any:
        self._life.step()
        return self._counted.send(value)

    def throw(self, *error: Any) -> Any:
        return self._counted.throw(*error)

    def close(self) -> None:
        self._counted.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._counted.__await__()


def _factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    life = _LIFE.get()
    return asyncio.Task(_Counted(work, life) if life is not None else work, loop=loop, **options)


async def lives_for(steps: int, work: Coroutine[Any, Any, T]) -> bool:
    """Runs `work` as a process of its own that is killed at its nth step, whatever it awaits there; whether it was."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(_factory)
    life = Life(steps)
    token = _LIFE.set(life)
    try:
        life.main = asyncio.ensure_future(work)
    finally:
        _LIFE.reset(token)
    try:
        await life.main
    except asyncio.CancelledError:
        if not life.died:
            raise
    return life.died


class Outages:
    """Makes the engines of a database fail, as a lost server does: from the nth statement on, until mended."""

    def __init__(self, database: Database) -> None:
        self._after: int | None = None
        for engine in {database.writer, database.reader}:
            event.listen(engine.sync_engine, "before_cursor_execute", self._on_statement)
            event.listen(engine.sync_engine, "commit", self._on_commit)

    def begin(self, *, after_statements: int) -> None:
        self._after = after_statements

    def end(self) -> None:
        self._after = None

    @property
    def is_on(self) -> bool:
        return self._after is not None

    def _on_statement(self, *_: Any) -> None:
        self._count()

    def _on_commit(self, _: Any) -> None:
        self._count()

    def _count(self) -> None:
        if self._after is None:
            return
        if self._after <= 0:
            raise OperationalError("the database is away", None, Exception("the database is away"))
        self._after -= 1


class Changes:
    """Whether a table may have changed since it was last asked: spares asking it after everything that happens."""

    def __init__(self, table: str, *databases: Database) -> None:
        self._table = table
        self._changed = True
        for engine in {engine for database in databases for engine in (database.writer, database.reader)}:
            event.listen(engine.sync_engine, "before_cursor_execute", self._on_statement)

    def mark(self) -> None:
        self._changed = True

    def take(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    def _on_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._changed |= self._table in statement and not statement.startswith("SELECT")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong, when and for how long."""

    at: datetime
    name: str
    lasts: timedelta = timedelta()
    amount: float = 0.0


def faults_of(day: date, *, seed: int, midnight: datetime) -> list[Fault]:
    """A day's faults. Far more than a bad year brings."""
    draw = Random(f"{seed}:faults:{day}")

    def at(first_hour: float = 0, last_hour: float = 24) -> datetime:
        return midnight + timedelta(hours=draw.uniform(first_hour, last_hour))

    found = [Fault(at=at(8, 21), name="killed", amount=draw.randrange(1, 60)) for _ in range(8)]
    found += [Fault(at=at(8, 21), name="folding killed", amount=draw.randrange(1, 30)) for _ in range(4)]
    found += [Fault(at=at(8, 21), name="two schedulers", lasts=timedelta(hours=2)) for _ in range(2)]
    found.append(Fault(at=at(8, 21), name="provider fails", lasts=timedelta(hours=2)))
    if draw.random() < 0.5:
        found.append(Fault(at=at(), name="database away", lasts=timedelta(minutes=10), amount=draw.randrange(0, 40)))
    if draw.random() < 0.4:
        jump = draw.choice((-26 * 60, -125, -20, 7, 20, 125, 180, 26 * 60))
        found.append(Fault(at=at(), name="clock jumps", lasts=timedelta(minutes=draw.randrange(1, 45)), amount=jump))
    return found
