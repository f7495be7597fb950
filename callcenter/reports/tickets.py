"""The list of tickets: filtered, searched (transcripts too), counted, the next deadline first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.ticket_life import FINISHED, TicketStatus
from callcenter.reports.ticket_counts import NARROWED_BY, UNFINISHED, count_tickets
from callcenter.reports.ticket_search import holds

PAGE_SIZE = 25


class View(StrEnum):
    """Which tickets; each is a link on the page."""

    OPEN = "open"
    MINE = "mine"
    UNOWNED = "unowned"
    OVERDUE = "overdue"
    TODAY = "today"
    SOLVED = "solved"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFilter:
    """What is asked for. `mine` are the names under which the asker owns tickets; `day_ends` is tonight's midnight."""

    now: datetime
    day_ends: datetime
    mine: tuple[str, ...] = ()
    view: View = View.OPEN
    request_type: str | None = None
    category: str | None = None
    building: str | None = None
    q: str = ""
    page: int = 1

    @property
    def terms(self) -> tuple[str, ...]:
        return tuple(self.q.split())

    @property
    def narrowed(self) -> dict[str, str | None]:
        return {name: getattr(self, name) for name in NARROWED_BY}


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketLine:
    """One row of the list; `words` is something the resident said, around the search term where there is one."""

    ticket: TicketRow
    deadline: TicketDeadlineRow | None
    words: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketList:
    """One page of the list and the counts that stand at the filters."""

    lines: tuple[TicketLine, ...]
    total: int
    page: int
    by_view: dict[str, int]
    by_type: dict[str, int]
    by_category: dict[str, int]
    by_building: dict[str, int]
    page_size: int = field(default=PAGE_SIZE)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))


async def list_tickets(database: Database, wanted: TicketFilter) -> TicketList:
    async with database.read() as session:
        counts = await count_tickets(
            session,
            view=wanted.view,
            narrowed=wanted.narrowed,
            found=holds(session, wanted.terms),
            open_views=_open_views(wanted),
        )
        by_view = {view.value: counts.by_view.get(view, 0) for view in View}
        total = by_view[wanted.view]
        page = min(max(1, wanted.page), max(1, -(-total // PAGE_SIZE)))
        tickets = (await session.scalars(_page_of(session, wanted, page))).all()
        ids = [ticket.id for ticket in tickets]
        deadlines = await next_deadlines(session, ids)
        words = await _words(session, tickets, wanted.terms)
    return TicketList(
        lines=tuple(TicketLine(ticket=one, deadline=deadlines.get(one.id), words=words.get(one.id)) for one in tickets),
        total=total,
        page=page,
        by_view=by_view,
        by_type=counts.by_value["request_type"],
        by_category=counts.by_value["category"],
        by_building=counts.by_value["building"],
    )


async def count_open(database: Database) -> int:
    async with database.read() as session:
        query = select(func.count()).where(TicketRow.status.in_(UNFINISHED))
        return (await session.execute(query)).scalar_one()


async def open_by_owner(database: Database) -> list[tuple[str, int]]:
    """How many open tickets each owner has, most first."""
    query = (
        select(TicketRow.owner, func.count())
        .where(TicketRow.status.in_(UNFINISHED), TicketRow.owner.is_not(None))
        .group_by(TicketRow.owner)
        .order_by(func.count().desc(), TicketRow.owner)
    )
    async with database.read() as session:
        return [(str(owner), count) for owner, count in (await session.execute(query)).all()]


async def next_deadlines(session: AsyncSession, ticket_ids: Sequence[int]) -> dict[int, TicketDeadlineRow]:
    """The earliest deadline of each ticket that is neither met nor cancelled."""
    query = (
        select(TicketDeadlineRow)
        .where(TicketDeadlineRow.ticket_id.in_(ticket_ids), _is_running())
        .order_by(TicketDeadlineRow.due_at.desc())
    )
    return {row.ticket_id: row for row in (await session.scalars(query)).all()}


def _is_running() -> ColumnElement[bool]:
    """Neither met nor cancelled, nor standing still while the resident is waited for."""
    row = TicketDeadlineRow
    return and_(row.met_at.is_(None), row.cancelled_at.is_(None), row.paused_at.is_(None))


def _next_due() -> ColumnElement[datetime]:
    query = select(func.min(TicketDeadlineRow.due_at)).where(TicketDeadlineRow.ticket_id == TicketRow.id, _is_running())
    return query.correlate(TicketRow).scalar_subquery()


def _open_views(wanted: TicketFilter) -> dict[str, ColumnElement[bool]]:
    """What each view of unfinished tickets asks for besides."""
    return {
        View.MINE: TicketRow.owner.in_(wanted.mine),
        View.UNOWNED: TicketRow.owner.is_(None),
        View.OVERDUE: _due_before(wanted.now),
        View.TODAY: _due_before(wanted.day_ends),
        View.SOLVED: TicketRow.status == TicketStatus.SOLVED,
    }


def in_view(wanted: TicketFilter) -> ColumnElement[bool]:
    if wanted.view is View.ALL:
        return true()
    if wanted.view is View.CLOSED:
        return TicketRow.status.in_(FINISHED)
    besides = _open_views(wanted).get(wanted.view)
    is_open = TicketRow.status.in_(UNFINISHED)
    return is_open if besides is None else and_(is_open, besides)


def _due_before(at: datetime) -> ColumnElement[bool]:
    return exists().where(TicketDeadlineRow.ticket_id == TicketRow.id, _is_running(), TicketDeadlineRow.due_at < at)


def selected(session: AsyncSession, wanted: TicketFilter) -> list[ColumnElement[bool]]:
    """The conditions that the tickets of the list fulfil."""
    narrowed = [getattr(TicketRow, name) == value for name, value in wanted.narrowed.items() if value]
    return [in_view(wanted), *narrowed, holds(session, wanted.terms)]


def in_order(wanted: TicketFilter) -> tuple[Any, ...]:
    """What is finished: the newest first; else what must be done first."""
    newest = TicketRow.created_at.desc()
    is_over = wanted.view in (View.CLOSED, View.ALL)
    return (*((newest,) if is_over else (_next_due().asc().nulls_last(), newest)), TicketRow.id)


def _page_of(session: AsyncSession, wanted: TicketFilter, page: int) -> Select[TicketRow]:
    return (
        select(TicketRow)
        .where(*selected(session, wanted))
        .order_by(*in_order(wanted))
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )


async def _words(session: AsyncSession, tickets: Sequence[TicketRow], terms: tuple[str, ...]) -> dict[int, str]:
    """For each ticket what the resident said: the passage with a search term, else the first that says something."""
    text = func.coalesce(SegmentRow.corrected_text, SegmentRow.text)
    hit = or_(*(text.icontains(term, autoescape=True) for term in terms)) if terms else SegmentRow.side != "agent"
    query = (
        select(TicketCallRow.ticket_id, text.label("words"))
        .join(SegmentRow, SegmentRow.call_id == TicketCallRow.call_id)
        .where(TicketCallRow.ticket_id.in_([ticket.id for ticket in tickets]), hit, func.length(text) > 5)
        .order_by(SegmentRow.start_ms.desc())
    )
    return {row.ticket_id: row.words for row in (await session.execute(query)).all()}
