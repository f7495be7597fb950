"""First-contact resolution, repeat calls, call-backs kept, once more in plain SQL over the tickets."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, exists, extract, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from callcenter.db.calls import CallRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.calls import Direction
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.figures import Contacts
from callcenter.domain.tickets import PromiseKind
from callcenter.reports.call_scope import FIRST, REPEATS, Scope

AGAIN_WITHIN = timedelta(days=7)
"""A second contact about the same thing within this time: the first did not settle it."""


async def read_contacts(session: AsyncSession, scope: Scope, *, now: datetime) -> Contacts:
    matters = (await session.execute(_matters(scope, now))).one()
    linked = (await session.execute(_linked(scope))).one()
    promised = (await session.execute(_call_backs(scope, now))).one()
    return Contacts(
        matters=matters.matters,
        again=int(matters.again or 0),
        open_matters=int(matters.still_open or 0),
        linked=linked.linked,
        repeats=int(linked.repeats or 0),
        promised=promised.promised,
        kept=int(promised.kept or 0),
    )


def _matters(scope: Scope, now: datetime) -> Select[*tuple[Any, ...]]:
    """Tickets that a call of this scope opened; what had nothing to do, or was merged into another, is no matter."""
    came_again = _came_again()
    inner = (
        select(came_again.label("again"), (CallRow.started_at > now - AGAIN_WITHIN).label("young"))
        .select_from(TicketRow)
        .join(TicketCallRow, and_(TicketCallRow.ticket_id == TicketRow.id, TicketCallRow.relation == FIRST))
        .join(CallRow, CallRow.id == TicketCallRow.call_id)
        .where(scope.condition, TicketRow.no_action_reason.is_(None), TicketRow.merged_into.is_(None))
        .subquery()
    )
    return select(
        func.count().label("matters"),
        func.sum(case((inner.c.again, 1), else_=0)).label("again"),
        func.sum(case((and_(~inner.c.again, inner.c.young), 1), else_=0)).label("still_open"),
    ).select_from(inner)


def _came_again() -> Any:
    link, second = aliased(TicketCallRow), aliased(CallRow)
    apart = extract("epoch", second.started_at) - extract("epoch", CallRow.started_at)
    return exists(
        select(link.call_id)
        .join(second, second.id == link.call_id)
        .where(
            link.ticket_id == TicketRow.id,
            link.relation.in_(REPEATS),
            second.direction == Direction.INBOUND.value,
            apart <= AGAIN_WITHIN.total_seconds(),
        )
        .correlate(TicketRow, CallRow)
    )


def _linked(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            func.count().label("linked"),
            func.sum(case((TicketCallRow.relation.in_(REPEATS), 1), else_=0)).label("repeats"),
        )
        .select_from(TicketCallRow)
        .join(CallRow, CallRow.id == TicketCallRow.call_id)
        .where(scope.condition, TicketCallRow.relation.in_((FIRST, *REPEATS)))
    )


def _call_backs(scope: Scope, now: datetime) -> Select[*tuple[Any, ...]]:
    """Promised call-backs that were due in this time; one that is not due yet counts once it was made."""
    row = TicketDeadlineRow
    kept = case((row.met_at <= row.due_at, 1), else_=0)
    return select(func.count().label("promised"), func.sum(kept).label("kept")).where(
        row.kind == DeadlineKind.PROMISE.value,
        row.basis == PromiseKind.CALL_BACK.value,
        row.cancelled_at.is_(None),
        row.due_at >= scope.start,
        row.due_at < scope.end,
        (row.due_at <= now) | row.met_at.is_not(None),
    )
