"""An agent clicks "call now": the resident of a ticket is phoned at once, unless the resident does not want it.

Either the resident hears how things stand, or the agent's own phone rings first and the two talk.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, Priority, ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.dialling import Reason
from callcenter.domain.reminder_kinds import kinds_served_by_another_call
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.reminders import NewReminder, pending_reminders, plan_reminder
from callcenter.services.resident_wishes import wishes_of
from callcenter.services.ticket_history import write_history
from callcenter.services.tickets import NoSuchTicket
from callcenter.services.transactions import take_turns

KIND = "progress"
AGENT_CALL = "agent_call"
"""The agent who ordered it speaks; the reminder's `matter` names them."""


class CallRefused(Exception):
    """The resident cannot be phoned now; `reason` says why, `reason_text` says it in words."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedCall:
    """The reminder that the next tick dials; `already` when it had been ordered, or is being dialled, before."""

    reminder_id: int
    already: bool


async def call_now(
    database: Database, number: str, *, actor: str, now: datetime, rules: FollowUpRules, agent: str | None = None
) -> OrderedCall:
    """`number` is the ticket's. A call-back that waits is brought forward, else a new call is planned.

    `agent` of the settings: their phone rings first, and they speak with the resident.

    Raises NoSuchTicket, CallRefused.
    """
    async with database.write() as session:
        ticket = await session.scalar(
            select(TicketRow).where(TicketRow.number == number).with_for_update(key_share=True)
        )
        if ticket is None:
            raise NoSuchTicket(number)
        await take_turns(session, f"call now:{ticket.id}")
        to_number = await _may_be_called(session, ticket, now=now, rules=rules)
        under_way = await _under_way(session, ticket, to_number)
        if under_way is not None:
            return OrderedCall(reminder_id=under_way, already=True)
        reminder_id = None if agent else await _bring_forward(session, ticket, actor=actor, now=now)
        if reminder_id is None:
            reminder_id = await _plan(session, ticket, to_number, actor=actor, now=now, agent=agent)
        data = {"kind": AGENT_CALL if agent else KIND, "due_at": now.isoformat(), "ordered_by": actor}
        write_history(session, ticket.id, HistoryAction.REMINDER_PLANNED, at=now, actor=actor, data=data)
        return OrderedCall(reminder_id=reminder_id, already=False)


async def _may_be_called(session: AsyncSession, ticket: TicketRow, *, now: datetime, rules: FollowUpRules) -> str:
    if TicketStatus(ticket.status) in FINISHED:
        raise CallRefused(Reason.TICKET_FINISHED)
    to_number = number_to_call(ticket)
    if to_number is None:
        raise CallRefused(Reason.NOT_DIALABLE)
    if await session.get(DoNotCallRow, to_number) is not None:
        raise CallRefused(Reason.DO_NOT_CALL)
    if rules.dialling.part_of_day(now) in (await wishes_of(session, to_number)).avoided:
        raise CallRefused(Reason.UNWANTED_TIME)
    return to_number


async def _under_way(session: AsyncSession, ticket: TicketRow, to_number: str) -> int | None:
    """A call to this resident that is being made, or was ordered a moment ago."""
    dialling = (ReminderState.CLAIMED.value, ReminderState.DIALLING.value)
    query = select(ReminderRow.id).where(ReminderRow.to_number == to_number, ReminderRow.state.in_(dialling))
    ordered = select(ReminderRow.id).where(
        ReminderRow.ticket_id == ticket.id,
        ReminderRow.state == ReminderState.WAITING.value,
        ReminderRow.ordered_by.is_not(None),
    )
    return await session.scalar(query.limit(1)) or await session.scalar(ordered.limit(1))


async def _bring_forward(session: AsyncSession, ticket: TicketRow, *, actor: str, now: datetime) -> int | None:
    waiting = await pending_reminders(
        session, ReminderRow.ticket_id == ticket.id, ReminderRow.kind.in_(kinds_served_by_another_call())
    )
    first = min(waiting, key=lambda one: one.due_at, default=None)
    if first is None:
        return None
    first.due_at, first.ordered_by, first.priority = now, actor, Priority.TIMED
    return first.id


async def _plan(
    session: AsyncSession, ticket: TicketRow, to_number: str, *, actor: str, now: datetime, agent: str | None
) -> int:
    kind, topic = AGENT_CALL if agent else KIND, f"ticket:{ticket.id}:ordered:{now.isoformat()}"
    new = NewReminder(
        kind=kind,
        topic=topic,
        to_number=to_number,
        due_at=now,
        ordered_by=actor,
        ticket_id=ticket.id,
        matter={"agent": agent} if agent else None,
    )
    await plan_reminder(session, new, now=now)
    query = select(ReminderRow.id).where(ReminderRow.topic == topic, ReminderRow.kind == kind)
    return (await session.execute(query)).scalar_one()
