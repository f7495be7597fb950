"""The calls of a stretch of time, counted from their rows: what every figure is computed from."""

import asyncio
import functools
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, exists, extract, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.calls import Direction, LegOutcome
from callcenter.domain.counted_calls import CountedCall, CountedLeg, CountedPromise, Counting, OfTicket
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, Verdict
from callcenter.domain.tallies import Tallies, Tally
from callcenter.domain.tickets import PromiseKind
from callcenter.reports.call_scope import FIRST, REPEATS, Scope

AGAIN_WITHIN = timedelta(days=7)
"""A second contact about the same thing within this time: the first did not settle it."""


async def count_calls(
    session: AsyncSession, scope: Scope, counting: Counting, *, now: datetime | None = None
) -> Tallies:
    """`now`: None counts as if all waiting for a second contact were over."""
    calls = (await session.execute(_calls(scope))).all()
    legs = (await session.execute(_legs(scope))).all()
    promises = await count_promises(session, scope, now=now)
    return await asyncio.to_thread(_tallied, calls, legs, promises, counting, now)


def _tallied(calls: Any, legs: Any, promises: Any, counting: Counting, now: datetime | None) -> Tallies:
    tallies: Tallies = defaultdict(Tally)
    for row in calls:
        call = counted_call(row, row, now=now)
        tallies[call.number].count(call, counting)
    for row in legs:
        leg = counted_leg(row, number=row.to_number)
        tallies[leg.number].count_leg(leg)
    for promise in promises:
        tallies[promise.number].count_promise(promise)
    return tallies


async def count_promises(session: AsyncSession, scope: Scope, *, now: datetime | None) -> list[CountedPromise]:
    """Promised call-backs that were due in this time; one that is not due yet counts once it was made."""
    return [
        CountedPromise(
            number=row.to_number or "",
            estate=row.estate or "",
            agent=row.answered_by or "",
            is_kept=row.met_at is not None and row.met_at <= row.due_at,
        )
        for row in await session.execute(_promises(scope, now))
    ]


def counted_call(call: Any, link: Row[Any], *, now: datetime | None) -> CountedCall:
    """`call` has the columns of a call's row, `link` those that `link_columns` names."""
    return CountedCall(
        call_id=call.id,
        number=call.to_number or "",
        agent=call.answered_by or "",
        started_at=call.started_at,
        disposition=Disposition(call.disposition),
        verdict=Verdict(call.verdict) if call.verdict else None,
        rings=(call.rings_low, call.rings_high) if call.rings_low and call.rings_high else None,
        speed=_span(call.answer_speed_low_ms, call.answer_speed_high_ms),
        wait=_span(call.wait_low_ms, call.wait_high_ms),
        talk=_span(call.talk_low_ms, call.talk_high_ms),
        hold=_span(call.hold_low_ms, call.hold_high_ms),
        wrap_up=_span(call.wrap_up_low_ms, call.wrap_up_high_ms),
        transferred=call.transferred,
        is_young=now is not None and call.started_at > now - AGAIN_WITHIN,
        ticket=link_of(link),
    )


def link_of(link: Any) -> OfTicket | None:
    """From the columns that `link_columns` names; None where the call has no ticket."""
    if link is None or link.ticket_id is None:
        return None
    return OfTicket(
        estate=link.estate or "",
        is_matter=link.relation == FIRST and bool(link.has_work),
        came_again=bool(link.came_again),
        is_linked=link.relation == FIRST or link.relation in REPEATS,
        is_repeat=link.relation in REPEATS,
    )


def counted_leg(leg: Any, *, number: str | None) -> CountedLeg:
    return CountedLeg(
        number=number or "",
        agent=leg.agent or "",
        outcome=LegOutcome(leg.outcome),
        verdict=Verdict(leg.verdict) if leg.verdict else None,
        ring=_span(leg.ring_low_ms, leg.ring_high_ms),
    )


def _span(low: int | None, high: int | None) -> Span | None:
    return Span(low_ms=low, high_ms=high) if low is not None and high is not None else None


CALL_COLUMNS = (
    CallRow.id,
    CallRow.to_number,
    CallRow.started_at,
    CallRow.disposition,
    CallRow.answered_by,
    CallRow.verdict,
    CallRow.rings_low,
    CallRow.rings_high,
    CallRow.answer_speed_low_ms,
    CallRow.answer_speed_high_ms,
    CallRow.wait_low_ms,
    CallRow.wait_high_ms,
    CallRow.talk_low_ms,
    CallRow.talk_high_ms,
    CallRow.hold_low_ms,
    CallRow.hold_high_ms,
    CallRow.wrap_up_low_ms,
    CallRow.wrap_up_high_ms,
    CallRow.transferred,
)


@functools.cache
def link_columns() -> tuple[Any, ...]:
    """A call's place on its ticket; what had nothing to do, or was merged into another, is no matter.

    Built once: that takes longer than asking for one day's calls.
    """
    has_work = and_(TicketRow.no_action_reason.is_(None), TicketRow.merged_into.is_(None))
    came_again = and_(TicketCallRow.relation == FIRST, _came_again())
    return (
        TicketCallRow.ticket_id,
        TicketCallRow.relation,
        TicketRow.estate,
        has_work.label("has_work"),
        came_again.label("came_again"),
    )


def _calls(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(*CALL_COLUMNS, *link_columns())
        .select_from(CallRow)
        .outerjoin(TicketCallRow, TicketCallRow.call_id == CallRow.id)
        .outerjoin(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
        .where(scope.condition)
    )


def _came_again() -> Any:
    link, second = aliased(TicketCallRow), aliased(CallRow)
    apart = extract("epoch", second.started_at) - extract("epoch", CallRow.started_at)
    return exists(
        select(link.call_id)
        .join(second, second.id == link.call_id)
        .where(
            link.ticket_id == TicketCallRow.ticket_id,
            link.relation.in_(REPEATS),
            second.direction == Direction.INBOUND.value,
            apart <= AGAIN_WITHIN.total_seconds(),
        )
        .correlate(TicketCallRow, CallRow)
    )


def _legs(scope: Scope) -> Select[*tuple[Any, ...]]:
    columns = (
        CallLegRow.agent,
        CallLegRow.outcome,
        CallLegRow.verdict,
        CallLegRow.ring_low_ms,
        CallLegRow.ring_high_ms,
    )
    return select(CallRow.to_number, *columns).join(CallRow, CallRow.id == CallLegRow.call_id).where(scope.condition)


def _promises(scope: Scope, now: datetime | None) -> Select[*tuple[Any, ...]]:
    row = TicketDeadlineRow
    query = (
        select(CallRow.to_number, CallRow.answered_by, TicketRow.estate, row.due_at, row.met_at)
        .join(TicketRow, TicketRow.id == row.ticket_id)
        .join(CallRow, CallRow.id == TicketRow.first_call_id)
        .where(
            row.kind == DeadlineKind.PROMISE.value,
            row.basis == PromiseKind.CALL_BACK.value,
            row.cancelled_at.is_(None),
            row.due_at >= scope.start,
            row.due_at < scope.end,
        )
    )
    if scope.number is not None:
        query = query.where(CallRow.to_number == scope.number)
    return query if now is None else query.where((row.due_at <= now) | row.met_at.is_not(None))
