"""A resident pressed the key that keeps their place in the line: we owe them a call as soon as an agent is free."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.domain.calls import Direction
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.reminder_kinds.queue_call_back import KIND
from callcenter.services.reminders import NewReminder, plan_reminder

QUEUE, KEPT = "queue", "1"
"""What was asked, and the key that keeps the place."""


def keeps_place(call: CallRow) -> bool:
    return any(str(asked) == QUEUE and str(digits) == KEPT for asked, digits in call.keys)


async def plan_queue_call_back(session: AsyncSession, call: CallRow, now: datetime) -> None:
    """Run whenever an inbound call is written; running it again changes nothing.

    Promised for the moment at which they hung up: it may leave the decent hours, since they wait for it. Without a
    number that can be dialled a person must see to it.
    """
    if call.direction != Direction.INBOUND or call.ended_at is None or not keeps_place(call):
        return
    number = dialable(call.from_number)
    new = NewReminder(
        kind=KIND.name,
        topic=f"call:{call.id}",
        to_number=number,
        due_at=call.ended_at,
        promised_for=call.ended_at,
        call_id=call.id,
    )
    await plan_reminder(session, new, now=now)
