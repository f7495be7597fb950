"""Somebody is on the spot: an emergency's 3-minute clock ends, by the console or by the engineer's own phone."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.ticket_life import HistoryAction, TicketStatus
from callcenter.services.deadlines import meet_deadlines, open_deadlines
from callcenter.services.ticket_history import write_history

NOT_BEGUN = frozenset({TicketStatus.OPEN, TicketStatus.ASSIGNED, TicketStatus.REOPENED})


async def arrive(session: AsyncSession, ticket: TicketRow, *, at: datetime) -> None:
    await meet_deadlines(session, ticket.id, [DeadlineKind.ON_SITE], at=at)
    if TicketStatus(ticket.status) in NOT_BEGUN:
        ticket.status = TicketStatus.IN_PROGRESS.value


async def arrive_by_phone(
    session: AsyncSession, ticket: TicketRow, *, person: str, call_id: str, at: datetime, now: datetime
) -> bool:
    """The engineer keyed it; whether a clock was running. Keyed again it changes nothing."""
    if not await open_deadlines(session, ticket.id, [DeadlineKind.ON_SITE]):
        return False
    await arrive(session, ticket, at=at)
    ticket.version += 1
    ticket.updated_at = now
    data = {"call_id": call_id, "by_phone": True}
    write_history(session, ticket.id, HistoryAction.ARRIVED, at=now, actor=person, data=data)
    return True
