"""What staffing is worked out from: calls by half hour, how long they take, how soon they are picked up."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.domain.forecast import SLOTS
from callcenter.domain.replay import Arrival
from callcenter.domain.rings import Disposition
from callcenter.domain.tallies import QUARTER_SECONDS, Tally
from callcenter.reports.call_scope import Scope, middle_of

NEVER_ASKED_FOR_US = frozenset({Disposition.LEFT_BEFORE_RINGING})
HALF_HOUR_MINUTES = 30


def half_hours(tally: Tally, *, until: date, zone: ZoneInfo) -> dict[date, list[float]]:
    """Calls by half hour of each local day before `until`, from the first day with a call on."""
    days: dict[date, list[float]] = defaultdict(lambda: [0.0] * SLOTS)
    for disposition, _, quarters in tally.quarters():
        if disposition in NEVER_ASKED_FOR_US:
            continue
        for quarter, calls in quarters.items():
            local = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)
            days[local.date()][local.hour * 2 + local.minute // HALF_HOUR_MINUTES] += calls
    if not days:
        return {}
    day = min(days)
    while day < until:
        days[day]  # a day without a call is a day with zero calls
        day += timedelta(days=1)
    return {day: days[day] for day in sorted(days) if day < until}


@dataclass(frozen=True, kw_only=True, slots=True)
class Handling:
    """`talk_seconds` the mean of `talks`; `pick_ups` (seconds rounded up, how many) of the phones answered.

    `after_seconds`: the work after a call as it was measured, None where it was not.
    """

    talks: int
    talk_seconds: float
    after_seconds: float | None
    pick_ups: tuple[tuple[float, int], ...]

    @property
    def pick_up_seconds(self) -> float:
        count = sum(count for _, count in self.pick_ups)
        return sum(seconds * count for seconds, count in self.pick_ups) / count if count else 0.0


def handling_of(tally: Tally) -> Handling | None:
    """None where no call was answered and ended."""
    times = tally.figures().times
    if not times.talks:
        return None
    return Handling(
        talks=times.talks,
        talk_seconds=times.talk_ms / times.talks / 1000,
        after_seconds=times.wrap_ms / times.wraps / 1000 if times.wraps else None,
        pick_ups=tuple((float(seconds), count) for seconds, count in tally.pick_ups()),
    )


async def read_day(
    session: AsyncSession, scope: Scope, handling: Handling, *, after_call_seconds: float
) -> list[Arrival]:
    """The scope's calls as they came. One that nobody answered would have taken the mean time.

    Who gave up waited as long as the phones rang; of the others nobody knows how long they would have waited.
    """
    ring = middle_of(CallRow.ring_low_ms, CallRow.ring_high_ms)
    query = (
        select(
            CallRow.started_at,
            CallRow.disposition,
            middle_of(CallRow.talk_low_ms, CallRow.talk_high_ms).label("talk_ms"),
            ring.label("ring_ms"),
        )
        .where(scope.condition, CallRow.disposition.not_in([one.value for one in NEVER_ASKED_FOR_US]))
        .order_by(CallRow.started_at, CallRow.id)
    )
    given_up, pick_up_seconds = (Disposition.ABANDONED, Disposition.SHORT_ABANDONED), handling.pick_up_seconds
    return [
        Arrival(
            at=row.started_at.timestamp(),
            handling_seconds=pick_up_seconds
            + (row.talk_ms / 1000 if row.talk_ms is not None else handling.talk_seconds)
            + after_call_seconds,
            patience_seconds=(row.ring_ms or 0) / 1000 if row.disposition in given_up else None,
            pick_up_seconds=pick_up_seconds,
        )
        for row in await session.execute(query)
    ]
