"""A real database for every test: SQLite by default, PostgreSQL where CALLCENTER_TEST_POSTGRES names a server.

The schema is built once a run by migrating; each test works on a copy of it (a file, or a database from a template).
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.db.engine import Database
from callcenter.db.migrate import migrate

POSTGRES = os.environ.get("CALLCENTER_TEST_POSTGRES", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With PYTEST_ONLY_DATABASE only tests that use a database run."""
    if os.environ.get("PYTEST_ONLY_DATABASE"):
        items[:] = [item for item in items if "database_url" in getattr(item, "fixturenames", ())]


class SetClock:
    """A clock that stands still until a test moves it. Starts on Tuesday 2026-11-24, 10:00 in Shanghai."""

    def __init__(self, at: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def _migrated(url: str) -> None:
    database = Database(url)
    try:
        await migrate(database)
    finally:
        await database.close()


async def administer(*statements: str) -> None:
    """Carries out these statements on the server of PostgreSQL."""
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _postgres_url(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


_EMPTIED = """
DO $$ DECLARE found record; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR found IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', found.nspname);  -- where jobs are kept
  END LOOP;
  SET LOCAL session_replication_role = replica;
  FOR found IN
    SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP
    IF found.relkind = 'r' THEN EXECUTE format('DELETE FROM %I', found.relname);
    ELSIF found.relkind = 'S' THEN EXECUTE format('ALTER SEQUENCE %I RESTART', found.relname);
    END IF;
  END LOOP;
END $$"""
_SHAPE = """
SELECT md5(string_agg(told, ';' ORDER BY told)) FROM (
  SELECT format('%s %s %s %s', attrelid::regclass, attname, atttypid, attnotnull) FROM pg_attribute
  JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT version_num FROM alembic_version
) AS shape (told)"""
_LARGE_BYTES = 64 << 20


class PostgresCopies:
    """Databases made from a template, emptied for the next test while another runs.

    One whose schema a test has changed, or that has grown large, is dropped. Commits are not waited for on the disk:
    no test takes the power from the database server.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._made: list[str] = []
        self._shape = ""
        self._ready = [self._thread.submit(self._make)]

    def take(self) -> str:
        """The name of a database with the newest schema and no rows."""
        ready = self._ready.pop(0) if self._ready else self._thread.submit(self._make)
        return ready.result()

    def give_back(self, name: str) -> None:
        if not self._ready:
            self._ready.append(self._thread.submit(self._make))
        self._ready.append(self._thread.submit(self._emptied, name))

    def close(self) -> None:
        """Everything that was made is gone afterwards."""
        self._thread.shutdown()
        asyncio.run(administer(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in self._made)))

    def _make(self) -> str:
        name = f"callcenter_test_{uuid.uuid4().hex[:8]}"
        self._made.append(name)
        copy = f"CREATE DATABASE {name} TEMPLATE {self._template}"
        asyncio.run(administer(copy, f"ALTER DATABASE {name} SET synchronous_commit = off"))
        self._shape = self._shape or asyncio.run(_asked(name, _SHAPE))[0]
        return name

    def _emptied(self, name: str) -> str:
        size = "SELECT pg_database_size(current_database())"
        try:
            _, shape, now_bytes = asyncio.run(_asked(name, _EMPTIED, _SHAPE, size))
        except SQLAlchemyError:  # a test that failed left it in a state in which nothing can be deleted
            shape = now_bytes = None
        if shape == self._shape and now_bytes < _LARGE_BYTES:
            return name
        asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))
        return self._make()


async def _asked(name: str, *statements: str) -> list[Any]:
    """The single value that each statement gives, None where it gives no row."""
    engine = create_async_engine(_postgres_url(name), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            found = [await connection.execute(text(statement)) for statement in statements]
            return [one.scalar() if one.returns_rows else None for one in found]
    finally:
        await engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema and no rows."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_copies() -> Iterator[PostgresCopies]:
    """Of a database with the newest schema and no rows."""
    template = f"callcenter_template_{uuid.uuid4().hex[:8]}"
    asyncio.run(administer(f"CREATE DATABASE {template}"))
    try:
        asyncio.run(_migrated(_postgres_url(template)))
        copies = PostgresCopies(template)
        yield copies
        copies.close()
    finally:
        asyncio.run(administer(f"DROP DATABASE {template} WITH (FORCE)"))


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if not POSTGRES:
        path = tmp_path / "test.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    copies: PostgresCopies = request.getfixturevalue("postgres_copies")
    name = copies.take()
    yield _postgres_url(name)
    copies.give_back(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    try:
        yield opened
    finally:
        await opened.close()
