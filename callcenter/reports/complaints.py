"""Complaints counted and ranked: by kind, by building, by seven days, with what has changed beyond chance."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import func, select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.tickets import Place, RequestType
from callcenter.domain.trends import FALSE_DISCOVERIES, RateChange, adjusted, chance_of_more, rate_change
from callcenter.reports.parts_of_time import part_of

WEEK = timedelta(days=7)
WARNING_BASELINE_WEEKS = 8
LEAST_BEFORE = timedelta(days=3)
"""A shorter time before is no time to compare with."""
FEWEST_TO_WARN = 3
"""Complaints in seven days, below which nobody is warned however rare the thing was before."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Complained:
    """`count` complaints of one kind from one building, in the part of the time that begins at `since`."""

    since: datetime
    category: str
    building: Place
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend(Generic[K]):
    """One kind or building: its counts, and its change. `q` is the p adjusted for all that are looked at at once."""

    key: K
    change: RateChange
    q: float

    @property
    def direction(self) -> str | None:
        """ "more" or "fewer" where chance is an unlikely reason; None where it may be one."""
        if self.q >= FALSE_DISCOVERIES:
            return None
        return "more" if self.change.ratio is None or self.change.ratio > 1 else "fewer"


@dataclass(frozen=True, kw_only=True, slots=True)
class SevenDays:
    """[start, end) and the complaints of it by kind and by building."""

    start: datetime
    end: datetime
    by_kind: Mapping[str, int]
    by_building: Mapping[Place, int]

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class ComplaintReport:
    """`kinds` and `buildings` the most frequent first.

    The period is held against as long a one before it, or as much of that as there are tickets at all: `before` is
    where that begins, None where nothing was recorded then and nothing can be compared.
    """

    start: datetime
    before: datetime | None
    end: datetime
    total: RateChange
    kinds: tuple[Trend[str], ...]
    buildings: tuple[Trend[Place], ...]
    blocks: tuple[SevenDays, ...]
    warnings: tuple[Trend[tuple[str, Place]], ...]


async def complaint_report(
    database: Database, *, start: datetime, end: datetime, request_type: RequestType | None = RequestType.COMPLAINT
) -> ComplaintReport:
    """Tickets opened in [start, end), joined ones once; without `request_type` of every kind of request."""
    length = end - start
    since = min(start - length, end - WEEK * (WARNING_BASELINE_WEEKS + 1))
    recorded = await _recorded_since(database)
    begun = max(start - length, recorded or start)
    cuts = {start, begun, *_windows(end, recorded), *(since for since, _ in _seven_days(start, end))}
    found = await _complaints(database, since, end, request_type, sorted(cuts))
    exposure = _exposure(length, start - begun)
    now = [one for one in found if one.since >= start]
    before = [one for one in found if begun <= one.since < start] if exposure else []
    buildings = _trends(now, before, lambda one: one.building, exposure=exposure)
    return ComplaintReport(
        start=start,
        before=begun if exposure else None,
        end=end,
        total=rate_change(sum(one.count for one in now), sum(one.count for one in before), exposure=exposure or 1.0),
        kinds=_trends(now, before, lambda one: one.category, exposure=exposure),
        buildings=tuple(one for one in buildings if one.key.building is not None),
        blocks=tuple(_blocks(now, start, end)),
        warnings=_warnings(found, end, recorded),
    )


def _exposure(now: timedelta, before: timedelta) -> float | None:
    """How many times as long; None where the time before is too short to say anything."""
    return now / before if before >= LEAST_BEFORE else None


async def _recorded_since(database: Database) -> datetime | None:
    async with database.read() as session:
        found: datetime | None = await session.scalar(select(func.min(TicketRow.created_at)))
        return found


