"""Complaints counted and ranked: by kind, by building, by seven days, with what has changed beyond chance."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import func, select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.tickets import Place, RequestType
from callcenter.domain.trends import FALSE_DISCOVERIES, RateChange, adjusted, rate_change

WEEK = timedelta(days=7)
WARNING_BASELINE_WEEKS = 8
LEAST_BEFORE = timedelta(days=3)
"""A shorter time before is no time to compare with."""
FEWEST_TO_WARN = 3
"""Complaints in seven days, below which nobody is warned however rare the thing was before."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Complained:
    """One complaint, as far as it is counted."""

    at: datetime
    category: str
    place: Place

    @property
    def building(self) -> Place:
        """Without what is inside it; empty where none was said."""
        place = self.place
        return Place(estate=place.estate, phase=place.phase, lane=place.lane, building=place.building)


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
    """[start, end) and the complaints of it by kind."""

    start: datetime
    end: datetime
    by_kind: Mapping[str, int]

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
    found = await _complaints(database, since, end, request_type)
    begun = max(start - length, recorded or start)
    exposure = _exposure(length, start - begun)
    now = [one for one in found if one.at >= start]
    before = [one for one in found if begun <= one.at < start] if exposure else []
    buildings = _trends(now, before, lambda one: one.building, exposure=exposure)
    return ComplaintReport(
        start=start,
        before=begun if exposure else None,
        end=end,
        total=rate_change(len(now), len(before), exposure=exposure or 1.0),
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
    database: Database, since: datetime, until: datetime, request_type: RequestType | None
) -> list[Complained]:
    columns = (TicketRow.created_at, TicketRow.category, TicketRow.estate, TicketRow.phase, TicketRow.lane)
    query = select(*columns, TicketRow.building).where(
        TicketRow.created_at >= since, TicketRow.created_at < until, TicketRow.merged_into.is_(None)
    )
    if request_type is not None:
        query = query.where(TicketRow.request_type == request_type)
    async with database.read() as session:
        return [
            Complained(
                at=at,
                category=category or "",
                place=Place(estate=estate, phase=phase, lane=lane, building=building),
            )
            for at, category, estate, phase, lane, building in await session.execute(query)
        ]


def _trends(
    now: Sequence[Complained],
    before: Sequence[Complained],
    key_of: Callable[[Complained], K],
    *,
    exposure: float | None,
    more_only: bool = False,
) -> tuple[Trend[K], ...]:
    """Without an exposure nothing is compared: the counts alone."""
    counted, earlier = Counter(map(key_of, now)), Counter(map(key_of, before))
    keys = list(dict.fromkeys([*counted, *earlier]))
    changes = [rate_change(counted[key], earlier[key], exposure=exposure or 1.0) for key in keys]
    chances = adjusted([one.p_more if more_only else one.p for one in changes]) if exposure else [1.0] * len(keys)
    trends = [Trend(key=key, change=change, q=q) for key, change, q in zip(keys, changes, chances, strict=True)]
    return tuple(sorted(trends, key=lambda one: (-one.change.now, -one.change.before, str(one.key))))


def _blocks(now: Sequence[Complained], start: datetime, end: datetime) -> list[SevenDays]:
    """Counted back from the end, so that the last one is whole; the first may be shorter."""
    blocks: list[SevenDays] = []
    until = end
    while until > start:
        since = max(start, until - WEEK)
        counted = Counter(one.category for one in now if since <= one.at < until)
        blocks.append(SevenDays(start=since, end=until, by_kind=counted))
        until = since
    return blocks[::-1]


def _warnings(
    found: Sequence[Complained], end: datetime, recorded: datetime | None
) -> tuple[Trend[tuple[str, Place]], ...]:
    """Kinds in a building that come more often in the last seven days than in the eight weeks before.

    All pairs that occurred count as looked at, so that the few that are named are not the luckiest of many.
    """
    week = end - WEEK
    baseline = max(week - WEEK * WARNING_BASELINE_WEEKS, recorded or week)
    trends = _trends(
        [one for one in found if one.at >= week],
        [one for one in found if baseline <= one.at < week],
        lambda one: (one.category, one.building),
        exposure=_exposure(WEEK, week - baseline),
        more_only=True,
    )
    return tuple(one for one in trends if one.q < FALSE_DISCOVERIES and one.change.now >= FEWEST_TO_WARN)
