"""A statement to SQLite and its rows in one hand-over to the driver's thread.

The driver makes a cursor there, carries out the statement, fetches the rows and closes the cursor, and comes back to
the event loop after each: a page of twenty statements waited eighty times for a thread to wake up. A cursor that is
closed with its statement also leaves nothing alive that could keep a lock.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor


class Done:
    """What a statement left: its rows, and what a cursor would say of it."""

    __slots__ = ("description", "lastrowid", "rowcount", "rows")

    def __init__(self, cursor: sqlite3.Cursor, rows: Sequence[Any]) -> None:
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        self.rows = deque(rows)


def _one(connection: sqlite3.Connection, statement: str, parameters: Any) -> Done:
    cursor = connection.cursor()
    try:
        cursor.execute(statement, parameters or ())
        return Done(cursor, cursor.fetchall() if cursor.description else ())
    finally:
        cursor.close()


def _many(connection: sqlite3.Connection, statement: str, parameters: Any) -> Done:
    cursor = connection.cursor()
    try:
        cursor.executemany(statement, parameters)
        return Done(cursor, ())
    finally:
        cursor.close()


class HandedOverCursor(AsyncAdapt_aiosqlite_cursor):
    """As SQLAlchemy asks of a cursor; nothing of it lives in the thread between two statements."""

    __slots__ = ("_done",)

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._done: Done | None = None
        self._rows = deque()

    @property
    def description(self) -> Any:
        return self._done.description if self._done else None

    @property
    def rowcount(self) -> int:
        return self._done.rowcount if self._done else -1

    @property
    def lastrowid(self) -> int:
        return (self._done.lastrowid if self._done else None) or 0

    arraysize = 1

    async def _async_soft_close(self) -> None:
        """The rows are here and the cursor in the thread is closed already."""

    def close(self) -> None:
        self._rows.clear()

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        return await self._hand_over(_one, operation, parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        return await self._hand_over(_many, operation, seq_of_parameters)

    async def _hand_over(self, work: Any, operation: Any, parameters: Any) -> None:
        driver: Any = self._connection
        async with self._adapt_connection._execute_mutex:
            self._done = await driver._execute(work, driver._conn, operation, parameters)
        self._rows = self._done.rows


class HandedOver(AsyncAdapt_aiosqlite_connection):
    """A connection whose statements are handed over whole."""

    __slots__ = ()
    _cursor_cls = HandedOverCursor  # type: ignore[assignment]


def connect(dialect: Any, arguments: Sequence[Any], options: dict[str, Any]) -> HandedOver:
    """A new connection, as the dialect makes it."""
    made = dialect.loaded_dbapi.connect(*arguments, **options)
    return HandedOver(made.dbapi, made._connection)
