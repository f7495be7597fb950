"""What the wall board shows: the day's share, what rings and waits now, what is overdue; no resident appears in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.calls import Direction
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.rings import Disposition, Share, Verdict
from callcenter.domain.ticket_life import FINISHED
from callcenter.reports.call_scope import Scope

MISSED_CALL = "missed_call"
_OWED = (ReminderState.WAITING, ReminderState.CLAIMED, ReminderState.DIALLING)


@dataclass(frozen=True, kw_only=True, slots=True)
class RingingCall:
    """A call that rings now: `heard_ms` is all the ringing that the caller has heard up to the board's moment."""

    call_id: str
    agents: tuple[str, ...]
    heard_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """The ticket whose limit passed longest ago."""

    due_at: datetime
    building: str | None
    category: str | None
    request_type: str | None
    owner: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WallBoard:
    """`waiting` are callers who hear neither ringing nor an agent; `calls_owed` call-backs after missed calls."""

    at: datetime
    share: Share
    ringing: tuple[RingingCall, ...]
    waiting: int
    waiting_since: datetime | None
    calls_owed: int
    overdue: Overdue | None
    overdue_tickets: int
    emergencies: int


async def read_wall(database: Database, *, now: datetime, day_began: datetime) -> WallBoard:
    async with database.read() as session:
        calls = await _open_calls(session)
        ringing = tuple(one for one in (_ringing(call, legs, now) for call, legs in calls) if one is not None)
        rings = {one.call_id for one in ringing}
        waiting = [
            call.started_at
            for call, legs in calls
            if call.id not in rings and call.disposition == Disposition.IN_PROGRESS.value
        ]
        overdue, overdue_tickets = await _overdue(session, now)
        return WallBoard(
            at=now,
            share=await _share(session, Scope(start=day_began, end=day_began + timedelta(days=2))),
            ringing=tuple(sorted(ringing, key=lambda one: -one.heard_ms)),
            waiting=len(waiting),
            waiting_since=min(waiting, default=None),
            calls_owed=await _calls_owed(session),
            overdue=overdue,
            overdue_tickets=overdue_tickets,
            emergencies=await _emergencies(session),
        )


async def _open_calls(session: AsyncSession) -> list[tuple[CallRow, Sequence[CallLegRow]]]:
    query = select(CallRow).where(CallRow.ended_at.is_(None), CallRow.direction == Direction.INBOUND.value)
    calls = (await session.scalars(query.order_by(CallRow.started_at))).all()
    found = select(CallLegRow).where(CallLegRow.call_id.in_([call.id for call in calls]))
    legs: dict[str, list[CallLegRow]] = {}
    for leg in (await session.scalars(found)).all() if calls else ():
        legs.setdefault(leg.call_id, []).append(leg)
    return [(call, legs.get(call.id, ())) for call in calls]


def _ringing(call: CallRow, legs: Sequence[CallLegRow], now: datetime) -> RingingCall | None:
    """None where no agent's phone rings on it."""
    if call.answered_at is not None or call.disposition != Disposition.IN_PROGRESS.value:
        return None
    open_legs = [leg for leg in legs if leg.ringing_at and not leg.answered_at and not leg.ended_at]
    if not open_legs:
        return None
    stretches = ((leg.ringing_at, leg.ended_at or now) for leg in legs if leg.ringing_at)
    agents = tuple(sorted({leg.agent for leg in open_legs if leg.agent}))
    return RingingCall(call_id=call.id, agents=agents, heard_ms=heard(stretches))


def heard(stretches: Iterable[tuple[datetime, datetime]]) -> int:
    """Milliseconds covered by at least one of the stretches."""
    total, reached = timedelta(), None
    for start, end in sorted(stretches):
        begin = start if reached is None or start > reached else reached
        if end > begin:
            total += end - begin
            reached = end
    return total // timedelta(milliseconds=1)


async def _share(session: AsyncSession, scope: Scope) -> Share:
    query = (
        select(CallRow.disposition, CallRow.verdict, func.count())
        .where(scope.condition)
        .group_by(CallRow.disposition, CallRow.verdict)
    )
    rows = (await session.execute(query)).all()
    return Share.of(
        (Disposition(disposition), Verdict(verdict) if verdict else None, count) for disposition, verdict, count in rows
    )


async def _calls_owed(session: AsyncSession) -> int:
    query = select(func.count()).where(
        ReminderRow.kind == MISSED_CALL, ReminderRow.state.in_([one.value for one in _OWED])
    )
    return (await session.execute(query)).scalar_one()


def _runs() -> ColumnElement[bool]:
    row = TicketDeadlineRow
    return and_(
        row.met_at.is_(None),
        row.cancelled_at.is_(None),
        row.paused_at.is_(None),
        TicketRow.status.not_in([one.value for one in FINISHED]),
    )


async def _overdue(session: AsyncSession, now: datetime) -> tuple[Overdue | None, int]:
    late = (_runs(), TicketDeadlineRow.due_at < now)
    columns = (
        TicketDeadlineRow.due_at,
        TicketRow.building,
        TicketRow.category,
        TicketRow.request_type,
        TicketRow.owner,
    )
    joined = TicketRow.id == TicketDeadlineRow.ticket_id
    oldest = select(*columns).join(TicketRow, joined).where(*late).order_by(TicketDeadlineRow.due_at).limit(1)
    row = (await session.execute(oldest)).one_or_none()
    if row is None:
        return None, 0
    counted = select(func.count(TicketRow.id.distinct())).join(TicketDeadlineRow, joined).where(*late)
    overdue = Overdue(due_at=row[0], building=row[1], category=row[2], request_type=row[3], owner=row[4])
    return overdue, (await session.execute(counted)).scalar_one()


async def _emergencies(session: AsyncSession) -> int:
    """Nobody is on the spot yet."""
    query = (
        select(func.count(TicketRow.id.distinct()))
        .join(TicketDeadlineRow, TicketDeadlineRow.ticket_id == TicketRow.id)
        .where(_runs(), TicketDeadlineRow.kind == DeadlineKind.ON_SITE.value)
    )
    return (await session.execute(query)).scalar_one()
