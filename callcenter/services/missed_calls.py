"""A resident whom nobody answered is called back, once, unless they got through meanwhile."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.dialling import Reason
from callcenter.domain.phone_numbers import dialable, ways_to_write
from callcenter.domain.reminder_kinds.queue_call_back import KIND as QUEUE_CALL_BACK
from callcenter.domain.rings import MISSED, Disposition
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.queue_call_backs import keeps_place
from callcenter.services.reminders import NewReminder, cancel, pending_reminders, plan_reminder
from callcenter.services.transactions import take_turns

KIND = "missed_call"
ENDED_BY_TALKING = (KIND, QUEUE_CALL_BACK.name)
"""Nothing of these is owed to who got through to an agent."""
OPEN = (ReminderState.WAITING.value, ReminderState.CLAIMED.value, ReminderState.DIALLING.value)


async def plan_missed_call(session: AsyncSession, call: CallRow, now: datetime, *, rules: FollowUpRules) -> None:
    """Run whenever an inbound call is written; running it again changes nothing.

    Missed (voice mail, rang out, refused, abandoned after a full ring): plans the call-back, unless one to this
    number is waiting or the resident has been spoken to since. Answered: cancels what waits for this number.
    """
    number = dialable(call.from_number)
    if call.direction != Direction.INBOUND or number is None:
        return
    disposition = Disposition(call.disposition)
    if disposition is Disposition.ANSWERED:
        await cancel_missed_calls(session, call, number, now=now)
    elif disposition in MISSED and call.ended_at is not None:
        await take_turns(session, "missed calls")
        if keeps_place(call) or await _spoken_to_since(session, number, call) or await _is_planned(session, number):
            return
        new = NewReminder(
            kind=KIND,
            topic=f"call:{call.id}",
            to_number=number,
            due_at=rules.dialling.decent_from(call.ended_at + rules.missed_call),
            call_id=call.id,
        )
        await plan_reminder(session, new, now=now)


async def cancel_missed_calls(session: AsyncSession, call: CallRow, number: str, *, now: datetime) -> None:
    """The resident got through: what was missed before this call began needs no call-back any more."""
    missed = select(CallRow.id).where(
        CallRow.from_number.in_(ways_to_write(number)), CallRow.started_at <= call.started_at
    )
    waiting = await pending_reminders(session, ReminderRow.kind.in_(ENDED_BY_TALKING), ReminderRow.call_id.in_(missed))
    await cancel(session, waiting, Reason.RESIDENT_CALLED_IN, now=now)


async def link_missed_call(session: AsyncSession, call: CallRow, ticket: TicketRow) -> None:
    """A voice mail has become a ticket: its call-back speaks of the ticket and goes to the number that was spoken."""
    number = dialable(call.from_number)
    same = ReminderRow.call_id == call.id
    if number is not None:
        same = or_(same, and_(ReminderRow.to_number == number, ReminderRow.ticket_id.is_(None)))
    for reminder in await pending_reminders(session, ReminderRow.kind == KIND, same):
        reminder.ticket_id = ticket.id
        reminder.to_number = number_to_call(ticket) or reminder.to_number


async def _is_planned(session: AsyncSession, number: str) -> bool:
    """Also where the call-back goes to another number that the resident spoke."""
    from_here = select(CallRow.id).where(CallRow.from_number.in_(ways_to_write(number)))
    query = select(ReminderRow.id).where(
        ReminderRow.kind == KIND,
        ReminderRow.state.in_(OPEN),
        or_(ReminderRow.to_number == number, ReminderRow.call_id.in_(from_here)),
    )
    return await session.scalar(query.limit(1)) is not None


async def _spoken_to_since(session: AsyncSession, number: str, call: CallRow) -> bool:
    """The number was answered by us, or reached by us, after this call began."""
    ways = ways_to_write(number)
    answered = and_(CallRow.from_number.in_(ways), CallRow.disposition == Disposition.ANSWERED.value)
    reached = and_(CallRow.to_number.in_(ways), CallRow.outbound_outcome == OutboundOutcome.REACHED.value)
    query = select(CallRow.id).where(CallRow.started_at > call.started_at, or_(answered, reached))
    return await session.scalar(query.limit(1)) is not None
