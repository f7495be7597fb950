"""Ticket numbers: GD-1124-0001 is the first ticket of a 24 November."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketRow


async def next_ticket_number(session: AsyncSession, day: date) -> str:
    """The next number of the day, without gaps: the caller holds the turn to open tickets (`take_turns`).

    Numbers are unique for ever, so that the same day a year later goes on where it ended.
    """
    prefix = f"GD-{day:%m%d}-"
    last = await session.scalar(
        select(TicketRow.number)
        .where(TicketRow.number.startswith(prefix, autoescape=True))
        .order_by(func.length(TicketRow.number).desc(), TicketRow.number.desc())
        .limit(1)
    )
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:04d}"
