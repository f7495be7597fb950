"""Calls owed on a ticket: a promised call-back, the first reply to a complaint."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import KEPT_BY_PHONE, DeadlineKind
from callcenter.domain.dialling import Reason
from callcenter.domain.tickets import Promise, PromiseKind
from callcenter.services.appointments import plan_appointment
from callcenter.services.deadlines import open_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.reminders import NewReminder, owe_again, plan_reminder
from callcenter.services.resident_wishes import Wishes, wishes_of

AHEAD = timedelta(minutes=5)
"""A promise is kept a little before its time, so that a busy line leaves room."""

LATE_EVENING = time(21)
ONE_CALL_SERVES = timedelta(hours=1)
"""Promises on one ticket that fall due so close together are kept by one call, the earlier."""

FIRST_REPLY_AHEAD = timedelta(hours=1)


def due_for_promise(promised_for: datetime, *, now: datetime, rules: FollowUpRules) -> datetime:
    """Shortly before the promised time; a promise for "today" that ends late is kept in that day's decent hours."""
    due = max(now, promised_for - min(AHEAD, max(promised_for - now, timedelta()) / 4))
    local = rules.calendar.local(due)
    if local.time() < LATE_EVENING:
        return due
    decent = rules.dialling.decent_until(due, margin=timedelta(minutes=30))
    same_day = rules.calendar.local(decent).date() == local.date()
    return decent if same_day and decent > now else due


def topic_of_promise(ticket_id: int, name: str) -> str:
    """`name` is the promise's: the call it was made on and its number there, or the version of the ticket."""
    return f"ticket:{ticket_id}:promise:{name}"


async def plan_promised_calls(
    session: AsyncSession,
    ticket: TicketRow,
    promises: Iterable[tuple[str, Promise]],
    *,
    now: datetime,
    rules: FollowUpRules,
) -> None:
    """A reminder for each promise that a call keeps. The string names the promise: the call and its number there.

    A visit is kept by being there; a call confirms it beforehand.
    """
    for name, promise in promises:
        if promise.kind is PromiseKind.VISIT and promise.due is not None:
            await plan_appointment(session, ticket, promise.due, now=now, rules=rules)
        if not _needs_call(promise) or await _is_served(session, ticket.id, promise.due):
            continue
        if promise.due is not None:
            due_at = due_for_promise(promise.due, now=now, rules=rules)
        else:
            due_at = rules.dialling.decent_from(now + rules.call_back_without_time)
        new = NewReminder(
            kind="call_back_promised",
            topic=topic_of_promise(ticket.id, name),
            to_number=number_to_call(ticket),
            due_at=due_at,
            promised_for=promise.due,
            ticket_id=ticket.id,
        )
        await plan_reminder(session, new, now=now)


def _needs_call(promise: Promise) -> bool:
    """A reply that was promised for no time is left to the person who works on the ticket."""
    return promise.kind in KEPT_BY_PHONE and (promise.due is not None or promise.kind is PromiseKind.CALL_BACK)


async def _is_served(session: AsyncSession, ticket_id: int, due: datetime | None) -> bool:
    """Another call on this ticket is waiting that comes before, or shortly before, this promise falls due."""
    waiting = await session.scalars(
        select(ReminderRow.promised_for).where(
            ReminderRow.ticket_id == ticket_id,
            ReminderRow.kind == "call_back_promised",
            ReminderRow.state == ReminderState.WAITING.value,
        )
    )
    planned = waiting.all()
    if due is None:
        return bool(planned)
    return any(other is not None and due - ONE_CALL_SERVES <= other <= due for other in planned)


async def plan_first_reply(session: AsyncSession, ticket: TicketRow, *, now: datetime, rules: FollowUpRules) -> None:
    """A complaint's first reply, at a time that the resident wants, unless a promised call comes in time for it.

    Where no such hour is left before its limit (a ticket corrected late in the evening), a person takes it at once.
    """
    limits = await open_deadlines(session, ticket.id, [DeadlineKind.FIRST_REPLY])
    if not limits:
        return
    limit = limits[0].due_at
    promised = await session.scalar(
        select(ReminderRow.id).where(
            ReminderRow.ticket_id == ticket.id,
            ReminderRow.kind == "call_back_promised",
            ReminderRow.state == ReminderState.WAITING.value,
            ReminderRow.due_at <= limit,
        )
    )
    if promised is not None:
        return
    number = number_to_call(ticket)
    wishes = await wishes_of(session, number) if number is not None else Wishes()
    wanted = replace(rules.dialling, avoided=wishes.avoided)
    dialling = wanted if wanted.has_hours else rules.dialling
    due_at = dialling.decent_until(limit - FIRST_REPLY_AHEAD, margin=FIRST_REPLY_AHEAD)
    due_at = due_at if due_at > now else dialling.decent_from(now)
    new = NewReminder(
        kind="complaint_first_reply",
        topic=f"ticket:{ticket.id}",
        to_number=number,
        due_at=due_at,
        ticket_id=ticket.id,
        for_a_person=Reason.TOO_LATE if now < limit < due_at else None,
    )
    await owe_again(session, new, now=now)
