"""Complaints counted and ranked: by kind, by building, by seven days, with what has changed beyond chance."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.tickets import Place, RequestType
from callcenter.domain.trends import FALSE_DISCOVERIES, RateChange, adjusted, chance_of_more, rate_change
from callcenter.reports.parts_of_time import Part, count_by_parts, seven_days

WEEK = timedelta(days=7)
WARNING_BASELINE_WEEKS = 8
LEAST_BEFORE = timedelta(days=3)
"""A shorter time before is no time to compare with."""
FEWEST_TO_WARN = 3
"""Complaints in seven days, below which nobody is warned however rare the thing was before."""

K = TypeVar("K", bound=Hashable)


Values = tuple[str | None, ...]
"""What a kind, a building or a pair of them is made of: cheaper to count by than the thing itself."""


@dataclass(frozen=True, slots=True)
class Complained:
    """`count` complaints with these values in the part of the time that begins at `since`."""

    since: datetime
    values: Values
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
    async with database.read() as session:
        recorded = await _recorded_since(session)
        begun = max(start - length, recorded or start)
        exposure = _exposure(length, start - begun)
        count = partial(_complaints, session, request_type)
        parts = [*(seven_days(begun, start) if exposure else ()), *seven_days(start, end)]
        kinds, buildings = await count(parts, _KIND), await count(parts, _BUILDING)
        warnings = await _warnings(count, end, recorded)
    now, before = _sum(one for one in kinds if one.since >= start), _sum(one for one in kinds if one.since < start)
    places = _trends(buildings, _building, start, exposure=exposure)
    return ComplaintReport(
        start=start,
        before=begun if exposure else None,
        end=end,
        total=rate_change(now, before, exposure=exposure or 1.0),
        kinds=_trends(kinds, _kind, start, exposure=exposure),
        buildings=tuple(one for one in places if one.key.building is not None),
        blocks=tuple(_blocks(kinds, buildings, start, end)),
        warnings=warnings,
    )


def _exposure(now: timedelta, before: timedelta) -> float | None:
    """How many times as long; None where the time before is too short to say anything."""
    return now / before if before >= LEAST_BEFORE else None


async def _recorded_since(session: AsyncSession) -> datetime | None:
    found: datetime | None = await session.scalar(select(func.min(TicketRow.created_at)))
    return found


_STANDS = TicketRow.merged_into.is_(None)
_KIND = (TicketRow.category,)
_BUILDING = (TicketRow.estate, TicketRow.phase, TicketRow.lane, TicketRow.building)


def _kind(values: Values) -> str:
    return values[0] or ""


def _building(values: Values) -> Place:
    estate, phase, lane, building = values
    return Place(estate=estate, phase=phase, lane=lane, building=building)


def _pair(values: Values) -> tuple[str, Place]:
    return _kind(values), _building(values[1:])


async def _complaints(
    session: AsyncSession,
    request_type: RequestType | None,
    parts: Sequence[Part],
    columns: tuple[InstrumentedAttribute[str | None], ...],
) -> list[Complained]:
    """Counted by `columns` in each of the parts.

    The database is asked once for kinds and once for buildings: their pairs in every part would be almost as many rows
    as there are tickets.
    """
    wanted = {} if request_type is None else {"type": (TicketRow.request_type, request_type.value)}
    counted = await count_by_parts(session, TicketRow.created_at, parts, columns, _STANDS, **wanted)
    return [Complained(parts[row[0]][0], row[2:], row[1]) for row in counted]


def _sum(some: Iterable[Complained]) -> int:
    return sum(one.count for one in some)


def _counted(some: Iterable[Complained]) -> Counter[Values]:
    counted: Counter[Values] = Counter()
    for one in some:
        counted[one.values] += one.count
    return counted


def _trends(
    found: Sequence[Complained], key_of: Callable[[Values], K], start: datetime, *, exposure: float | None
) -> tuple[Trend[K], ...]:
    """What came from `start` on against what came before. Without an exposure nothing is compared: the counts alone."""
    counted = _counted(one for one in found if one.since >= start)
    earlier = _counted(one for one in found if one.since < start)
    keys = list(dict.fromkeys([*counted, *earlier]))
    changes = [rate_change(counted[key], earlier[key], exposure=exposure or 1.0) for key in keys]
    chances = adjusted([one.p for one in changes]) if exposure else [1.0] * len(keys)
    named = [Trend(key=key_of(key), change=change, q=q) for key, change, q in zip(keys, changes, chances, strict=True)]
    return _ranked(named)


def _ranked(trends: Iterable[Trend[K]]) -> tuple[Trend[K], ...]:
    return tuple(sorted(trends, key=lambda one: (-one.change.now, -one.change.before, str(one.key))))


def _blocks(
    kinds: Sequence[Complained], buildings: Sequence[Complained], start: datetime, end: datetime
) -> list[SevenDays]:
    of_kind, of_building = _by_part(kinds, _kind), _by_part(buildings, _building)
    return [
        SevenDays(start=since, end=until, by_kind=of_kind[since], by_building=of_building[since])
        for since, until in seven_days(start, end)
    ]


def _by_part(found: Iterable[Complained], key_of: Callable[[Values], K]) -> Mapping[datetime, Counter[K]]:
    keys: dict[Values, K] = {}
    parts: dict[datetime, Counter[K]] = defaultdict(Counter)
    for one in found:
        key = keys.get(one.values)
        if key is None:
            key = keys[one.values] = key_of(one.values)
        parts[one.since][key] += one.count
    return parts


async def _warnings(
    count: Callable[..., Awaitable[list[Complained]]], end: datetime, recorded: datetime | None
) -> tuple[Trend[tuple[str, Place]], ...]:
    """Kinds in a building that come more often in the last seven days than in the eight weeks before.

    All pairs that occurred count as looked at, so that the few that are named are not the luckiest of many.
    """
    week = end - WEEK
    baseline = max(week - WEEK * WARNING_BASELINE_WEEKS, recorded or week)
    exposure = _exposure(WEEK, week - baseline)
    if exposure is None:
        return ()
    found = await count([*seven_days(baseline, week), (week, end)], (*_KIND, *_BUILDING))
    now = _counted(one for one in found if one.since >= week)
    before = _counted(one for one in found if one.since < week)
    pairs = list(dict.fromkeys([*now, *before]))
    chances = adjusted([chance_of_more(now[pair], before[pair], exposure=exposure) for pair in pairs])
    return _ranked(
        Trend(key=_pair(pair), change=rate_change(now[pair], before[pair], exposure=exposure), q=q)
        for pair, q in zip(pairs, chances, strict=True)
        if q < FALSE_DISCOVERIES and now[pair] >= FEWEST_TO_WARN
    )
