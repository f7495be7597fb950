"""The history of a ticket: who did what when."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketHistoryRow
from callcenter.domain.ticket_life import HistoryAction

SYSTEM = "system"


def write_history(
    session: AsyncSession,
    ticket_id: int,
    action: HistoryAction,
    *,
    at: datetime,
    actor: str = SYSTEM,
    data: dict[str, Any] | None = None,
) -> None:
    row = TicketHistoryRow(ticket_id=ticket_id, at=at, actor=actor, action=action.value, data=data or {})
    session.add(row)
