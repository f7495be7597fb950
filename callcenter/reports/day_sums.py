"""Figures of any stretch of time, from what was counted of its days and, where that does not hold, from the calls.

A day that is over is counted once and kept, and the days of a month are added up (reports/count_days.py). Whatever
changes later leaves a mark in the transaction that changes it (db/day_sums.py): a marked day is counted anew, and read
from its calls until it has been.
So a figure is the same as if nothing were kept, at every moment.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.day_sums import CountChangeRow, DaySumRow, MonthSumRow
from callcenter.domain.counted_calls import Counting
from callcenter.domain.packed_tallies import PackedTally, added
from callcenter.domain.periods import Period, PeriodKind, period_of, period_of_date
from callcenter.domain.tallies import Tallies, Tally
from callcenter.reports.call_scope import Scope
from callcenter.reports.counted import AGAIN_WITHIN, count_calls


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """The tallies of [start, end), both UTC: two moments of one time zone compare by the wall's clock."""

    start: datetime
    end: datetime
    tallies: Mapping[str, PackedTally]


async def read_tally(session: AsyncSession, scope: Scope, counting: Counting, *, now: datetime) -> Tally:
    stretches = await _stretches(session, scope, counting, now=now)
    return added(tally for one in stretches for tally in one.tallies.values())


def total_of(tallies: Tallies) -> Tally:
    total = Tally()
    for one in tallies.values():
        total.add(one)
    return total


async def read_tallies(session: AsyncSession, scope: Scope, counting: Counting, *, now: datetime) -> Tallies:
    """By the number that was called."""
    return _by_number([one.tallies for one in await _stretches(session, scope, counting, now=now)])


def _by_number(some: Sequence[Mapping[str, PackedTally]]) -> Tallies:
    numbers = sorted({number for one in some for number in one})
    return {number: added(one[number] for one in some if number in one) for number in numbers}


async def read_parts(
    session: AsyncSession, scope: Scope, parts: Sequence[Period], counting: Counting, *, now: datetime
) -> tuple[Tallies, list[Tally]]:
    """The whole scope by number, and the tally of each part of it; parts follow each other without a gap."""
    cuts = [part.end.astimezone(UTC) for part in parts]
    stretches = await _stretches(session, scope, counting, now=now, cuts=cuts)
    return _by_number([one.tallies for one in stretches]), [
        added(tally for one in stretches if begin <= one.start < end for tally in one.tallies.values())
        for begin, end in ((part.start.astimezone(UTC), part.end.astimezone(UTC)) for part in parts)
    ]


async def _stretches(
    session: AsyncSession, scope: Scope, counting: Counting, *, now: datetime, cuts: Sequence[datetime] = ()
) -> list[Stretch]:
    """Days and months as they were counted, and between them what has to be counted now; cut at `cuts` as well."""
    found = await _kept(session, scope, counting, now=now, cuts=cuts)
    for start, end in _gaps(scope, found, cuts):
        counted = await count_calls(session, scope.within(start, end), counting, now=now)
        packed_now = {number: PackedTally.of(tally) for number, tally in counted.items()}
        found.append(Stretch(start=start, end=end, tallies=packed_now))
    return sorted(found, key=lambda one: one.start)


