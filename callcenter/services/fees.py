"""Overdue fees: imported whole, one call a home that names the amount and the items, the agreed date recorded."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.fees import FeeRow, FeeState
from callcenter.db.reminders import ReminderRow
from callcenter.domain.dialling import Reason
from callcenter.domain.fee_file import Fee
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, cancel, pending_reminders, plan_reminder
from callcenter.services.transactions import insert_if_absent, take_turns

KIND = "overdue_fee"


class NoSuchFee(Exception):
    """There is no fee with this number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedFees:
    """`known` lines were there already, from an earlier import of the same; `calls` are planned."""

    fees: int
    known: int
    calls: int


async def import_fees(database: Database, fees: Iterable[Fee], *, now: datetime, rules: FollowUpRules) -> ImportedFees:
    """In one transaction, so that nothing is half imported. The same file again changes nothing."""
    lines = tuple(fees)
    by_home: dict[tuple[str, str], list[Fee]] = defaultdict(list)
    async with database.write() as session:
        await take_turns(session, "import fees")
        for fee in lines:
            if await insert_if_absent(session, FeeRow, _values(fee, now), "number", "place", "items", "due_on"):
                by_home[fee.number, fee.place].append(fee)
        calls = [await _plan(session, home, now=now, rules=rules) for home in by_home.values()]
    added = sum(len(home) for home in by_home.values())
    return ImportedFees(fees=added, known=len(lines) - added, calls=sum(calls))


def _values(fee: Fee, now: datetime) -> dict[str, Any]:
    return {
        "number": fee.number,
        "name": fee.name,
        "place": fee.place,
        "amount_fen": fee.amount_fen,
        "items": fee.items,
        "due_on": fee.due_on,
        "state": FeeState.OPEN.value,
        "imported_at": now,
    }


async def _plan(session: AsyncSession, home: Sequence[Fee], *, now: datetime, rules: FollowUpRules) -> bool:
    """One call for everything that one number owes for one home, from the day after the last of it fell due.

    A call that still waits for this home speaks of the new items too.
    """
    number, place = home[0].number, home[0].place
    of_home = (FeeRow.number == number, FeeRow.place == place)
    known = select(FeeRow.reminder_id).where(*of_home, FeeRow.reminder_id.is_not(None))
    waiting = await pending_reminders(session, ReminderRow.kind == KIND, ReminderRow.id.in_(known))
    if not waiting:
        overdue_from = rules.calendar.end_of_day(rules.calendar.at(max(fee.due_on for fee in home), time(12)))
        topic = f"fees:{number}:{place}:{now.isoformat()}"
        due_at = rules.dialling_of(KIND).decent_from(max(now, overdue_from))
        new = NewReminder(kind=KIND, topic=topic, to_number=number, due_at=due_at)
        await plan_reminder(session, new, now=now)
    reminder = waiting[0] if waiting else await _reminder_of(session, topic)
    await session.execute(update(FeeRow).where(*of_home, FeeRow.reminder_id.is_(None)).values(reminder_id=reminder.id))
    await _tell_what_is_owed(session, reminder)
    return not waiting


async def _reminder_of(session: AsyncSession, topic: str) -> ReminderRow:
    query = select(ReminderRow).where(ReminderRow.topic == topic, ReminderRow.kind == KIND)
    return (await session.scalars(query)).one()


async def _tell_what_is_owed(session: AsyncSession, reminder: ReminderRow) -> bool:
    """What the call speaks of, from its fees that are not paid; whether there are any."""
    query = select(FeeRow).where(FeeRow.reminder_id == reminder.id, FeeRow.state != FeeState.PAID.value)
    owed = (await session.scalars(query.order_by(FeeRow.due_on, FeeRow.id))).all()
    if owed:
        reminder.matter = {
            "name": owed[0].name,
            "place": owed[0].place or None,
            "amount_fen": sum(fee.amount_fen for fee in owed),
            "items": "、".join(dict.fromkeys(fee.items for fee in owed)),
            "due_on": owed[0].due_on.isoformat(),
        }
    return bool(owed)


async def mark_paid(database: Database, fee_id: int, *, now: datetime) -> None:
    """A fee has been paid; once nothing of its call is owed any more, the call is cancelled. Raises NoSuchFee."""
    async with database.write() as session:
        fee = await session.get(FeeRow, fee_id, with_for_update=True)
        if fee is None:
            raise NoSuchFee(f"there is no fee {fee_id}")
        fee.state = FeeState.PAID.value
        await session.flush()
        for reminder in await pending_reminders(session, ReminderRow.id == fee.reminder_id):
            if not await _tell_what_is_owed(session, reminder):
                await cancel(session, [reminder], Reason.NO_LONGER_OWED, now=now)


async def list_fees(database: Database, *, limit: int = 200) -> Sequence[FeeRow]:
    """Those not paid, the longest overdue first."""
    async with database.read() as session:
        query = select(FeeRow).where(FeeRow.state != FeeState.PAID.value).order_by(FeeRow.due_on, FeeRow.id)
        return (await session.scalars(query.limit(limit))).all()
