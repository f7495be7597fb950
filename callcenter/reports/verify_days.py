"""Holds what was counted of each day against the stored events, folded anew: the figures follow from the events.

Read only. Takes the events of every call of a day into memory, one day after the other.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.day_sums import DaySumRow, MonthSumRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_of
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import CallState, Direction, EventKind
from callcenter.domain.counted_calls import CountedCall, CountedLeg, Counting
from callcenter.domain.folding import fold
from callcenter.domain.periods import Period, PeriodKind, period_of_date
from callcenter.domain.rings import RingRule
from callcenter.domain.tallies import Tallies, Tally
from callcenter.reports.call_scope import Scope
from callcenter.reports.counted import count_promises, link_columns, link_of
from callcenter.reports.day_sums import days_of_month, marked_days, month_holds, packed, together

CALLS_A_STATEMENT = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDay:
    """A kept day. `calls`: inbound calls that its events tell of; `holds` None: it waits to be counted anew."""

    day: date
    calls: int
    holds: bool | None


async def verify_days(database: Database, counting: Counting, rule: RingRule) -> AsyncIterator[CheckedDay]:
    async with database.read() as session:
        days = (await session.scalars(select(DaySumRow.day).order_by(DaySumRow.day))).all()
    for day in days:
        async with database.read() as session:
            yield await _checked(session, day, counting, rule)


async def wrong_months(database: Database, counting: Counting) -> list[date]:
    """Months that are taken for the sum of their days and are not."""
    wrong = []
    async with database.read() as session:
        months = await session.execute(
            select(MonthSumRow.month, MonthSumRow.until, MonthSumRow.tallies).where(month_holds(counting))
        )
        for month, until, kept in months.all():
            days = await session.scalars(select(DaySumRow.tallies).where(days_of_month(month, until, counting)))
            if kept != together(days.all()):
                wrong.append(month)
    return wrong


async def _checked(session: AsyncSession, day: date, counting: Counting, rule: RingRule) -> CheckedDay:
    period = period_of_date(PeriodKind.DAY, day, counting.zone)
    tallies, calls = await _from_events(session, period, counting, rule)
    if await marked_days(session, period.start, period.end, counting, most=1):
        return CheckedDay(day=day, calls=calls, holds=None)
    kept = await session.scalar(
        select(DaySumRow.tallies).where(DaySumRow.day == day, DaySumRow.counting == counting.version)
    )
    return CheckedDay(day=day, calls=calls, holds=None if kept is None else kept == packed(tallies))


async def _from_events(
    session: AsyncSession, period: Period, counting: Counting, rule: RingRule
) -> tuple[Tallies, int]:
    tallies: Tallies = defaultdict(Tally)
    ids = sorted(await session.scalars(_begun_in(period)))
    calls = 0
    for begin in range(0, len(ids), CALLS_A_STATEMENT):
        some = ids[begin : begin + CALLS_A_STATEMENT]
        links = {row.id: row for row in await session.execute(_links(some))}
        for state in await _states(session, some, rule):
            started = state.started.earliest.astimezone(UTC)
            if state.direction is Direction.INBOUND and period.start <= started < period.end:
                _count(tallies[state.to_number or ""], state, links.get(state.call_id), counting)
                calls += 1
    for promise in await count_promises(session, Scope(start=period.start, end=period.end), now=None):
        tallies[promise.number].count_promise(promise)
    return tallies, calls


def _begun_in(period: Period) -> Select[str]:
    """The calls that begin in this time by their row or by their events."""
    row = CallEventRow
    told = select(row.call_id).where(
        row.kind == EventKind.CALL_STARTED.value, row.earliest >= period.start, row.earliest < period.end
    )
    kept = select(CallRow.id).where(CallRow.started_at >= period.start, CallRow.started_at < period.end)
    return select(row.call_id).where(or_(row.call_id.in_(told), row.call_id.in_(kept))).distinct()


def _links(call_ids: Sequence[str]) -> Select[*tuple[object, ...]]:
    return (
        select(CallRow.id, *link_columns())
        .select_from(CallRow)
        .join(TicketCallRow, TicketCallRow.call_id == CallRow.id)
        .join(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
        .where(CallRow.id.in_(call_ids))
    )


async def _states(session: AsyncSession, call_ids: Sequence[str], rule: RingRule) -> list[CallState]:
    """From the events that were folded; what came in a moment ago is no part of any figure yet."""
    found = select(CallEventRow).where(CallEventRow.call_id.in_(call_ids), CallEventRow.folded.is_(True))
    by_call = defaultdict(list)
    for row in await session.scalars(found):
        by_call[row.call_id].append(event_of(row))
    session.expunge_all()
    return [fold(events, rule) for events in by_call.values()]


def _count(tally: Tally, state: CallState, link: Row[*tuple[object, ...]] | None, counting: Counting) -> None:
    of_ticket = link_of(link)
    tally.count(
        CountedCall(
            call_id=state.call_id,
            number=state.to_number or "",
            agent=state.answered_by or "",
            started_at=state.started.earliest,
            disposition=state.disposition,
            verdict=state.verdict,
            rings=state.rings,
            speed=state.answer_speed,
            wait=state.wait,
            talk=state.talk,
            hold=state.hold,
            wrap_up=state.wrap_up,
            transferred=state.transferred,
            is_young=False,
            ticket=of_ticket,
        ),
        counting,
    )
    for leg in state.legs:
        tally.count_leg(
            CountedLeg(
                number=state.to_number or "",
                agent=leg.agent or "",
                outcome=leg.outcome,
                verdict=leg.verdict,
                ring=leg.ring,
            )
        )
