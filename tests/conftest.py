"""A real database for every test: SQLite by default, PostgreSQL where CALLCENTER_TEST_POSTGRES names a server.

The schema is built once a run by migrating; each test works on a copy of it (a file, or a database from a template).
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.db.engine import Database
from callcenter.db.migrate import migrate

POSTGRES = os.environ.get("CALLCENTER_TEST_POSTGRES", "")


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


async def _administer(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _postgres_url(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SQLite file, or the name of a PostgreSQL database, with the newest schema and no rows."""
    if not POSTGRES:
        path = tmp_path_factory.mktemp("template") / "template.sqlite"
        asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
        yield str(path)
        return
    name = f"callcenter_template_{uuid.uuid4().hex[:8]}"
    asyncio.run(_administer(f"CREATE DATABASE {name}"))
    try:
        asyncio.run(_migrated(_postgres_url(name)))
        yield name
    finally:
        asyncio.run(_administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database_url(migrated_template: str, tmp_path: Path) -> AsyncIterator[str]:
    if not POSTGRES:
        path = tmp_path / "test.sqlite"
        shutil.copyfile(migrated_template, path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    name = f"callcenter_test_{uuid.uuid4().hex[:8]}"
    await _administer(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    try:
        yield _postgres_url(name)
    finally:
        await _administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    try:
        yield opened
    finally:
        await opened.close()
