"""Tickets that a person should look at: what could not be understood at all first, then the least sure."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, column, func, or_, select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.reports.ticket_counts import UNFINISHED

QUEUE_LENGTH = 50
"""Shown at once; the next ones come up as these are done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewItem:
    """`doubt` is the confidence of the least sure field, 0 where the recording must be listened to."""

    ticket: TicketRow
    call: CallRow
    doubt: float | None
    unsure: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewQueue:
    items: tuple[ReviewItem, ...]
    total: int


async def review_queue(database: Database, *, agent_id: str | None, all_calls: bool) -> ReviewQueue:
    """An agent sees the calls they took and those that nobody took; `all_calls` shows everyone's."""
    unsure = [
        select(what)
        .where(TicketFieldRow.ticket_id == TicketRow.id, TicketFieldRow.state == "unsure")
        .correlate(TicketRow)
        .scalar_subquery()
        for what in (func.min(TicketFieldRow.confidence), func.count())
    ]
    doubt = case((TicketRow.must_listen, 0.0), else_=unsure[0])
    query = (
        select(TicketRow, CallRow, doubt.label("doubt"), unsure[1])
        .join(CallRow, CallRow.id == TicketRow.first_call_id)
        .where(_waiting(agent_id, all_calls=all_calls))
        .order_by(column("doubt").asc().nulls_last(), TicketRow.created_at)
        .limit(QUEUE_LENGTH)
    )
    async with database.read() as session:
        rows = (await session.execute(query)).all()
        total = (await session.execute(_count(agent_id, all_calls=all_calls))).scalar_one()
    return ReviewQueue(
        items=tuple(ReviewItem(ticket=row[0], call=row[1], doubt=row[2], unsure=row[3]) for row in rows), total=total
    )


async def count_to_review(database: Database, *, agent_id: str | None, all_calls: bool) -> int:
    async with database.read() as session:
        return (await session.execute(_count(agent_id, all_calls=all_calls))).scalar_one()


def _count(agent_id: str | None, *, all_calls: bool) -> Select[int]:
    return (
        select(func.count())
        .select_from(TicketRow)
        .join(CallRow, CallRow.id == TicketRow.first_call_id)
        .where(_waiting(agent_id, all_calls=all_calls))
    )


def _waiting(agent_id: str | None, *, all_calls: bool) -> ColumnElement[bool]:
    """Finished tickets ask for nothing more."""
    asks = and_(or_(TicketRow.needs_review, TicketRow.must_listen), TicketRow.status.in_(UNFINISHED))
    return asks if all_calls else and_(asks, or_(CallRow.answered_by == agent_id, CallRow.answered_by.is_(None)))
