"""The deadlines of a ticket as rows: set when it opens, mended when a person corrects it, met when it is done.

They stand still while the ticket waits for the resident. Whatever moves a limit makes the escalation look again.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.counted_time import Counted, without_pause
from callcenter.domain.deadlines import (
    FROM_THE_TICKET,
    PAUSED_WHILE_WAITING,
    Deadline,
    DeadlineKind,
    deadlines_of_ticket,
)
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services.evidence import evidence_rows
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_fields import UNSURE, fields_of

_OPEN = (
    select(TicketDeadlineRow)
    .where(
        TicketDeadlineRow.ticket_id == bindparam("ticket"),
        TicketDeadlineRow.kind.in_(bindparam("kinds", expanding=True)),
        TicketDeadlineRow.met_at.is_(None),
        TicketDeadlineRow.cancelled_at.is_(None),
    )
    .order_by(TicketDeadlineRow.due_at, TicketDeadlineRow.id)
)


def add_deadlines(
    session: AsyncSession,
    ticket_id: int,
    deadlines: Iterable[Deadline],
    *,
    call_id: str | None = None,
    paused_at: datetime | None = None,
) -> None:
    """`paused_at` is given where the ticket waits for the resident already: the work's clocks begin standing still."""
    for deadline in deadlines:
        row = TicketDeadlineRow(
            counts_from=deadline.counts_from,
            counted=deadline.counted.value,
            paused_at=paused_at if deadline.kind in PAUSED_WHILE_WAITING else None,
            pauses=[],
            ticket_id=ticket_id,
            kind=deadline.kind.value,
            text=deadline.text,
            basis=deadline.basis,
            due_at=deadline.due_at,
            evidence=evidence_rows(deadline.evidence, call_id),
        )
        session.add(row)


async def open_deadlines(
    session: AsyncSession, ticket_id: int, kinds: Collection[DeadlineKind] = tuple(DeadlineKind)
) -> list[TicketDeadlineRow]:
    """Those of a ticket that are neither met nor cancelled, the earliest first."""
    values = {"ticket": ticket_id, "kinds": [kind.value for kind in kinds]}
    return list((await session.scalars(_OPEN, values)).all())


async def meet_deadlines(
    session: AsyncSession,
    ticket_id: int,
    kinds: Collection[DeadlineKind],
    *,
    at: datetime,
    due_until: datetime | None = None,
    due_at: Collection[datetime] = (),
    bases: Collection[str] | None = None,
) -> None:
    """Ends the open deadlines of these kinds; with `due_until` and `bases` only those due by then, on these grounds.

    `due_at`: also those due at exactly these moments.
    """
    open_ones = update(TicketDeadlineRow).where(
        TicketDeadlineRow.ticket_id == ticket_id,
        TicketDeadlineRow.kind.in_([kind.value for kind in kinds]),
        TicketDeadlineRow.met_at.is_(None),
        TicketDeadlineRow.cancelled_at.is_(None),
    )
    if due_until is not None:
        open_ones = open_ones.where(or_(TicketDeadlineRow.due_at <= due_until, TicketDeadlineRow.due_at.in_(due_at)))
    if bases is not None:
        open_ones = open_ones.where(TicketDeadlineRow.basis.in_(bases))
    await session.execute(open_ones.values(met_at=at))


def waiting_since(ticket: TicketRow, now: datetime) -> datetime | None:
    """For `add_deadlines`: now, where the ticket waits for the resident."""
    return now if ticket.status == TicketStatus.WAITING else None


async def pause_deadlines(session: AsyncSession, ticket_id: int, *, at: datetime) -> None:
    """The resident must do something first: the work's clocks stand still."""
    for row in await open_deadlines(session, ticket_id, PAUSED_WHILE_WAITING):
        row.paused_at = row.paused_at or at


async def resume_deadlines(session: AsyncSession, ticket: TicketRow, *, at: datetime, rules: FollowUpRules) -> None:
    """The waiting is over: what was left of each limit is left again."""
    for row in await open_deadlines(session, ticket.id, PAUSED_WHILE_WAITING):
        if row.paused_at is None:
            continue
        row.pauses = [*row.pauses, [row.paused_at.isoformat(), at.isoformat()]]
        _move(row, _after_pause(row, row.due_at, row.paused_at, at, rules.calendar_of(ticket.estate)))
        row.paused_at, row.escalate_at = None, None


