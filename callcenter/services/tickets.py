"""What people do with a ticket on the console: correct, confirm, assign, note, promise, finish.

Every use case names the version of the ticket that the person saw; a ticket that has changed meanwhile is refused
(`StaleTicket`), so that nobody overwrites what they have not seen. Each writes the history and the audit log.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.deadlines import DeadlineKind, deadlines_of_promises, passed_on
from callcenter.domain.dialling import Reason
from callcenter.domain.reminder_kinds import kinds_served_by_another_call
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.domain.tickets import Found, Promise
from callcenter.services.arrivals import arrive
from callcenter.services.correct_field import confirm_fields, set_field
from callcenter.services.deadlines import (
    add_deadlines,
    meet_deadlines,
    open_deadlines,
    refresh_deadlines,
    waiting_since,
)
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.number_to_call import number_to_call
from callcenter.services.promised_calls import plan_first_reply, plan_promised_calls
from callcenter.services.reminders import cancel, pending_reminders
from callcenter.services.ticket_history import write_history
from callcenter.services.ticket_status import move, set_status

_NUMBERED = select(TicketRow).where(TicketRow.number == bindparam("ticket_number")).with_for_update(key_share=True)

REPLIES = (DeadlineKind.FIRST_REPLY, DeadlineKind.FEEDBACK_REPLY)


class NoSuchTicket(Exception):
    """There is no ticket with this number."""


class NoSuchWords(Exception):
    """The ticket's calls have no such stretch of speech."""


