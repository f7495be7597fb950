"""New databases to measure on: SQLite always, PostgreSQL where CALLCENTER_TEST_POSTGRES or loopback has a server."""

import os
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from callcenter.db.engine import Database
from callcenter.db.migrate import migrate

POSTGRES = os.environ.get("CALLCENTER_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1/postgres")


async def administer(statement: str) -> None:
    """Runs it on the PostgreSQL server, in no transaction."""
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def kinds(only: str | None = None) -> list[str]:
    """SQLite, PostgreSQL or both; `only` is one of them in small letters."""
    wanted = [kind for kind in ("SQLite", "PostgreSQL") if only in (None, kind.lower())]
    if "PostgreSQL" in wanted:
        try:
            await administer("SELECT 1")
        except (OSError, SQLAlchemyError) as error:
            print(f"PostgreSQL cannot be reached: {error}", file=sys.stderr)
            wanted.remove("PostgreSQL")
    return wanted


@asynccontextmanager
async def new_database(kind: str) -> AsyncIterator[str]:
    """The address of a new database with the newest schema, gone afterwards."""
    name = f"callcenter_bench_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/{name}.sqlite"
        if kind == "PostgreSQL":
            await administer(f"CREATE DATABASE {name}")
            url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        try:
            database = Database(url)
            try:
                await migrate(database)
            finally:
                await database.close()
            yield url
        finally:
            if kind == "PostgreSQL":
                await administer(f"DROP DATABASE {name} WITH (FORCE)")