def _gaps(scope: Scope, days: Iterable[Stretch], cuts: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    gaps, at, end = [], scope.start.astimezone(UTC), scope.end.astimezone(UTC)
    for day in [*days, None]:
        until = day.start if day else end
        for cut in [one for one in cuts if at < one < until] + [until]:
            if at < cut:
                gaps.append((at, cut))
                at = cut
        if day:
            at = day.end
    return gaps


async def _kept(
    session: AsyncSession, scope: Scope, counting: Counting, *, now: datetime, cuts: Sequence[datetime]
) -> list[Stretch]:
    """The scope's whole days that were counted and not marked since, in order; months of them at one go.

    The marks are read first: a day that is counted anew between the statements is then newer than it must be.
    """
    first, last = _whole_days(scope, counting)
    if first > last:
        return []
    today = period_of(PeriodKind.DAY, now, counting.zone).start
    marked = await marked_days(session, scope.start, min(scope.end, today), counting)
    months = [
        one
        for one in await _kept_months(session, scope, first, last, counting)
        if one.end <= now - AGAIN_WITHIN
        and not any(one.start < cut < one.end for cut in cuts)
        and not any(one.start <= _begin(day, counting) < one.end for day in marked)
    ]
    kept = await session.execute(
        select(DaySumRow.day, DaySumRow.tallies)
        .where(DaySumRow.day >= first, DaySumRow.day <= last, DaySumRow.counting == counting.version)
        .where(*(not_(DaySumRow.day.between(*_days_of(one, counting))) for one in months))
        .order_by(DaySumRow.day)
    )
    found = months
    for day, text in kept:
        period = period_of_date(PeriodKind.DAY, day, counting.zone)
        settled, young = period.end <= now - AGAIN_WITHIN, period.start > now - AGAIN_WITHIN
        if day in marked or not (settled or young) or now < period.end:
            continue
        tallies = unpacked(text, number=scope.number)
        if young:
            tallies = {number: tally.opened() for number, tally in tallies.items()}
        found.append(_stretch(period, tallies))
    return sorted(found, key=lambda one: one.start)


async def _kept_months(
    session: AsyncSession, scope: Scope, first: date, last: date, counting: Counting
) -> list[Stretch]:
    """Whole months from `first` to `last` that are the sum of their days as these are kept now."""
    kept = await session.execute(
        select(MonthSumRow.month, MonthSumRow.tallies).where(
            MonthSumRow.month >= first, MonthSumRow.until <= last + timedelta(days=1), month_holds(counting)
        )
    )
    return [
        _stretch(period_of_date(PeriodKind.MONTH, month, counting.zone), unpacked(text, number=scope.number))
        for month, text in kept
    ]


def month_holds(counting: Counting) -> ColumnElement[bool]:
    """Whether a row of months says what the rows of its days say now."""
    month = MonthSumRow
    its_days = days_of_month(month.month, month.until, counting)
    return and_(
        month.counting == counting.version,
        month.days == select(func.count()).where(its_days).scalar_subquery(),
        month.editions == select(func.sum(DaySumRow.edition)).where(its_days).scalar_subquery(),
    )


def days_of_month(month: Any, until: Any, counting: Counting) -> ColumnElement[bool]:
    """The rows of its days; `month` and `until` are dates, or the columns of a row of months."""
    return and_(DaySumRow.day >= month, DaySumRow.day < until, DaySumRow.counting == counting.version)


def _stretch(period: Period, tallies: Mapping[str, PackedTally]) -> Stretch:
    return Stretch(start=period.start.astimezone(UTC), end=period.end.astimezone(UTC), tallies=tallies)


def _begin(day: date, counting: Counting) -> datetime:
    return period_of_date(PeriodKind.DAY, day, counting.zone).start.astimezone(UTC)


def _days_of(one: Stretch, counting: Counting) -> tuple[date, date]:
    first, after = (at.astimezone(counting.zone).date() for at in (one.start, one.end))
    return first, after - timedelta(days=1)


def _whole_days(scope: Scope, counting: Counting) -> tuple[date, date]:
    first = period_of(PeriodKind.DAY, scope.start, counting.zone)
    after = period_of(PeriodKind.DAY, scope.end, counting.zone)
    begins = first.start.date() + timedelta(days=int(first.start < scope.start))
    return begins, after.start.date() - timedelta(days=1)


async def marked_days(
    session: AsyncSession, start: datetime, end: datetime, counting: Counting, *, most: int | None = None
) -> set[date]:
    """The days in [start, end) of which something changed since they were counted; found by at most `most` marks."""
    within = (CountChangeRow.moment >= start, CountChangeRow.moment < end)
    query = select(CountChangeRow.moment).where(*within).distinct().limit(most)
    return {at.astimezone(counting.zone).date() for at in await session.scalars(query)}


def packed(tallies: Tallies) -> str:
    return json.dumps(
        {number: PackedTally.of(tallies[number]).as_json() for number in sorted(tallies)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def unpacked(text: str, *, number: str | None = None) -> dict[str, PackedTally]:
    """Of one number of ours, or of all."""
    kept = json.loads(text)
    wanted = kept if number is None else {number} & kept.keys()
    return {one: PackedTally.from_json(kept[one]) for one in wanted}


def together(days: Iterable[str]) -> str:
    """The tallies of several days, all packed, as those of one."""
    return packed(_by_number([unpacked(one) for one in days]))
