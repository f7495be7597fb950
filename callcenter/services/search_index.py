"""Keeps the full-text index of tickets: what has changed waits, and is read again before anybody searches.

The marks are set by the database itself (triggers), so that no way of writing a ticket or a transcript is forgotten.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.search import SearchTextRow, SearchWaitingRow
from callcenter.db.tickets import TicketCallRow, TicketFieldRow, TicketRow
from callcenter.domain.search_words import grams
from callcenter.services.transactions import take_turns

AT_ONCE = 200
"""Tickets that one transaction reads; the first start after an update has them all to do, and others write too."""

MARKS_AT_ONCE = 10_000
"""As many as one statement takes; a ticket of which more stand is read once more."""


async def index_tickets(database: Database, *, most: int = AT_ONCE) -> int:
    """Reads up to `most` tickets whose words have changed; how many still wait."""
    async with database.read() as session:
        if (await session.scalar(select(SearchWaitingRow.id).limit(1))) is None:
            return 0
    async with database.write() as session:
        await take_turns(session, "search index")
        mark = SearchWaitingRow
        longest = select(mark.ticket_id).group_by(mark.ticket_id).order_by(func.min(mark.id)).limit(most)
        ticket_ids = (await session.scalars(longest)).all()
        marks = (
            await session.scalars(select(mark.id).where(mark.ticket_id.in_(ticket_ids)).limit(MARKS_AT_ONCE))
        ).all()
        await _index(session, ticket_ids)
        await session.execute(delete(mark).where(mark.id.in_(marks)))
        left = await session.scalar(select(func.count(SearchWaitingRow.ticket_id.distinct())))
    return left or 0


async def _index(session: AsyncSession, ticket_ids: Sequence[int]) -> None:
    """What stood there is replaced; a ticket that is gone leaves nothing."""
    await session.execute(delete(SearchTextRow).where(SearchTextRow.ticket_id.in_(ticket_ids)))
    parts: dict[int, list[str]] = {}
    for ticket in await session.scalars(select(TicketRow).where(TicketRow.id.in_(ticket_ids))):
        parts[ticket.id] = list(_own_words(ticket))
    for ticket_id, place in await session.execute(_heard_places(ticket_ids)):
        parts[ticket_id].append(place or "")
    for ticket_id, words in await session.execute(_said(ticket_ids)):
        parts[ticket_id].append(words)
    if parts:
        rows = [{"ticket_id": ticket_id, "grams": grams(words)} for ticket_id, words in parts.items()]
        await session.execute(insert(SearchTextRow), rows)


def _own_words(ticket: TicketRow) -> Iterable[str]:
    """The address stands as it is written on the ticket, so that 3栋2单元501 finds it."""
    building = "号" if ticket.lane else "栋"
    address = ((ticket.lane, "弄"), (ticket.building, building), (ticket.unit, "单元"), (ticket.room, ""))
    place = [ticket.estate or "", ticket.phase or "", *(f"{part}{suffix}" for part, suffix in address if part)]
    yield from (ticket.number, "".join(place))
    yield from filter(None, (ticket.summary, ticket.contact, ticket.phone, ticket.caller_number))


def _heard_places(ticket_ids: Sequence[int]) -> Select[int, str | None]:
    row = TicketFieldRow
    return select(row.ticket_id, row.value).where(
        row.ticket_id.in_(ticket_ids), row.field == "place", row.value.is_not(None)
    )


def _said(ticket_ids: Sequence[int]) -> Select[int, str]:
    return (
        select(TicketCallRow.ticket_id, func.coalesce(SegmentRow.corrected_text, SegmentRow.text))
        .join(SegmentRow, SegmentRow.call_id == TicketCallRow.call_id)
        .where(TicketCallRow.ticket_id.in_(ticket_ids))
    )
