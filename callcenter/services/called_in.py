"""A resident who calls in and is answered needs no call of ours about the same thing any more."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import KEPT_BY_PHONE, DeadlineKind
from callcenter.domain.dialling import Reason
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.rings import Disposition
from callcenter.services.deadlines import meet_deadlines
from callcenter.services.promised_calls import AHEAD
from callcenter.services.reminders import cancel, pending_reminders

CALL_BACKS = ("call_back_promised", "missed_call", "progress")
"""What an agent said on the phone replaces these; the first reply to a complaint remains ours to give."""

ABOUT_FEES = "fees"


async def cancel_what_was_settled(session: AsyncSession, call: CallRow, ticket: TicketRow, *, now: datetime) -> None:
    """For the ticket of an answered call, before what was promised on that call is planned.

    Cancels the call-backs without a time, and those whose time had come or that were tried; one promised for later is
    still owed, whatever was said meanwhile. Who called about fees has spoken of them.
    """
    if call.disposition != Disposition.ANSWERED:
        return
    waiting = await pending_reminders(
        session,
        ReminderRow.ticket_id == ticket.id,
        ReminderRow.kind.in_(CALL_BACKS),
        ReminderRow.created_at <= call.started_at,
    )
    ended = call.ended_at or now
    settled = [one for one in waiting if one.promised_for is None or one.due_at <= ended or one.attempts]
    number = dialable(call.from_number)
    if ticket.category == ABOUT_FEES and number is not None:
        settled += await pending_reminders(session, ReminderRow.to_number == number, ReminderRow.kind == "overdue_fee")
    await cancel(session, settled, Reason.RESIDENT_CALLED_IN, now=now)
    promised = [one.promised_for for one in settled if one.promised_for is not None]
    if promised:
        await meet_deadlines(
            session,
            ticket.id,
            [DeadlineKind.PROMISE],
            at=call.answered_at or ended,
            due_until=ended + AHEAD,
            due_at=promised,
            bases=[kind.value for kind in KEPT_BY_PHONE],
        )