def _after_pause(
    row: TicketDeadlineRow, due: datetime, paused_at: datetime, resumed_at: datetime, calendar: WorkCalendar
) -> datetime:
    counted = Counted(row.counted)
    return without_pause(due, paused_at=paused_at, resumed_at=resumed_at, counted=counted, calendar=calendar)


def _move(row: TicketDeadlineRow, due: datetime) -> None:
    if row.due_at != due:
        row.due_at, row.escalate_at = due, None


async def look_again(session: AsyncSession, ticket_id: int) -> None:
    """What the ticket is about has changed: the escalation looks at its open deadlines anew."""
    for row in await open_deadlines(session, ticket_id):
        row.escalate_at = None


async def refresh_deadlines(session: AsyncSession, ticket: TicketRow, *, now: datetime, rules: FollowUpRules) -> None:
    """After a correction: what follows from type, urgency and category is set anew; promises and what is met stay.

    A limit keeps the moment from which it counts and the pauses that it had. The same-day limit does not come back
    once the ticket was passed on.
    """
    reported_at = await session.scalar(select(CallRow.started_at).where(CallRow.id == ticket.first_call_id))
    unsure = await _may_be_emergency(session, ticket.id)
    kinds = [kind.value for kind in (*FROM_THE_TICKET, DeadlineKind.PASSED_ON)]
    query = select(TicketDeadlineRow).where(TicketDeadlineRow.ticket_id == ticket.id, TicketDeadlineRow.kind.in_(kinds))
    rows = {DeadlineKind(row.kind): row for row in (await session.scalars(query.order_by(TicketDeadlineRow.id))).all()}
    passed_on = rows.pop(DeadlineKind.PASSED_ON, None)

    def wanted_from(at: datetime) -> dict[DeadlineKind, Deadline]:
        wanted = {one.kind: one for one in ticket_deadlines(ticket, at, rules=rules, unsure_emergency=unsure)}
        if passed_on is not None and passed_on.cancelled_at is None:
            wanted.pop(DeadlineKind.SETTLED, None)
        return wanted

    began = reported_at or ticket.created_at
    missing = [one for kind, one in wanted_from(began).items() if kind not in rows]
    add_deadlines(session, ticket.id, missing, paused_at=waiting_since(ticket, now))
    for kind, row in rows.items():
        if row.met_at is None:
            _renew(row, wanted_from(row.counts_from or began).get(kind), now, rules.calendar_of(ticket.estate))
    await look_again(session, ticket.id)


def ticket_deadlines(
    ticket: TicketRow, reported_at: datetime, *, rules: FollowUpRules, unsure_emergency: bool = False
) -> tuple[Deadline, ...]:
    """The limits that follow from what stands on the ticket, counted from `reported_at`."""
    return deadlines_of_ticket(
        reported_at=reported_at,
        request_type=RequestType(ticket.request_type) if ticket.request_type else None,
        urgency=Urgency(ticket.urgency) if ticket.urgency else None,
        category=ticket.category,
        unsure_emergency=unsure_emergency,
        rules=rules.deadlines,
        calendar=rules.calendar_of(ticket.estate),
    )


def _renew(row: TicketDeadlineRow, wanted: Deadline | None, now: datetime, calendar: WorkCalendar) -> None:
    if wanted is None:
        row.cancelled_at = row.cancelled_at or now
        return
    row.cancelled_at, row.basis, row.counted = None, wanted.basis, wanted.counted.value
    due = wanted.due_at
    for begin, end in row.pauses:
        due = _after_pause(row, due, datetime.fromisoformat(begin), datetime.fromisoformat(end), calendar)
    _move(row, due)


async def _may_be_emergency(session: AsyncSession, ticket_id: int) -> bool:
    """An emergency was heard, not well enough to write it down, and no person has said yet that it is none."""
    fields = await fields_of(session, ticket_id)
    heard = (fields.get(name) for name in ("urgency", "request_type"))
    return any(row is not None and row.state == UNSURE and row.heard == Urgency.EMERGENCY.value for row in heard)
