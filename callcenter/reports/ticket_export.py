"""The tickets of a filter as rows for a file, and by status for the board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.ticket_life import TicketStatus
from callcenter.reports.ticket_counts import UNFINISHED
from callcenter.reports.tickets import TicketFilter, in_order, next_deadlines, selected

MOST_EXPORTED = 100_000
ON_BOARD = 40
"""Tickets shown in one column of the board; the rest are a link to the list."""

_COLUMNS = (
    *(TicketRow.number, TicketRow.created_at, TicketRow.status, TicketRow.request_type, TicketRow.category),
    *(TicketRow.urgency, TicketRow.responsibility, TicketRow.estate, TicketRow.phase, TicketRow.lane),
    *(TicketRow.building, TicketRow.unit, TicketRow.floor, TicketRow.room, TicketRow.contact, TicketRow.phone),
    *(TicketRow.caller_number, TicketRow.summary, TicketRow.owner, TicketRow.call_count, TicketRow.solved_at),
    *(TicketRow.closed_at, TicketRow.visit_at, TicketRow.satisfaction),
)


async def rows_to_export(database: Database, wanted: TicketFilter) -> Sequence[Row[*tuple[Any, ...]]]:
    """In the order of the list; `due_at` is the next deadline that runs."""
    deadline = TicketDeadlineRow
    due = (
        select(func.min(deadline.due_at))
        .where(
            deadline.ticket_id == TicketRow.id,
            deadline.met_at.is_(None),
            deadline.cancelled_at.is_(None),
            deadline.paused_at.is_(None),
        )
        .correlate(TicketRow)
        .scalar_subquery()
        .label("due_at")
    )
    async with database.read() as session:
        query = select(*_COLUMNS, due).where(*selected(session, wanted)).order_by(*in_order(wanted))
        return (await session.execute(query.limit(MOST_EXPORTED))).all()


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardColumn:
    """The tickets of one status, what must be done first on top; `total` counts those that are not shown too."""

    status: TicketStatus
    total: int
    tickets: tuple[tuple[TicketRow, TicketDeadlineRow | None], ...]


async def read_board(database: Database, wanted: TicketFilter) -> tuple[BoardColumn, ...]:
    """Of the unfinished tickets of the filter, in the order of a ticket's life."""
    columns = []
    async with database.read() as session:
        conditions = selected(session, wanted)
        counted = select(TicketRow.status, func.count()).where(*conditions).group_by(TicketRow.status)
        totals: Mapping[str, int] = dict(iter((await session.execute(counted)).all()))
        for status in UNFINISHED:
            query = select(TicketRow).where(*conditions, TicketRow.status == status).order_by(*in_order(wanted))
            tickets = (await session.scalars(query.limit(ON_BOARD))).all() if totals.get(status) else ()
            due = await next_deadlines(session, [one.id for one in tickets])
            columns.append(
                BoardColumn(
                    status=status,
                    total=totals.get(status, 0),
                    tickets=tuple((one, due.get(one.id)) for one in tickets),
                )
            )
    return tuple(columns)