class StaleTicket(Exception):
    """The ticket has changed since it was looked at; says who changed it last, and when."""

    def __init__(self, *, version: int, changed_by: str, changed_at: datetime) -> None:
        super().__init__(f"changed by {changed_by} at {changed_at.isoformat()}; it is version {version} now")
        self.version = version
        self.changed_by = changed_by
        self.changed_at = changed_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Who changes which ticket, as they saw it, and when."""

    number: str
    version: int
    actor: str
    now: datetime


@asynccontextmanager
async def _changing(
    database: Database, change: Change, action: HistoryAction, data: dict[str, Any]
) -> AsyncIterator[tuple[AsyncSession, TicketRow]]:
    """The ticket, locked, in a transaction; its version, history and audit are written at the end."""
    async with database.write() as session:
        ticket = await session.scalar(_NUMBERED, {"ticket_number": change.number})
        if ticket is None:
            raise NoSuchTicket(change.number)
        await check_version(session, ticket, change)
        yield session, ticket
        ticket.version += 1
        ticket.updated_at = change.now
        write_history(session, ticket.id, action, at=change.now, actor=change.actor, data=data)
        audited = {"action": action.value} | {name: data[name] for name in ("field", "to") if name in data}
        session.add(
            AuditRow(at=change.now, login=change.actor, action="ticket_changed", subject=ticket.number, data=audited)
        )


async def check_version(session: AsyncSession, ticket: TicketRow, change: Change) -> None:
    """Raises StaleTicket where the person saw another version."""
    if ticket.version == change.version:
        return
    query = select(TicketHistoryRow.actor).where(TicketHistoryRow.ticket_id == ticket.id)
    actor = await session.scalar(query.order_by(TicketHistoryRow.id.desc()).limit(1))
    raise StaleTicket(version=ticket.version, changed_by=actor or "system", changed_at=ticket.updated_at)


async def correct_field(database: Database, change: Change, *, field: str, value: str, rules: FollowUpRules) -> int:
    """Sets a field to what a person says; an empty value empties it. The ticket's new version.

    What follows from it is mended: deadlines, the first reply, the number that waiting calls go to.
    Raises UnreadableField, StaleTicket, NoSuchTicket.
    """
    data: dict[str, Any] = {"field": field, "to": value}
    async with _changing(database, change, HistoryAction.FIELD_CORRECTED, data) as (session, ticket):
        data["from"] = await set_field(session, ticket, field, value, actor=change.actor, at=change.now, rules=rules)
        await _mend(session, ticket, now=change.now, rules=rules)
    return change.version + 1


async def confirm_all(database: Database, change: Change, *, rules: FollowUpRules) -> int:
    """A person has looked at everything: what is on the ticket is confirmed, unsure values too, and it is reviewed."""
    data: dict[str, Any] = {}
    async with _changing(database, change, HistoryAction.FIELDS_CONFIRMED, data) as (session, ticket):
        data["fields"] = await confirm_fields(session, ticket, actor=change.actor, at=change.now, rules=rules)
        ticket.needs_review = ticket.must_listen = False
        await _mend(session, ticket, now=change.now, rules=rules)
    return change.version + 1


async def _mend(session: AsyncSession, ticket: TicketRow, *, now: datetime, rules: FollowUpRules) -> None:
    """Deadlines and waiting calls follow the corrected ticket."""
    await session.flush()
    await refresh_deadlines(session, ticket, now=now, rules=rules)
    await session.flush()
    waiting = await pending_reminders(session, ReminderRow.ticket_id == ticket.id)
    number = number_to_call(ticket)
    if number is not None:
        for reminder in waiting:
            reminder.to_number = number
    if await open_deadlines(session, ticket.id, [DeadlineKind.FIRST_REPLY]):
        await plan_first_reply(session, ticket, now=now, rules=rules)
    else:
        unneeded = [reminder for reminder in waiting if reminder.kind == "complaint_first_reply"]
        await cancel(session, unneeded, Reason.NO_LONGER_OWED, now=now)


async def assign(database: Database, change: Change, *, to: str) -> int:
    """Makes someone the owner: of a ticket that nobody took (voice mail), or as a hand-over that the history shows."""
    data: dict[str, Any] = {"to": to}
    async with _changing(database, change, HistoryAction.ASSIGNED, data) as (_session, ticket):
        data["from"], ticket.owner = ticket.owner, to
        if TicketStatus(ticket.status) in (TicketStatus.OPEN, TicketStatus.REOPENED):
            ticket.status = TicketStatus.ASSIGNED.value
    return change.version + 1


async def change_status(
    database: Database, change: Change, *, to: TicketStatus, rules: FollowUpRules, note: str = ""
) -> int:
    """Moves the ticket on; what follows from it: `ticket_status.move`.

    Raises TransitionRefused, StaleTicket, NoSuchTicket.
    """
    data: dict[str, Any] = {"to": to.value, "note": note}
    async with _changing(database, change, HistoryAction.STATUS_CHANGED, data) as (session, ticket):
        data["from"] = ticket.status
        await move(session, ticket, to, now=change.now, rules=rules)
    return change.version + 1


async def correct_words(database: Database, change: Change, *, recording_id: str, number: int, text: str) -> int:
    """What the recogniser misheard is written as it was said; the recogniser's own words stay beside it.

    The same words as the recogniser's take the correction back. Raises NoSuchWords, StaleTicket, NoSuchTicket.
    """
    data: dict[str, Any] = {"to": text}
    async with _changing(database, change, HistoryAction.WORDS_CORRECTED, data) as (session, ticket):
        query = (
            select(SegmentRow)
            .join(TicketCallRow, TicketCallRow.call_id == SegmentRow.call_id)
            .where(
                TicketCallRow.ticket_id == ticket.id,
                SegmentRow.recording_id == recording_id,
                SegmentRow.number == number,
            )
        )
        segment = (await session.scalars(query)).one_or_none()
        if segment is None:
            raise NoSuchWords(f"{recording_id} {number}")
        data |= {"from": segment.corrected_text or segment.text, "call_id": segment.call_id, "at_ms": segment.start_ms}
        segment.corrected_text = None if text == segment.text else text
    return change.version + 1


async def add_note(database: Database, change: Change, *, text: str) -> int:
    async with _changing(database, change, HistoryAction.NOTE, {"text": text}):
        pass
    return change.version + 1


async def promise(database: Database, change: Change, *, promised: Promise, rules: FollowUpRules) -> int:
    """An agent promises something: a deadline, a reminder where a call keeps it. A finished ticket is open again."""
    due = promised.due.isoformat() if promised.due else None
    data = {"kind": promised.kind.value, "text": promised.text, "due_at": due}
    async with _changing(database, change, HistoryAction.PROMISED, data) as (session, ticket):
        if TicketStatus(ticket.status) in FINISHED:
            await set_status(session, ticket, TicketStatus.REOPENED, actor=change.actor, now=change.now, rules=rules)
        add_deadlines(
            session, ticket.id, deadlines_of_promises([Found(value=promised, confidence=1.0)], made_at=change.now)
        )
        name = f"v{change.version}"
        await plan_promised_calls(session, ticket, [(name, promised)], now=change.now, rules=rules)
    return change.version + 1


async def pass_on(database: Database, change: Change, *, department: str, rules: FollowUpRules) -> int:
    """Another department is asked to help: three days instead of the same day. The owner stays."""
    async with _changing(database, change, HistoryAction.PASSED_ON, {"to": department}) as (session, ticket):
        for deadline in await open_deadlines(session, ticket.id, [DeadlineKind.SETTLED, DeadlineKind.PASSED_ON]):
            deadline.cancelled_at = change.now
        limit = passed_on(at=change.now, rules=rules.deadlines)
        add_deadlines(session, ticket.id, [limit], paused_at=waiting_since(ticket, change.now))
    return change.version + 1


async def mark_arrived(database: Database, change: Change) -> int:
    """Someone is on the spot: the 3-minute clock of an emergency ends."""
    async with _changing(database, change, HistoryAction.ARRIVED, {}) as (session, ticket):
        await arrive(session, ticket, at=change.now)
    return change.version + 1


async def record_reply(database: Database, change: Change, *, note: str = "") -> int:
    """The resident was spoken to by a person: first reply and promised calls are kept, their reminders cancelled."""
    data: dict[str, Any] = {"text": note, "by_person": True}
    async with _changing(database, change, HistoryAction.RESIDENT_CALLED, data) as (session, ticket):
        await meet_deadlines(session, ticket.id, REPLIES, at=change.now)
        served = ReminderRow.kind.in_(kinds_served_by_another_call())
        waiting = await pending_reminders(session, ReminderRow.ticket_id == ticket.id, served)
        await cancel(session, waiting, Reason.ANOTHER_CALL_SERVED, now=change.now)
        await meet_deadlines(session, ticket.id, [DeadlineKind.PROMISE], at=change.now)
    return change.version + 1
