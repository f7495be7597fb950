"""One of several problems of a call becomes a ticket of its own, linked with the ticket of the call both ways.

The new ticket is about the same home, person and number. It has no calls of its own yet: the page shows the call on
which the problem was told. Merging it back undoes it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.heard_fields import PLACE_COLUMNS, read_problem
from callcenter.domain.ticket_life import HistoryAction, TicketStatus
from callcenter.domain.tickets import Problem
from callcenter.services.correct_field import still_to_review
from callcenter.services.deadlines import add_deadlines, ticket_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.promised_calls import plan_first_reply
from callcenter.services.ticket_fields import CONFIRMED, fields_of
from callcenter.services.ticket_history import write_history
from callcenter.services.ticket_numbers import next_ticket_number
from callcenter.services.tickets import Change, NoSuchTicket, check_version
from callcenter.services.transactions import take_turns

SHARED = (*PLACE_COLUMNS, "contact", "phone", "caller_number", "wanted_from", "wanted_to", "owner")
SHARED_FIELDS = ("place", "contact", "phone", "wanted")


class ProblemRefused(Exception):
    """The problem cannot become a ticket of its own; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """A problem and the field that it stands in."""

    problem: Problem
    row: TicketFieldRow


async def make_ticket_of_problem(database: Database, change: Change, *, field: str, rules: FollowUpRules) -> str:
    """The number of the new ticket. Raises ProblemRefused, StaleTicket, NoSuchTicket."""
    async with database.write() as session:
        await take_turns(session, "open ticket")
        ticket = await session.scalar(
            select(TicketRow).where(TicketRow.number == change.number).with_for_update(key_share=True)
        )
        if ticket is None:
            raise NoSuchTicket(change.number)
        await check_version(session, ticket, change)
        rows = await fields_of(session, ticket.id)
        told = await _told(session, ticket, rows, field)
        made = await _new_ticket(session, ticket, told, rows, change, rules)
        for one, data in ((ticket, {"into": made.number, "field": field}), (made, {"from": ticket.number})):
            write_history(session, one.id, HistoryAction.MADE_OF_PROBLEM, at=change.now, actor=change.actor, data=data)
        ticket.version += 1
        ticket.updated_at = change.now
        audited = {"action": HistoryAction.MADE_OF_PROBLEM.value, "into": made.number}
        row = AuditRow(at=change.now, login=change.actor, action="ticket_changed", subject=ticket.number, data=audited)
        session.add(row)
        return made.number


async def _told(session: AsyncSession, ticket: TicketRow, rows: dict[str, TicketFieldRow], field: str) -> _Told:
    row = rows.get(field) if field.startswith("problem.") else None
    problem = read_problem(row.value or "") if row is not None else None
    if row is None or problem is None:
        raise ProblemRefused(f"{field}: no such problem was heard")
    if problem.category == ticket.category:
        raise ProblemRefused("this is what the ticket itself is about")
    made = select(TicketRow.number).where(TicketRow.part_of == ticket.id, TicketRow.part_field == field)
    if (number := await session.scalar(made)) is not None:
        raise ProblemRefused(f"{number} was made of it already")
    if ticket.merged_into is not None:
        raise ProblemRefused("the ticket is merged with another one, which goes on")
    return _Told(problem=problem, row=row)


async def _new_ticket(
    session: AsyncSession,
    ticket: TicketRow,
    told: _Told,
    rows: dict[str, TicketFieldRow],
    change: Change,
    rules: FollowUpRules,
) -> TicketRow:
    call = await session.get_one(CallRow, ticket.first_call_id)
    problem = told.problem
    request_type = problem.request_type.value if problem.request_type else None
    values = {"category": problem.category, "urgency": problem.urgency.value, "summary": problem.text}
    made = TicketRow(
        number=await next_ticket_number(session, rules.calendar.local(change.now).date()),
        first_call_id=ticket.first_call_id,
        part_of=ticket.id,
        part_field=told.row.field,
        status=TicketStatus.OPEN.value,
        request_type=request_type or ticket.request_type,
        created_at=change.now,
        updated_at=change.now,
        **{name: getattr(ticket, name) for name in SHARED},
        **values,
    )
    session.add(made)
    await session.flush()
    heard = values | ({"request_type": request_type} if request_type else {})
    own = {name: _field(made.id, name, told.row, value=value, change=change) for name, value in heard.items()}
    own |= {name: _copied(made.id, rows[name]) for name in SHARED_FIELDS if name in rows}
    session.add_all(own.values())
    made.needs_review = still_to_review(made, own)
    await session.flush()
    add_deadlines(session, made.id, ticket_deadlines(made, call.started_at, rules=rules))
    await session.flush()
    await plan_first_reply(session, made, now=change.now, rules=rules)
    return made


def _field(ticket_id: int, name: str, told: TicketFieldRow, *, value: str, change: Change) -> TicketFieldRow:
    """A person has read the problem and made it a ticket: what it says is confirmed."""
    return TicketFieldRow(
        ticket_id=ticket_id,
        field=name,
        state=CONFIRMED,
        heard=value,
        value=value,
        confidence=told.confidence,
        evidence=told.evidence,
        corrected_by=change.actor,
        corrected_at=change.now,
    )


def _copied(ticket_id: int, row: TicketFieldRow) -> TicketFieldRow:
    names = (column.name for column in TicketFieldRow.__table__.columns if column.name != "ticket_id")
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    return TicketFieldRow(ticket_id=ticket_id, **values)