async def _complaints(
    database: Database,
    since: datetime,
    until: datetime,
    request_type: RequestType | None,
    cuts: Sequence[datetime],
) -> list[Complained]:
    """Counted by the parts into which `cuts`, ascending, divide the time."""
    row, begins = TicketRow, [since, *cuts]
    columns = (row.category, row.estate, row.phase, row.lane, row.building)
    query = (
        select(part_of(row.created_at, cuts).label("part"), *columns, func.count())
        .where(row.created_at >= since, row.created_at < until, row.merged_into.is_(None))
        .group_by("part", *columns)
    )
    if request_type is not None:
        query = query.where(row.request_type == request_type)
    async with database.read() as session:
        return [
            Complained(
                since=begins[part],
                category=category or "",
                building=Place(estate=estate, phase=phase, lane=lane, building=building),
                count=count,
            )
            for part, category, estate, phase, lane, building, count in await session.execute(query)
        ]


def _counted(some: Iterable[Complained], key_of: Callable[[Complained], K]) -> Counter[K]:
    counted: Counter[K] = Counter()
    for one in some:
        counted[key_of(one)] += one.count
    return counted


def _trends(
    now: Sequence[Complained],
    before: Sequence[Complained],
    key_of: Callable[[Complained], K],
    *,
    exposure: float | None,
) -> tuple[Trend[K], ...]:
    """Without an exposure nothing is compared: the counts alone."""
    counted, earlier = _counted(now, key_of), _counted(before, key_of)
    keys = list(dict.fromkeys([*counted, *earlier]))
    changes = [rate_change(counted[key], earlier[key], exposure=exposure or 1.0) for key in keys]
    chances = adjusted([one.p for one in changes]) if exposure else [1.0] * len(keys)
    trends = [Trend(key=key, change=change, q=q) for key, change, q in zip(keys, changes, chances, strict=True)]
    return tuple(sorted(trends, key=lambda one: (-one.change.now, -one.change.before, str(one.key))))


def _blocks(now: Sequence[Complained], start: datetime, end: datetime) -> list[SevenDays]:
    """Counted back from the end, so that the last one is whole; the first may be shorter."""
    blocks = []
    for since, until in _seven_days(start, end):
        some = [one for one in now if since <= one.since < until]
        kinds, buildings = _counted(some, lambda one: one.category), _counted(some, lambda one: one.building)
        blocks.append(SevenDays(start=since, end=until, by_kind=kinds, by_building=buildings))
    return blocks


def _seven_days(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    found, until = [], end
    while until > start:
        since = max(start, until - WEEK)
        found.append((since, until))
        until = since
    return found[::-1]


def _windows(end: datetime, recorded: datetime | None) -> tuple[datetime, datetime]:
    """Where the last seven days begin, and the time that they are held against."""
    week = end - WEEK
    return week, max(week - WEEK * WARNING_BASELINE_WEEKS, recorded or week)


def _warnings(
    found: Sequence[Complained], end: datetime, recorded: datetime | None
) -> tuple[Trend[tuple[str, Place]], ...]:
    """Kinds in a building that come more often in the last seven days than in the eight weeks before.

    All pairs that occurred count as looked at, so that the few that are named are not the luckiest of many.
    """
    week, baseline = _windows(end, recorded)
    exposure = _exposure(WEEK, week - baseline)
    if exposure is None:
        return ()
    now = _counted((one for one in found if one.since >= week), _pair)
    before = _counted((one for one in found if baseline <= one.since < week), _pair)
    pairs = list(dict.fromkeys([*now, *before]))
    chances = adjusted([chance_of_more(now[pair], before[pair], exposure=exposure) for pair in pairs])
    named = [
        Trend(key=pair, change=rate_change(now[pair], before[pair], exposure=exposure), q=q)
        for pair, q in zip(pairs, chances, strict=True)
        if q < FALSE_DISCOVERIES and now[pair] >= FEWEST_TO_WARN
    ]
    return tuple(sorted(named, key=lambda one: (-one.change.now, -one.change.before, str(one.key))))


def _pair(one: Complained) -> tuple[str, Place]:
    return one.category, one.building
