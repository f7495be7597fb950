"""A page reads in one view of the database; who writes meanwhile is not seen, unless it is the page itself."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow
from tests.conftest import SetClock


async def _add(database: Database, clock: SetClock, number: str) -> None:
    async with database.write() as session:
        session.add(DoNotCallRow(number=number, since=clock.now(), reason="said so"))


async def _count(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(DoNotCallRow)) or 0


async def test_all_reading_of_one_task_is_one_session(database: Database) -> None:
    async with database.one_view():
        async with database.read() as first:
            pass
        async with database.read() as second:
            assert second is first
    async with database.read() as later:
        assert later is not first


async def test_a_task_that_is_started_meanwhile_reads_for_itself(database: Database) -> None:
    async def reads() -> int:
        async with database.read() as session:
            assert session is not mine
            return await _count(database)

    async with database.one_view(), database.read() as mine:
        assert await asyncio.gather(*(reads() for _ in range(3))) == [0] * 3


async def test_what_others_write_is_seen_afterwards_and_ones_own_at_once(database: Database, clock: SetClock) -> None:
    async with database.one_view():
        assert await _count(database) == 0
        await asyncio.create_task(_add(database, clock, "13800000001"))
        assert await _count(database) == (0 if database.is_sqlite else 1)  # PostgreSQL: every statement looks anew
        await _add(database, clock, "13800000002")
        assert await _count(database) == 2
    assert await _count(database) == 2


async def test_a_statement_that_fails_ends_the_view_and_nothing_else(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.one_view(), database.read() as session:
            await session.execute(select(func.nonsense()))
    assert await _count(database) == 0
