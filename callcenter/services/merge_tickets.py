"""Two tickets about the same thing become one, and two again: always a person's doing, and always undone whole.

The duplicate is closed and points to the ticket that goes on (`merged_into`). Its calls, its open deadlines and the
calls still owed on it move there, so that the resident is phoned once. What moved is written into the history, from
which the undoing takes it back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus, higher
from callcenter.domain.tickets import Urgency
from callcenter.services.deadlines import look_again, open_deadlines, pause_deadlines, resume_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_history import write_history
from callcenter.services.tickets import Change, NoSuchTicket, check_version

MERGED = "merged"
STILL_OWED = (ReminderState.WAITING, ReminderState.CLAIMED, ReminderState.DIALLING, ReminderState.HANDED_OVER)
"""What was handed to a person goes along: they look at the ticket that goes on."""
HOME = ("estate", "phase", "lane", "building", "unit", "room")


class MergeRefused(Exception):
    """The two tickets cannot be merged, or their merging cannot be undone; the message says why."""


async def merge_tickets(database: Database, change: Change, *, into: str, rules: FollowUpRules) -> int:
    """Closes the ticket that `change` names as a duplicate of `into`; the duplicate's new version.

    Raises MergeRefused, StaleTicket, NoSuchTicket.
    """
    async with database.write() as session:
        duplicate, kept = await _both(session, change.number, into)
        await check_version(session, duplicate, change)
        _check(duplicate, kept)
        await resume_deadlines(session, duplicate, at=change.now, rules=rules)
        await session.flush()
        data = {"from": duplicate.number, "before": _standing(duplicate), "urgency": kept.urgency}
        data |= await _move_all(session, duplicate, kept)
        if kept.status == TicketStatus.WAITING:
            await pause_deadlines(session, kept.id, at=change.now)
        kept.call_count += duplicate.call_count
        kept.urgency = _higher(kept.urgency, duplicate.urgency)
        data["raised_to"] = kept.urgency
        duplicate.status, duplicate.closed_at = TicketStatus.CLOSED.value, change.now
        duplicate.merged_into = kept.id
        _write(session, duplicate, change, HistoryAction.MERGED, {"into": kept.number})
        _write(session, kept, change, HistoryAction.MERGED, data)
        await session.flush()
        await look_again(session, kept.id)
    return change.version + 1


async def undo_merge(database: Database, change: Change, *, rules: FollowUpRules) -> int:
    """Takes the ticket that `change` names out of the one it was merged into, with all that came from it.

    What has been done meanwhile stays done: a call made is not owed again.
    Raises MergeRefused, StaleTicket, NoSuchTicket.
    """
    async with database.write() as session:
        duplicate, kept = await _both(session, change.number, None)
        await check_version(session, duplicate, change)
        if kept.merged_into is not None:
            raise MergeRefused(f"{kept.number} has been merged itself since; undo that first")
        moved = await _what_moved(session, duplicate, kept)
        await _move_back(session, moved, duplicate, kept)
        _stand_as_before(duplicate, moved["before"])
        kept.call_count -= duplicate.call_count
        if kept.urgency == moved["raised_to"]:
            kept.urgency = moved["urgency"]
        if duplicate.status == TicketStatus.WAITING:
            await pause_deadlines(session, duplicate.id, at=change.now)
        await _run_on(session, duplicate, change.now, rules)
        _write(session, duplicate, change, HistoryAction.UNMERGED, {"from": kept.number})
        _write(session, kept, change, HistoryAction.UNMERGED, {"out": duplicate.number})
        await session.flush()
        for ticket in (duplicate, kept):
            await look_again(session, ticket.id)
    return change.version + 1


async def _both(session: AsyncSession, number: str, into: str | None) -> tuple[TicketRow, TicketRow]:
    """The duplicate and the ticket that goes on, locked in one order by everybody."""
    first = await session.scalar(select(TicketRow).where(TicketRow.number == number))
    if first is None:
        raise NoSuchTicket(number)
    if into is None and first.merged_into is None:
        raise MergeRefused(f"{number} is not merged with another ticket")
    other = TicketRow.number == into if into is not None else TicketRow.id == first.merged_into
    locked = select(TicketRow).where((TicketRow.number == number) | other).order_by(TicketRow.id)
    found = (
        await session.scalars(locked.with_for_update(key_share=True).execution_options(populate_existing=True))
    ).all()
    duplicate = next(row for row in found if row.number == number)
    kept = next((row for row in found if row is not duplicate), None)
    if kept is None:
        if into == number:
            raise MergeRefused("a ticket cannot be merged with itself")
        raise NoSuchTicket(into or number)
    return duplicate, kept


def _check(duplicate: TicketRow, kept: TicketRow) -> None:
    for ticket in (duplicate, kept):
        if ticket.merged_into is not None:
            raise MergeRefused(f"{ticket.number} is merged with another ticket already")
        if TicketStatus(ticket.status) in FINISHED:
            raise MergeRefused(f"{ticket.number} is finished")
    homes = [tuple(getattr(ticket, name) for name in HOME) for ticket in (duplicate, kept)]
    if all(ticket.room for ticket in (duplicate, kept)) and any(
        one != other for one, other in zip(*homes, strict=True) if one and other
    ):
        raise MergeRefused("the tickets are of two homes: each resident is owed an answer, so they stay two")


def _standing(ticket: TicketRow) -> dict[str, Any]:
    closed = ticket.closed_at.isoformat() if ticket.closed_at else None
    return {"status": ticket.status, "closed_at": closed}


def _stand_as_before(ticket: TicketRow, before: dict[str, Any]) -> None:
    ticket.status, ticket.merged_into = before["status"], None
    ticket.closed_at = datetime.fromisoformat(before["closed_at"]) if before["closed_at"] else None


def _higher(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    return higher(Urgency(one), Urgency(other)).value


async def _move_all(session: AsyncSession, duplicate: TicketRow, kept: TicketRow) -> dict[str, Any]:
    """What moved, as the history keeps it."""
    calls = (await session.scalars(select(TicketCallRow).where(TicketCallRow.ticket_id == duplicate.id))).all()
    owed = select(ReminderRow.id).where(ReminderRow.ticket_id == duplicate.id, ReminderRow.state.in_(STILL_OWED))
    moved: dict[str, Any] = {
        "calls": {row.call_id: row.relation for row in calls},
        "reminders": list((await session.scalars(owed)).all()),
        "deadlines": [row.id for row in await open_deadlines(session, duplicate.id)],
    }
    await session.execute(
        update(TicketCallRow)
        .where(TicketCallRow.ticket_id == duplicate.id)
        .values(ticket_id=kept.id, relation=MERGED, reason=duplicate.number)
        .execution_options(synchronize_session=False)
    )
    await _hand(session, moved["reminders"], moved["deadlines"], to=kept.id)
    return moved


async def _hand(session: AsyncSession, reminders: Sequence[int], deadlines: Sequence[int], *, to: int) -> None:
    for table, column, ids in (
        (ReminderRow, ReminderRow.id, reminders),
        (TicketDeadlineRow, TicketDeadlineRow.id, deadlines),
        (EscalationRow, EscalationRow.deadline_id, deadlines),
    ):
        await session.execute(update(table).where(column.in_(ids)).values(ticket_id=to))


async def _what_moved(session: AsyncSession, duplicate: TicketRow, kept: TicketRow) -> dict[str, Any]:
    query = (
        select(TicketHistoryRow)
        .where(TicketHistoryRow.ticket_id == kept.id, TicketHistoryRow.action == HistoryAction.MERGED.value)
        .order_by(TicketHistoryRow.id.desc())
    )
    lines = (await session.scalars(query)).all()
    return next(line.data for line in lines if line.data.get("from") == duplicate.number)


async def _move_back(session: AsyncSession, moved: dict[str, Any], duplicate: TicketRow, kept: TicketRow) -> None:
    """Only what is still there: what a later splitting took away stays where it went."""
    for call_id, relation in moved["calls"].items():
        await session.execute(
            update(TicketCallRow)
            .where(TicketCallRow.ticket_id == kept.id, TicketCallRow.call_id == call_id)
            .values(ticket_id=duplicate.id, relation=relation, reason=None)
            .execution_options(synchronize_session=False)
        )
    limits = select(TicketDeadlineRow.id).where(
        TicketDeadlineRow.id.in_(moved["deadlines"]), TicketDeadlineRow.ticket_id == kept.id
    )
    owed = select(ReminderRow.id).where(ReminderRow.id.in_(moved["reminders"]), ReminderRow.ticket_id == kept.id)
    deadlines, reminders = (await session.scalars(limits)).all(), (await session.scalars(owed)).all()
    await _hand(session, reminders, deadlines, to=duplicate.id)


async def _run_on(session: AsyncSession, ticket: TicketRow, now: datetime, rules: FollowUpRules) -> None:
    """Clocks that stood still with the other ticket run again, unless this one waits for the resident too."""
    await session.flush()
    if ticket.status != TicketStatus.WAITING:
        await resume_deadlines(session, ticket, at=now, rules=rules)


def _write(
    session: AsyncSession, ticket: TicketRow, change: Change, action: HistoryAction, data: dict[str, Any]
) -> None:
    ticket.version += 1
    ticket.updated_at = change.now
    write_history(session, ticket.id, action, at=change.now, actor=change.actor, data=data)
    audited = {"action": action.value} | {name: data[name] for name in ("into", "from", "out") if name in data}
    row = AuditRow(at=change.now, login=change.actor, action="ticket_changed", subject=ticket.number, data=audited)
    session.add(row)
