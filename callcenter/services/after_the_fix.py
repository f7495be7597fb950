"""回访: whoever reported is asked whether it is really done and how satisfied they are, once more if unhappy."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.dialling import Reason
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.reminders import NewReminder, cancel, pending_reminders, plan_reminder

FIRST, SECOND = "satisfaction", "satisfaction_again"


async def plan_satisfaction(session: AsyncSession, ticket: TicketRow, *, now: datetime, rules: FollowUpRules) -> None:
    """The ticket has just been solved: its resident is asked in the next decent hours. Praise needs no call."""
    if ticket.no_action_reason is not None:
        return
    asked = select(func.count()).where(ReminderRow.ticket_id == ticket.id, ReminderRow.kind == FIRST)
    times = await session.scalar(asked) or 0
    new = NewReminder(
        kind=FIRST,
        topic=f"ticket:{ticket.id}:fix:{times + 1}",
        to_number=number_to_call(ticket),
        due_at=rules.dialling_of(FIRST).decent_from(now + rules.satisfaction),
        ticket_id=ticket.id,
    )
    await plan_reminder(session, new, now=now)


async def plan_second_satisfaction(
    session: AsyncSession, ticket: TicketRow, first: ReminderRow, *, now: datetime, rules: FollowUpRules
) -> None:
    new = NewReminder(
        kind=SECOND,
        topic=f"{first.topic}:again",
        to_number=first.to_number,
        due_at=rules.dialling_of(SECOND).decent_from(now + rules.satisfaction_again),
        ticket_id=ticket.id,
    )
    await plan_reminder(session, new, now=now)


async def cancel_satisfaction(session: AsyncSession, ticket: TicketRow, *, now: datetime) -> None:
    """It is not solved after all, so there is nothing to ask about yet."""
    asking = ReminderRow.kind.in_((FIRST, SECOND))
    waiting = await pending_reminders(session, ReminderRow.ticket_id == ticket.id, asking)
    await cancel(session, waiting, Reason.NO_LONGER_OWED, now=now)
