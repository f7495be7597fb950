"""Engines and transactions: one writer and readers on SQLite, a pool on PostgreSQL.

SQLite: WAL, `synchronous=FULL` (an acknowledged webhook survives a power cut), foreign keys on, and
BEGIN IMMEDIATE for every writing transaction: with the driver's own mode concurrent read-then-writes
lose updates or fail with "database is locked". The writer pool holds one connection, so writers queue
in our process; readers have an engine of their own and never wait for them. Errors never show a statement's values:
they hold residents' numbers and words.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from callcenter.db.sqlite_driver import HandedOver, connect

BUSY_TIMEOUT_MS = 5000
STATEMENTS_KEPT = 400
"""Prepared on each connection to PostgreSQL: all that the product has, where the driver keeps 100."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    """A session that serves all reading of one task; tasks that it starts read for themselves."""

    session: AsyncSession
    task: asyncio.Task[Any] | None


class Database:
    """The open database. `write()` and `read()` give a session in a transaction; `write()` commits at its end."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.writer = _sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
            self.reader = _sqlite_engine(url, pool_size=8, begin="BEGIN")
        else:
            self.writer = self.reader = _postgres_engine(url)
        self.single_statements = self.writer.execution_options(isolation_level="AUTOCOMMIT")
        """PostgreSQL: each statement is a transaction of its own, without the messages that begin and end one."""
        self._write_session = async_sessionmaker(self.writer, expire_on_commit=False)
        self._read_session = async_sessionmaker(self.reader, expire_on_commit=False)
        self._one_view: ContextVar[_View | None] = ContextVar("one_view", default=None)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back on an exception."""
        async with self._write_session() as session, session.begin():
            yield session
        if shared := self._shared():
            # Who writes while they look at one view sees what they wrote: the view goes on from here.
            await shared.commit()
            shared.expunge_all()

    async def at_one_go(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """SQLite: `work` in one transaction, all of it in the driver's thread. Raises what statements raise.

        A statement at a time comes back to the event loop eight times in the smallest transaction.
        """
        async with self.writer.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                await driver._execute(_in_a_transaction, driver._conn, work)
            except sqlite3.Error as error:
                raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; nothing it does is committed."""
        if shared := self._shared():
            yield shared
            return
        async with self._read_session() as session:
            yield session

    def _shared(self) -> AsyncSession | None:
        """The session of the view that this very task has open."""
        view = self._one_view.get()
        return view.session if view is not None and view.task is asyncio.current_task() else None

    @asynccontextmanager
    async def one_view(self) -> AsyncIterator[None]:
        """Whatever this task reads meanwhile is read in one transaction: what a page shows is of one moment (SQLite).

        A page began and ended some twenty small transactions without it.
        """
        async with self._read_session() as session:
            token = self._one_view.set(_View(session=session, task=asyncio.current_task()))
            try:
                yield
            finally:
                self._one_view.reset(token)

    async def close(self) -> None:
        """Must be called: an undisposed aiosqlite engine keeps the process from ending."""
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()


def _in_a_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], None]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work(connection)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _postgres_engine(url: str) -> AsyncEngine:
    """A connection that the server has closed meanwhile is replaced before it is used.

    asyncpg knows that without asking; SQLAlchemy's own way of finding out (`pool_pre_ping`) costs a transaction of
    three messages before every other one.
    """
    engine = create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        hide_parameters=True,
        connect_args={"prepared_statement_cache_size": STATEMENTS_KEPT},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server has closed this connection")

    return engine


def _sqlite_engine(url: str, *, pool_size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> HandedOver:
        """A folder that cannot be made shows as a database that cannot be opened, whenever it is asked for."""
        if engine.url.database:
            with suppress(OSError):
                Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        return connect(dialect, arguments, options)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _on_invalidate(connection: Any, _record: Any, _error: BaseException | None) -> None:
        """After a task was cancelled in a statement. Closing alone keeps the write lock while a cursor is alive."""
        with contextlib.suppress(sqlite3.Error, SQLAlchemyError):
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
