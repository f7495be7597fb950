"""What residents want of our calls: times of day without any, greetings agreed to. Who wants none: `stop_calling`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketRow
from callcenter.db.wishes import ResidentWishRow
from callcenter.domain.decent_times import DayPart
from callcenter.domain.phone_numbers import ways_to_write
from callcenter.domain.ticket_life import FINISHED
from callcenter.domain.tickets import RequestType
from callcenter.services.reminders import stop_calling
from callcenter.services.transactions import insert_if_absent


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """One number's wishes; the default is a resident who never said anything."""

    avoided: frozenset[DayPart] = frozenset()
    greetings: bool = False


_WISHES = select(
    ResidentWishRow.not_mornings,
    ResidentWishRow.not_afternoons,
    ResidentWishRow.not_evenings,
    ResidentWishRow.greetings,
).where(ResidentWishRow.number == bindparam("number"))


async def wishes_of(session: AsyncSession, number: str) -> Wishes:
    row = (await session.execute(_WISHES, {"number": number})).one_or_none()
    if row is None:
        return Wishes()
    *avoided, greetings = row
    flags = zip(DayPart, avoided, strict=True)
    return Wishes(avoided=frozenset(part for part, avoids in flags if avoids), greetings=greetings)


async def note_wishes(session: AsyncSession, number: str, wishes: Wishes, *, by: str, now: datetime) -> None:
    """Replaces what was noted of a dialable number. No part of the day left means: not to be called at all."""
    avoided = wishes.avoided
    values = {
        "not_mornings": DayPart.MORNING in avoided,
        "not_afternoons": DayPart.AFTERNOON in avoided,
        "not_evenings": DayPart.EVENING in avoided,
        "greetings": wishes.greetings,
        "noted_at": now,
        "noted_by": by,
    }
    if not await insert_if_absent(session, ResidentWishRow, values | {"number": number}, "number"):
        row = await session.get_one(ResidentWishRow, number, with_for_update=True, populate_existing=True)
        for name, value in values.items():
            setattr(row, name, value)
    if avoided >= frozenset(DayPart):
        await stop_calling(session, number, reason=f"wish noted by {by}", now=now)


async def has_open_complaint(session: AsyncSession, number: str) -> bool:
    """A complaint from this number is not finished: meanwhile no fee is mentioned to it."""
    ways, finished = ways_to_write(number), [status.value for status in FINISHED]
    open_complaints = select(TicketRow.id).where(
        TicketRow.request_type == RequestType.COMPLAINT.value, TicketRow.status.not_in(finished)
    )
    for column in (TicketRow.caller_number, TicketRow.phone):
        if await session.scalar(open_complaints.where(column.in_(ways)).limit(1)) is not None:
            return True
    return False
