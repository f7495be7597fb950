"""A person ends a call that we owe: cancels it with a reason, or says that they have spoken to the resident themselves.

What is kept by phone on a ticket is recorded there (`tickets.record_reply`); this is for the call alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.dialling import Reason
from callcenter.domain.ticket_life import HistoryAction
from callcenter.services.appointments import KIND as APPOINTMENT
from callcenter.services.explain_reminder import NoSuchReminder
from callcenter.services.ticket_history import write_history

CAN_BE_ENDED = frozenset({ReminderState.WAITING, ReminderState.HELD, ReminderState.CLAIMED, ReminderState.HANDED_OVER})
"""Nobody's phone rings for these at this moment, and somebody still waits for the call."""


class ReasonMissing(ValueError):
    """Whoever cancels a call that we owe says why."""


class HasTicket(Exception):
    """The call belongs to a ticket: what was said to the resident is recorded there."""


class ReminderUnderWay(Exception):
    """The resident is being phoned at this moment: what comes of it decides."""


class ReminderOver(Exception):
    """The call is done or cancelled already; `state` is which."""

    def __init__(self, state: ReminderState) -> None:
        super().__init__(f"the call is {state} already")
        self.state = state


class ReminderMoved(Exception):
    """It has been tried or handed over since it was looked at; `state` is how it stands now."""

    def __init__(self, state: ReminderState) -> None:
        super().__init__(f"the call is {state} now, which is not what was seen")
        self.state = state


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """Who ends which call, when, and how it stood when they looked (`standing_of`)."""

    reminder_id: int
    seen: str
    actor: str
    now: datetime


def standing_of(reminder: ReminderRow) -> str:
    """State and tries, which together are the version of the row: waiting:1. A claim alone changes nothing."""
    state = ReminderState.WAITING if reminder.state == ReminderState.CLAIMED else ReminderState(reminder.state)
    return f"{state.value}:{reminder.attempts}"


async def cancel_reminder(database: Database, ending: Ending, *, reason: str, never_promised: bool = False) -> None:
    """The call will not be made. A promise on its ticket is not kept by that: its deadline stays.

    `never_promised`: what was heard as a promise was none, so that its deadline is cancelled as well.
    Raises NoSuchReminder, ReasonMissing, ReminderUnderWay, ReminderOver, ReminderMoved.
    """
    if not reason.strip():
        raise ReasonMissing("say why the call is not owed any more")
    async with database.write() as session:
        reminder = await _still_owed(session, ending)
        _end(session, reminder, ending, ReminderState.CANCELLED, reason=reason.strip())
        if reminder.ticket_id is not None:
            data: dict[str, Any] = {"kind": reminder.kind, "reason": reminder.reason}
            if never_promised and await _withdraw_promise(session, reminder, at=ending.now):
                data["never_promised"] = True
            write_history(
                session,
                reminder.ticket_id,
                HistoryAction.REMINDER_CANCELLED,
                at=ending.now,
                actor=ending.actor,
                data=data,
            )


async def settle_reminder(database: Database, ending: Ending, *, note: str = "") -> None:
    """A person has spoken to the resident about a call without a ticket (missed call, fee): no other is made.

    Raises NoSuchReminder, HasTicket, ReminderUnderWay, ReminderOver, ReminderMoved.
    """
    async with database.write() as session:
        reminder = await _still_owed(session, ending)
        if reminder.ticket_id is not None:
            raise HasTicket("record what was said on its ticket")
        _end(session, reminder, ending, ReminderState.DONE, reason=note.strip() or Reason.SPOKEN_TO.value)


async def _withdraw_promise(session: AsyncSession, reminder: ReminderRow, *, at: datetime) -> bool:
    """Cancels the deadline of the promise that the call was to keep, and the visit it was to confirm.

    Whether there was such a deadline.
    """
    query = select(TicketDeadlineRow).where(
        TicketDeadlineRow.ticket_id == reminder.ticket_id,
        TicketDeadlineRow.kind == DeadlineKind.PROMISE.value,
        TicketDeadlineRow.due_at == reminder.promised_for,
        TicketDeadlineRow.met_at.is_(None),
        TicketDeadlineRow.cancelled_at.is_(None),
    )
    withdrawn = (await session.scalars(query)).all()
    for deadline in withdrawn:
        deadline.cancelled_at = at
    ticket = await session.get_one(TicketRow, reminder.ticket_id)
    if reminder.kind == APPOINTMENT and ticket.visit_at == reminder.promised_for:
        ticket.visit_at = ticket.visit_confirmed_at = None
    return bool(withdrawn)


async def _still_owed(session: AsyncSession, ending: Ending) -> ReminderRow:
    """The call, locked; its ticket first, as everybody does who changes a ticket and what it owes."""
    of_reminder = ReminderRow.id == ending.reminder_id
    ticket_id = await session.scalar(select(ReminderRow.ticket_id).where(of_reminder))
    if ticket_id is not None:
        await session.execute(select(TicketRow.id).where(TicketRow.id == ticket_id).with_for_update(key_share=True))
    reminder = await session.scalar(select(ReminderRow).where(of_reminder).with_for_update())
    if reminder is None:
        raise NoSuchReminder(f"there is no reminder {ending.reminder_id}")
    state = ReminderState(reminder.state)
    if state is ReminderState.DIALLING:
        raise ReminderUnderWay("wait until the call is over")
    if state not in CAN_BE_ENDED:
        raise ReminderOver(state)
    if standing_of(reminder) != ending.seen or reminder.ticket_id != ticket_id:
        raise ReminderMoved(state)
    return reminder


def _end(session: AsyncSession, reminder: ReminderRow, ending: Ending, to: ReminderState, *, reason: str) -> None:
    data = {"from": reminder.state, "reason": reason, "kind": reminder.kind}
    reminder.state, reminder.reason = to.value, reason
    reminder.ended_by, reminder.finished_at = ending.actor, ending.now
    reminder.claimed_by = reminder.claimed_at = None
    action = "reminder_cancelled" if to is ReminderState.CANCELLED else "reminder_settled"
    audited = AuditRow(at=ending.now, login=ending.actor, action=action, subject=f"reminder:{reminder.id}", data=data)
    session.add(audited)
