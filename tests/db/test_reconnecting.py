"""Connections that were cut meanwhile are replaced before anybody uses them."""

import asyncio

from sqlalchemy import text

from callcenter.db.engine import Database
from tests.conftest import administer


async def _cut(database: Database) -> None:
    """Every connection that lies idle in the pool: by the server, or by closing the file."""
    if database.is_sqlite:
        await database.close()
        return
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.url.database}'"
    await administer(cut)
    await asyncio.sleep(0.2)


async def test_idle_connections_that_were_cut_fail_nobody(database: Database) -> None:
    async def asked() -> int:
        async with database.read() as session:
            return int(await session.scalar(text("SELECT 1")) or 0)

    assert await asyncio.gather(*(asked() for _ in range(4))) == [1] * 4
    for _ in range(2):
        await _cut(database)
        assert await asyncio.gather(*(asked() for _ in range(4))) == [1] * 4
