"""What the staffing page shows: next week's calls and agents, how sure that is, and a recorded day played again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.db.engine import Database
from callcenter.domain.counted_calls import Counting
from callcenter.domain.figures import Figures
from callcenter.domain.forecast import WEEK, Error, backtest, foresee
from callcenter.domain.periods import Period, PeriodKind, period_of
from callcenter.domain.replay import Arrival
from callcenter.domain.staffing import Demand
from callcenter.domain.staffing_plan import PlannedDay, planned
from callcenter.reports.arrivals import Handling, half_hours, handling_of, read_day
from callcenter.reports.call_scope import Scope
from callcenter.reports.day_sums import read_tally


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffingRule:
    """What is wanted, and what the settings say where nothing is measured. `zone`: the hotline's."""

    zone: ZoneInfo
    served_share: float
    in_time_seconds: float
    patience_seconds: float | None
    after_call_seconds: float
    weeks: int
    is_working_day: Callable[[date], bool]

    @property
    def counting(self) -> Counting:
        return Counting(zone=self.zone, in_time_ms=round(self.in_time_seconds * 1000))

    def after_seconds(self, handling: Handling) -> float:
        """The work after a call: as it was measured, else as the settings say."""
        return self.after_call_seconds if handling.after_seconds is None else handling.after_seconds

    def demand(self, handling: Handling) -> Demand:
        """An agent is busy from the first ring to the end of the work after the call."""
        return Demand(
            calls_an_hour=0,
            handling_seconds=handling.pick_up_seconds + handling.talk_seconds + self.after_seconds(handling),
            patience_seconds=self.patience_seconds,
            pick_ups=handling.pick_ups,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedDay:
    """A day that was: its calls, and how they were answered in truth."""

    period: Period
    arrivals: tuple[Arrival, ...]
    figures: Figures


@dataclass(frozen=True, kw_only=True, slots=True)
class Staffing:
    """`counted_days`: whole days that the forecast could look at. `recorded` None where no call took any time."""

    handling: Handling | None
    counted_days: int
    foreseen: dict[date, list[float]]
    error: Error | None
    recorded: RecordedDay | None


async def read_staffing(database: Database, rule: StaffingRule, *, now: datetime, replayed: date | None) -> Staffing:
    """`replayed`: the day to play again; by default the last one that is over."""
    today = period_of(PeriodKind.DAY, now, rule.zone)
    past = Scope(start=today.start - timedelta(weeks=rule.weeks + 1), end=today.start)
    async with database.read() as session:
        tally = await read_tally(session, past, rule.counting, now=now)
        handling = handling_of(tally)
        recorded = None
        if handling is not None:
            noon = datetime.combine(replayed, now.min.time(), rule.zone) + timedelta(hours=12) if replayed else None
            day = period_of(PeriodKind.DAY, noon, rule.zone) if noon else today.before()
            scope = Scope(start=day.start, end=day.end)
            recorded = RecordedDay(
                period=day,
                arrivals=tuple(
                    await read_day(session, scope, handling, after_call_seconds=rule.after_seconds(handling))
                ),
                figures=(await read_tally(session, scope, rule.counting, now=now)).figures(),
            )
    history = half_hours(tally, until=today.start.date(), zone=rule.zone)
    wanted = [today.start.date() + timedelta(days=ahead) for ahead in range(WEEK)]
    return Staffing(
        handling=handling,
        counted_days=len(history),
        foreseen=foresee(history, wanted, is_working_day=rule.is_working_day, weeks=rule.weeks),
        error=backtest(history, is_working_day=rule.is_working_day, weeks=rule.weeks),
        recorded=recorded,
    )


def plan_of(found: Staffing, rule: StaffingRule) -> tuple[PlannedDay, ...]:
    """The agents of the days foreseen; takes a moment, so not on the event loop."""
    if found.handling is None:
        return ()
    return planned(
        found.foreseen, rule.demand(found.handling), share=rule.served_share, within_seconds=rule.in_time_seconds
    )
