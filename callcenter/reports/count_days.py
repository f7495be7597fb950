"""Counts days that are over and keeps what was counted, so that a report of a year reads some hundred rows.

No lock is taken. Of two that count one day at once the second finds another edition than it saw, and keeps nothing; a
mark is taken away by its id, and only by who has seen it before counting: what changes meanwhile leaves one of its own.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import CursorResult, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.base import Base
from callcenter.db.calls import CallRow
from callcenter.db.day_sums import CountChangeRow, DaySumRow, MonthSumRow
from callcenter.db.engine import Database
from callcenter.domain.counted_calls import Counting
from callcenter.domain.periods import Period, PeriodKind, period_of, period_of_date
from callcenter.reports.call_scope import Scope
from callcenter.reports.counted import count_calls
from callcenter.reports.day_sums import days_of_month, marked_days, month_holds, packed, together

DAYS_A_TURN = 20
MARKS_A_STATEMENT = 500
MARKS_LOOKED_AT = 5000
LONG_BEFORE_MIDNIGHT = timedelta(hours=1)
"""More than the clocks of two processes are apart."""


async def count_some_days(database: Database, counting: Counting, *, now: datetime, most: int = DAYS_A_TURN) -> int:
    """Counts days that are not kept yet, or have changed, the newest first; how many were."""
    await _drop_marks_of_open_days(database, counting, now=now)
    waiting = await _waiting(database, counting, now=now)
    if not waiting:
        return 0
    counted = await count_days(database, waiting[:most], counting, now=now)
    if len(waiting) <= most:
        await _add_months(database, counting)
    return counted


async def count_all_anew(database: Database, counting: Counting, *, now: datetime) -> int:
    """Throws away what is kept and counts every day. Reports are right meanwhile: they read the calls themselves."""
    async with database.write() as session:
        await session.execute(delete(DaySumRow))
        await session.execute(delete(MonthSumRow))
    counted = 0
    while days := await _waiting(database, counting, now=now):
        for begin in range(0, len(days), DAYS_A_TURN):
            counted += await count_days(database, days[begin : begin + DAYS_A_TURN], counting, now=now)
    await _add_months(database, counting)
    return counted


async def _add_months(database: Database, counting: Counting) -> None:
    """Adds up the days of every month of which all are kept, where that has not been done since they changed."""
    async with database.read() as session:
        kept = (
            await session.execute(
                select(DaySumRow.day, DaySumRow.edition).where(DaySumRow.counting == counting.version)
            )
        ).all()
        right = set(await session.scalars(select(MonthSumRow.month).where(month_holds(counting))))
    editions: dict[date, list[int]] = defaultdict(list)
    for day, edition in kept:
        editions[day.replace(day=1)].append(edition)
    for month, of_days in editions.items():
        until = period_of_date(PeriodKind.MONTH, month, counting.zone).end.date()
        if month not in right and len(of_days) == (until - month).days:
            await _add_month(database, month, until, counting)


async def _add_month(database: Database, month: date, until: date, counting: Counting) -> None:
    its_days = select(DaySumRow.edition, DaySumRow.tallies).where(days_of_month(month, until, counting))
    async with database.read() as session:
        days = (await session.execute(its_days)).all()
    values = {
        "until": until,
        "counting": counting.version,
        "days": len(days),
        "editions": sum(edition for edition, _ in days),
        "tallies": await asyncio.to_thread(together, [tallies for _, tallies in days]),
    }
    async with database.write() as session:
        insert = _insert_of(session)(MonthSumRow).values(month=month, **values)
        await session.execute(insert.on_conflict_do_update(index_elements=[MonthSumRow.month], set_=values))


async def _waiting(database: Database, counting: Counting, *, now: datetime) -> list[date]:
    async with database.read() as session:
        return await days_to_count(session, counting, now=now)


async def days_to_count(session: AsyncSession, counting: Counting, *, now: datetime) -> list[date]:
    """Every day since the first call that is over and is not kept as it is now, the newest first."""
    first = await _first_moment(session)
    if first is None:
        return []
    begin, today = (period_of(PeriodKind.DAY, at, counting.zone) for at in (first, now))
    begins, ends = begin.start.date(), today.start.date()
    kept_right = and_(DaySumRow.counting == counting.version, DaySumRow.day >= begins, DaySumRow.day < ends)
    waiting = await marked_days(session, begin.start, today.start, counting, most=MARKS_LOOKED_AT)
    days = max(0, (ends - begins).days)
    if await session.scalar(select(func.count()).where(kept_right)) != days:
        kept = set(await session.scalars(select(DaySumRow.day).where(kept_right)))
        waiting |= {begins + timedelta(days=number) for number in range(days)} - kept
    return sorted(waiting, reverse=True)


async def _first_moment(session: AsyncSession) -> datetime | None:
    return await session.scalar(select(func.min(CallRow.started_at)))


async def count_days(database: Database, days: Sequence[date], counting: Counting, *, now: datetime) -> int:
    """Counts these days and keeps them in one transaction; how many, those not where another was faster."""
    async with database.read() as session:
        kept = select(DaySumRow.day, DaySumRow.edition).where(DaySumRow.day.in_(days))
        editions = {row.day: row.edition for row in await session.execute(kept)}
        counted = [await _count(session, day, editions.get(day), counting) for day in days]
    done = 0
    async with database.write() as session:
        for one in counted:
            values = {"counting": counting.version, "counted_at": now, "tallies": one.tallies}
            if await _keep(session, one.day, one.edition, values):
                await _drop(session, one.marks)
                done += 1
    return done


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counted:
    """A day as it was counted; `edition` was kept before, `marks` had been seen."""

    day: date
    edition: int | None
    marks: list[int]
    tallies: str


async def _count(session: AsyncSession, day: date, edition: int | None, counting: Counting) -> _Counted:
    period = period_of_date(PeriodKind.DAY, day, counting.zone)
    marks = await _marks(session, period)
    tallies = await count_calls(session, Scope(start=period.start, end=period.end), counting)
    return _Counted(day=day, edition=edition, marks=marks, tallies=await asyncio.to_thread(packed, tallies))


async def _keep(session: AsyncSession, day: date, edition: int | None, values: dict[str, object]) -> bool:
    values = values | {"edition": (edition or 0) + 1}
    if edition is None:
        insert = _insert_of(session)(DaySumRow).values(day=day, **values)
        done = await session.execute(insert.on_conflict_do_nothing())
    else:
        seen = and_(DaySumRow.day == day, DaySumRow.edition == edition)
        done = await session.execute(update(DaySumRow).where(seen).values(**values))
    return isinstance(done, CursorResult) and done.rowcount == 1


def _insert_of(session: AsyncSession) -> Callable[[type[Base]], SqliteInsert | PostgresInsert]:
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert


async def _marks(session: AsyncSession, period: Period) -> list[int]:
    within = and_(CountChangeRow.moment >= period.start, CountChangeRow.moment < period.end)
    return list(await session.scalars(select(CountChangeRow.id).where(within)))


async def _drop_marks_of_open_days(database: Database, counting: Counting, *, now: datetime) -> None:
    """A day that is far from being over is kept by nobody, and read from its calls: its marks say nothing."""
    open_day = period_of(PeriodKind.DAY, now + LONG_BEFORE_MIDNIGHT, counting.zone)
    async with database.read() as session:
        useless = select(CountChangeRow.id).where(CountChangeRow.moment >= open_day.start).limit(MARKS_LOOKED_AT)
        marks = list(await session.scalars(useless))
    if marks:
        async with database.write() as session:
            await _drop(session, marks)


async def _drop(session: AsyncSession, marks: Sequence[int]) -> None:
    for begin in range(0, len(marks), MARKS_A_STATEMENT):
        some = marks[begin : begin + MARKS_A_STATEMENT]
        await session.execute(delete(CountChangeRow).where(CountChangeRow.id.in_(some)))
