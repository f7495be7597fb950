"""A shift ends: what an agent has open goes to a colleague, each ticket with its line in the history."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.services.ticket_history import write_history


async def hand_over_tickets(
    database: Database,
    *,
    from_owner: str,
    to: str,
    actor: str,
    now: datetime,
    note: str = "",
    only: Collection[str] | None = None,
) -> list[str]:
    """The numbers of the tickets that changed hands: all unfinished ones, or those in `only`.

    Ownership moves whole and at once (首问负责制): no ticket is without an owner in between.
    """
    finished = [status.value for status in FINISHED]
    query = select(TicketRow).where(TicketRow.owner == from_owner, TicketRow.status.not_in(finished))
    if only is not None:
        query = query.where(TicketRow.number.in_(only))
    async with database.write() as session:
        tickets = (await session.scalars(query.order_by(TicketRow.id).with_for_update(key_share=True))).all()
        data = {"from": from_owner, "to": to, "shift": True, "note": note}
        for ticket in tickets if to != from_owner else ():
            ticket.owner = to
            if TicketStatus(ticket.status) in (TicketStatus.OPEN, TicketStatus.REOPENED):
                ticket.status = TicketStatus.ASSIGNED.value
            ticket.version += 1
            ticket.updated_at = now
            write_history(session, ticket.id, HistoryAction.ASSIGNED, at=now, actor=actor, data=data)
        numbers = [ticket.number for ticket in tickets] if to != from_owner else []
        if numbers:
            audited = {"to": to, "tickets": numbers}
            session.add(AuditRow(at=now, login=actor, action="shift_handed_over", subject=from_owner, data=audited))
    return numbers
