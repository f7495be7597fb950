"""A task that is cancelled in the middle of a transaction, at any await: the database is free again at once."""

import asyncio

from sqlalchemy import delete, func, select

from benchmarks.follow_up.faults import lives_for
from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow
from tests.conftest import SetClock


async def _write(database: Database, clock: SetClock, name: str) -> None:
    async with database.write() as session:
        for number in range(5):
            session.add(DoNotCallRow(number=f"{name}{number}", since=clock.now(), reason="x" * 100))
        await session.flush()
        for most in range(2, 6):
            (await session.scalars(select(DoNotCallRow).limit(most))).all()
        await session.execute(delete(DoNotCallRow).where(DoNotCallRow.number == f"{name}0"))


async def test_a_cancelled_transaction_leaves_no_lock(database: Database, database_url: str, clock: SetClock) -> None:
    other, steps, died = Database(database_url), 0, True
    try:
        while died:
            steps += 1
            died = await lives_for(steps, _write(database, clock, f"cancelled {steps} "))
            async with asyncio.timeout(2):
                await _write(other, clock, f"other {steps} ")
                await _write(database, clock, f"same {steps} ")
    finally:
        await other.close()
    async with database.read() as session:
        cancelled = select(func.count()).where(DoNotCallRow.number.startswith(f"cancelled {steps // 2} "))
        assert await session.scalar(cancelled) in (0, 4)
    assert steps > 10
