"""The migrations build exactly the tables that the code describes; transactions lose nothing."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import StatementError

from callcenter.db.engine import Database
from callcenter.db.migrate import current_revision, differences, newest_revision
from callcenter.db.reminders import DoNotCallRow
from callcenter.db.users import UserRow
from tests.conftest import SetClock


async def test_migrations_build_what_the_code_describes(database: Database) -> None:
    assert await differences(database) == []
    assert await current_revision(database) == newest_revision()


async def test_concurrent_read_then_write_loses_no_update(database: Database, clock: SetClock) -> None:
    async with database.write() as session:
        session.add(UserRow(login="n", name="0", role="agent", password_hash="-", created_at=clock.now()))

    async def count_up() -> None:
        async with database.write() as session:
            user = (await session.execute(select(UserRow).with_for_update())).scalar_one()
            await session.execute(update(UserRow).values(name=str(int(user.name) + 1)))

    await asyncio.gather(*(count_up() for _ in range(100)))
    async with database.read() as session:
        assert (await session.execute(select(UserRow.name))).scalar_one() == "100"


async def test_naive_time_is_refused(database: Database) -> None:
    async with database.read() as session:
        session.add(DoNotCallRow(number="1", since=datetime(2026, 11, 24), reason="asked"))
        with pytest.raises(StatementError, match="naive time"):
            await session.flush()


async def test_times_come_back_as_they_went_in(database: Database, clock: SetClock) -> None:
    async with database.write() as session:
        session.add(DoNotCallRow(number="1", since=clock.now(), reason="asked"))
    async with database.read() as session:
        assert (await session.execute(select(DoNotCallRow.since))).scalar_one() == clock.now()
