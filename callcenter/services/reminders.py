"""Reminders as rows: planned, moved, cancelled, claimed and explained. The rows are the schedule."""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, Priority, ReminderRow, ReminderState
from callcenter.domain.dialling import Action, Decision, Reason
from callcenter.domain.ticket_life import HistoryAction
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import insert_if_absent, is_postgresql

PENDING = (ReminderState.WAITING, ReminderState.HELD, ReminderState.CLAIMED)
"""Nobody has been phoned for these yet, so that they can still be changed or cancelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReminder:
    """A call that we owe. `to_number` is dialable, or None: then a person must make the call.

    `held`: it waits for its campaign to begin. `for_a_person`: why a person must make it although it can be dialled.
    """

    kind: str
    topic: str
    to_number: str | None
    due_at: datetime
    promised_for: datetime | None = None
    ticket_id: int | None = None
    call_id: str | None = None
    expires_at: datetime | None = None
    priority: Priority | None = None
    ordered_by: str | None = None
    campaign_id: int | None = None
    matter: dict[str, Any] | None = None
    held: bool = False
    for_a_person: Reason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A reminder that one tick of one process has taken."""

    reminder_id: int
    claimer: str
    at: datetime


async def plan_reminder(session: AsyncSession, new: NewReminder, *, now: datetime) -> bool:
    """Writes the reminder unless its topic has one of this kind; whether it did."""
    dialable = new.to_number is not None and new.for_a_person is None
    state = (ReminderState.HELD if new.held else ReminderState.WAITING) if dialable else ReminderState.HANDED_OVER
    reason = (
        (Reason.CAMPAIGN_HELD if new.held else Reason.NOT_YET_DUE)
        if dialable
        else (new.for_a_person or Reason.NOT_DIALABLE)
    )
    timed = new.promised_for is not None or new.ordered_by is not None
    values = {
        "kind": new.kind,
        "topic": new.topic,
        "ticket_id": new.ticket_id,
        "call_id": new.call_id,
        "to_number": new.to_number or "",
        "due_at": new.due_at,
        "promised_for": new.promised_for,
        "expires_at": new.expires_at,
        "priority": new.priority if new.priority is not None else (Priority.TIMED if timed else Priority.NORMAL),
        "ordered_by": new.ordered_by,
        "campaign_id": new.campaign_id,
        "matter": new.matter,
        "state": state.value,
        "reason": reason.value,
        "attempts": 0,
        "created_at": now,
        "finished_at": None if dialable else now,
    }
    planned = await insert_if_absent(session, ReminderRow, values, "topic", "kind")
    if planned and new.ticket_id is not None:
        action = HistoryAction.REMINDER_PLANNED if dialable else HistoryAction.HANDED_OVER
        data = {"kind": new.kind, "due_at": new.due_at.isoformat()}
        write_history(session, new.ticket_id, action, at=now, data=data)
    return planned


async def owe_again(session: AsyncSession, new: NewReminder, *, now: datetime) -> None:
    """Plans a call that a correction had taken back, now that another correction brings it back."""
    if await plan_reminder(session, new, now=now):
        return
    query = select(ReminderRow).where(
        ReminderRow.topic == new.topic,
        ReminderRow.kind == new.kind,
        ReminderRow.state == ReminderState.CANCELLED.value,
        ReminderRow.reason == Reason.NO_LONGER_OWED.value,
    )
    taken_back = await session.scalar(query.with_for_update())
    if taken_back is None or new.to_number is None:
        return
    taken_back.to_number, taken_back.finished_at = new.to_number, None
    decision = Decision(action=Action.WAIT, reason=Reason.NOT_YET_DUE, at=new.due_at)
    if new.for_a_person is not None:
        decision = Decision(action=Action.HAND_OVER, reason=new.for_a_person)
    follow(taken_back, decision, now=now)
    if new.ticket_id is not None:
        action = HistoryAction.HANDED_OVER if new.for_a_person else HistoryAction.REMINDER_PLANNED
        data = {"kind": new.kind, "due_at": new.due_at.isoformat()}
        write_history(session, new.ticket_id, action, at=now, data=data)


