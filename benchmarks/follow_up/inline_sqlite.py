"""SQLite without its thread: statements run on the event loop, so that ninety days do not wait for hand-overs.

The driver passes every statement to a thread and its result back, which costs more than most statements do. Here it is
carried out at once, and then the loop has a turn, as it has while the thread works: a process can be killed between a
statement and its result, and everybody else goes on meanwhile.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.util import await_only

from callcenter.db.engine import Database

TURNS_BEFORE_GIVING_UP = 200_000
"""So many turns of the loop a statement waits for the lock that another connection holds; no clock is asked."""


def run_inline(database: Database) -> None:
    """Every connection to come of this database works without a thread. Nothing else changes."""
    for engine in {database.writer, database.reader}:
        event.listen(engine.sync_engine, "do_connect", _connect, insert=True)


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> "InlineConnection":
    """The lock's holder runs on this same thread: waiting for it inside SQLite would be in vain."""
    return InlineConnection(sqlite3.connect(*arguments, **options | {"timeout": 0}))


def _as_soon_as_free(work: Callable[..., Any], *arguments: Any) -> None:
    """Does it, then gives the loop a turn. Raises what SQLite raises."""
    for _ in range(TURNS_BEFORE_GIVING_UP):
        try:
            work(*arguments)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            await_only(asyncio.sleep(0))
        else:
            await_only(asyncio.sleep(0))
            return
    work(*arguments)


class InlineCursor(sqlite3.Cursor):
    """As the driver's: its rows can be fetched when the statement has been carried out."""

    server_side = False

    def execute(self, statement: str, parameters: Any = ()) -> "InlineCursor":  # type: ignore[override]
        if not statement.startswith("PRAGMA busy_timeout"):
            _as_soon_as_free(super().execute, statement, parameters or ())
        return self

    def executemany(self, statement: str, parameters: Any) -> "InlineCursor":  # type: ignore[override]
        _as_soon_as_free(super().executemany, statement, parameters)
        return self

    async def _async_soft_close(self) -> None:
        """Rows are fetched after this: the driver only ends the cursor in its thread here."""


class InlineDriver:
    """What is asked of the driver itself: work on the connection, which would be done in its thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._conn = connection

    async def _execute(self, work: Callable[..., Any], *arguments: Any) -> None:
        for _ in range(TURNS_BEFORE_GIVING_UP):
            try:
                work(*arguments)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(0)
                return
        work(*arguments)


class InlineConnection:
    """What SQLAlchemy asks of a connection of its asynchronous driver."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._plain = connection
        self._connection = InlineDriver(connection)  # SQLAlchemy's own name for it
        self.create_function = connection.create_function

    @property
    def driver_connection(self) -> "InlineDriver":
        return self._connection

    @property
    def isolation_level(self) -> str | None:
        return self._plain.isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self._plain.isolation_level = level  # type: ignore[assignment]

    def cursor(self, server_side: bool = False) -> InlineCursor:
        if server_side:
            raise NotImplementedError("no result is streamed here")
        return self._plain.cursor(InlineCursor)

    def commit(self) -> None:
        _as_soon_as_free(self._plain.commit)

    def rollback(self) -> None:
        self._plain.rollback()

    def close(self) -> None:
        self._plain.close()

    def terminate(self) -> None:
        self._plain.close()
