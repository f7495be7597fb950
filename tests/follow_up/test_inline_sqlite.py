"""The simulation's SQLite without a thread behaves as the product's own: one writer, others wait, the killed let go."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.follow_up.inline_sqlite import run_inline
from callcenter.db.engine import Database


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes' databases in one file."""
    databases = [Database(f"sqlite+aiosqlite:///{tmp_path}/inline.sqlite") for _ in range(2)]
    for database in databases:
        run_inline(database)
    async with databases[0].write() as session:
        await session.execute(text("CREATE TABLE said (number INTEGER PRIMARY KEY, word TEXT NOT NULL)"))
    yield databases[0], databases[1]
    for database in databases:
        await database.close()


async def say(database: Database, word: str, *, turns: int = 0) -> None:
    async with database.write() as session:
        await session.execute(text("INSERT INTO said (word) VALUES (:word)"), {"word": word})
        for _ in range(turns):
            await asyncio.sleep(0)


async def words(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.scalars(text("SELECT word FROM said ORDER BY number"))).all())


async def test_a_second_writer_waits_for_the_first(two: tuple[Database, Database]) -> None:
    one, other = two
    first = asyncio.create_task(say(one, "first", turns=50))
    await asyncio.sleep(0)
    while not one.writer.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    await asyncio.gather(first, say(other, "second"))
    assert await words(other) == ["first", "second"]


async def test_what_a_killed_writer_began_is_gone_and_its_lock_free(two: tuple[Database, Database]) -> None:
    one, other = two
    killed = asyncio.create_task(say(one, "never said", turns=1000))
    for _ in range(200):
        await asyncio.sleep(0)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await say(other, "said")
    assert await words(one) == ["said"]