def follow(reminder: ReminderRow, decision: Decision, *, now: datetime) -> None:
    """Puts a decision into the row: moved, done, cancelled or handed over."""
    reminder.reason = decision.reason.value
    if decision.action is Action.WAIT:
        if decision.at is None:
            raise ValueError("a decision to wait says until when")
        reminder.state, reminder.due_at = ReminderState.WAITING, decision.at
        reminder.claimed_by = reminder.claimed_at = None
        return
    ends = {
        Action.DONE: ReminderState.DONE,
        Action.CANCEL: ReminderState.CANCELLED,
        Action.HAND_OVER: ReminderState.HANDED_OVER,
    }
    reminder.state, reminder.finished_at = ends[decision.action], now


_ROWS = ReminderRow.metadata.tables["reminders"]
WAITING = ReminderRow.state == literal_column("'waiting'")
"""As the partial index says it."""


_FIRST_OF_EACH_PRIORITY = select(
    *(
        select(func.min(ReminderRow.due_at)).where(WAITING, ReminderRow.priority == priority).scalar_subquery()
        for priority in Priority
    )
)


async def anything_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Looked at without a writing transaction, since there is hardly ever anything.

    The least of each priority is one step into the index, whatever the planner thinks of how many there are.
    """
    row = (await connection.execute(_FIRST_OF_EACH_PRIORITY)).one()
    return any(due_at is not None and due_at <= now for due_at in row)


async def claim_due(database: Database, *, now: datetime, claimer: str, limit: int) -> list[Claim]:
    """Takes up to `limit` reminders that are due, by priority and age; no two claimers ever get the same one."""
    claims: list[Claim] = []
    async with database.write() as session:
        for priority in Priority:
            left = limit - len(claims)
            if left > 0:
                taken = await _take(session, priority, now=now, claimer=claimer, limit=left)
                claims += [Claim(reminder_id=number, claimer=claimer, at=now) for number in taken]
    return claims


async def _take(session: AsyncSession, priority: Priority, *, now: datetime, claimer: str, limit: int) -> list[int]:
    values = {"of_priority": priority, "now": now, "claimer": claimer, "at_most": limit}
    return list((await session.execute(_taking(is_postgresql(session)), values)).scalars())


@functools.cache
def _taking(postgresql: bool) -> ReturningUpdate[int]:
    """Built once: that takes longer than carrying it out."""
    due = (
        select(_ROWS.c.id)
        .where(WAITING, _ROWS.c.priority == bindparam("of_priority"), _ROWS.c.due_at <= bindparam("now"))
        .order_by(_ROWS.c.due_at)
        .limit(bindparam("at_most"))
    )
    if postgresql:
        due = due.with_for_update(skip_locked=True)
    chosen = due.cte("chosen")
    return (
        update(_ROWS)
        .where(_ROWS.c.id.in_(select(chosen.c.id)), WAITING)
        .values(state=ReminderState.CLAIMED.value, claimed_by=bindparam("claimer"), claimed_at=bindparam("now"))
        .returning(_ROWS.c.id)
    )


async def pending_reminders(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[ReminderRow]:
    """Reminders that fit and for which nobody has been phoned yet, locked for change."""
    states = [state.value for state in PENDING]
    query = select(ReminderRow).where(ReminderRow.state.in_(states), *conditions)
    return list((await session.scalars(query.order_by(ReminderRow.id).with_for_update())).all())


async def cancel(session: AsyncSession, reminders: list[ReminderRow], reason: Reason, *, now: datetime) -> None:
    for reminder in reminders:
        follow(reminder, Decision(action=Action.CANCEL, reason=reason), now=now)
        if reminder.ticket_id is not None:
            data = {"kind": reminder.kind, "reason": reason.value}
            write_history(session, reminder.ticket_id, HistoryAction.REMINDER_CANCELLED, at=now, data=data)


async def stop_calling(session: AsyncSession, number: str, *, reason: str, now: datetime) -> None:
    """The resident asked not to be called: everything stops at once and for good."""
    await insert_if_absent(session, DoNotCallRow, {"number": number, "since": now, "reason": reason}, "number")
    waiting = await pending_reminders(session, ReminderRow.to_number == number)
    await cancel(session, waiting, Reason.DO_NOT_CALL, now=now)
