"""A visit to a home is confirmed by phone beforehand; a new time replaces the one before it."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.reminders import Priority, ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.dialling import Reason
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.reminders import NewReminder, cancel, pending_reminders, plan_reminder

KIND = "appointment"
JUST_AGREED = timedelta(hours=1)
"""Nobody is phoned about a visit so soon after agreeing to it."""

LATEST = timedelta(minutes=30)
"""Nor so shortly before it: whoever comes is on the way."""

MARGIN = timedelta(minutes=30)


def confirmation_due(visit_at: datetime, *, now: datetime, rules: FollowUpRules) -> datetime | None:
    """When the visit is confirmed; None where it is too soon for a call to be of use."""
    dialling = rules.dialling_of(KIND)
    before = dialling.decent_until(visit_at - rules.appointment, margin=MARGIN)
    due_at = dialling.decent_from(max(before, now + JUST_AGREED))
    return due_at if due_at <= visit_at - LATEST else None


async def plan_appointment(
    session: AsyncSession, ticket: TicketRow, visit_at: datetime, *, now: datetime, rules: FollowUpRules
) -> None:
    """Run whenever a visit is promised; the same time again changes nothing."""
    if visit_at <= now or ticket.visit_at == visit_at:
        return
    ticket.visit_at, ticket.visit_confirmed_at = visit_at, None
    earlier = await pending_reminders(session, ReminderRow.ticket_id == ticket.id, ReminderRow.kind == KIND)
    await cancel(session, earlier, Reason.NO_LONGER_OWED, now=now)
    due_at = confirmation_due(visit_at, now=now, rules=rules)
    if due_at is None:
        return
    new = NewReminder(
        kind=KIND,
        topic=f"ticket:{ticket.id}:visit:{visit_at.isoformat()}",
        to_number=number_to_call(ticket),
        due_at=due_at,
        promised_for=visit_at,
        expires_at=visit_at,
        priority=Priority.NORMAL,
        ticket_id=ticket.id,
    )
    await plan_reminder(session, new, now=now)
