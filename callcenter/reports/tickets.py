"""The list of tickets: filtered, searched (transcripts too), counted, the next deadline first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketFieldRow, TicketRow
from callcenter.domain.ticket_life import FINISHED, TicketStatus

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
        by_view = await _count_views(session, wanted)
        total = by_view[wanted.view]
        page = min(max(1, wanted.page), max(1, -(-total // PAGE_SIZE)))
        tickets = (await session.scalars(_page_of(wanted, page))).all()
        ids = [ticket.id for ticket in tickets]
        deadlines = await next_deadlines(session, ids)
        words = await _words(session, tickets, wanted.terms)
        return TicketList(
            lines=tuple(
                TicketLine(ticket=one, deadline=deadlines.get(one.id), words=words.get(one.id)) for one in tickets
            ),
            total=total,
            page=page,
            by_view=by_view,
            by_type=await _count_by(session, wanted, TicketRow.request_type, leave_out="request_type"),
            by_category=await _count_by(session, wanted, TicketRow.category, leave_out="category"),
            by_building=await _count_by(session, wanted, TicketRow.building, leave_out="building"),
        )


async def count_open(database: Database) -> int:
    async with database.read() as session:
        query = select(func.count()).where(TicketRow.status.not_in(FINISHED))
        return (await session.execute(query)).scalar_one()


async def open_by_owner(database: Database) -> list[tuple[str, int]]:
    """How many open tickets each owner has, most first."""
    query = (
        select(TicketRow.owner, func.count())
        .where(TicketRow.status.not_in(FINISHED), TicketRow.owner.is_not(None))
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


def _view(view: View, wanted: TicketFilter) -> ColumnElement[bool]:
    is_open = TicketRow.status.not_in(FINISHED)
    conditions: dict[View, ColumnElement[bool]] = {
        View.OPEN: is_open,
        View.MINE: and_(is_open, TicketRow.owner.in_(wanted.mine)),
        View.UNOWNED: and_(is_open, TicketRow.owner.is_(None)),
        View.OVERDUE: and_(is_open, _due_before(wanted.now)),
        View.TODAY: and_(is_open, _due_before(wanted.day_ends)),
        View.SOLVED: TicketRow.status == TicketStatus.SOLVED,
        View.CLOSED: TicketRow.status.in_(FINISHED),
        View.ALL: true(),
    }
    return conditions[view]


def _due_before(at: datetime) -> ColumnElement[bool]:
    return exists().where(TicketDeadlineRow.ticket_id == TicketRow.id, _is_running(), TicketDeadlineRow.due_at < at)


def _narrowed(wanted: TicketFilter, *, leave_out: str = "") -> Iterable[ColumnElement[bool]]:
    """The conditions apart from the view; `leave_out` names a filter whose own alternatives are being counted."""
    for name in ("request_type", "category", "building"):
        value = getattr(wanted, name)
        if value and name != leave_out:
            yield getattr(TicketRow, name) == value
    for term in wanted.terms:
        yield _contains(term)


def _contains(term: str) -> ColumnElement[bool]:
    place = _address()
    own = [
        column.icontains(term, autoescape=True)
        for column in (
            TicketRow.number,
            TicketRow.summary,
            TicketRow.contact,
            TicketRow.phone,
            TicketRow.caller_number,
            place,
        )
    ]
    heard_place = exists().where(
        TicketFieldRow.ticket_id == TicketRow.id,
        TicketFieldRow.field == "place",
        TicketFieldRow.value.icontains(term, autoescape=True),
    )
    return or_(*own, heard_place, TicketRow.id.in_(_spoken_in(term)))


def _spoken_in(term: str) -> Select[int]:
    text = func.coalesce(SegmentRow.corrected_text, SegmentRow.text)
    return (
        select(TicketCallRow.ticket_id)
        .join(SegmentRow, SegmentRow.call_id == TicketCallRow.call_id)
        .where(text.icontains(term, autoescape=True))
    )


def _address() -> ColumnElement[str]:
    """The address as it is written on a ticket, so that 3栋2单元501 finds it."""

    def part(column: InstrumentedAttribute[str | None], suffix: str) -> ColumnElement[str]:
        return func.coalesce(column.concat(suffix), "")

    building = case((TicketRow.lane.is_not(None), literal("号")), else_=literal("栋"))
    return (
        part(TicketRow.estate, "")
        + part(TicketRow.phase, "")
        + part(TicketRow.lane, "弄")
        + func.coalesce(TicketRow.building.concat(building), "")
        + part(TicketRow.unit, "单元")
        + part(TicketRow.room, "")
    )


def _page_of(wanted: TicketFilter, page: int) -> Select[TicketRow]:
    newest = TicketRow.created_at.desc()
    order = (newest,) if wanted.view in (View.CLOSED, View.ALL) else (_next_due().asc().nulls_last(), newest)
    return (
        select(TicketRow)
        .where(_view(wanted.view, wanted), *_narrowed(wanted))
        .order_by(*order, TicketRow.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )


async def _count_views(session: AsyncSession, wanted: TicketFilter) -> dict[str, int]:
    sums = [func.coalesce(func.sum(case((_view(view, wanted), 1), else_=0)), 0) for view in View]
    row = (await session.execute(select(*sums).select_from(TicketRow).where(*_narrowed(wanted)))).one()
    return {view.value: int(count) for view, count in zip(View, row, strict=True)}


async def _count_by(
    session: AsyncSession, wanted: TicketFilter, column: InstrumentedAttribute[str | None], *, leave_out: str
) -> dict[str, int]:
    """How many tickets by each value of a column, most first."""
    query = (
        select(column, func.count())
        .where(_view(wanted.view, wanted), *_narrowed(wanted, leave_out=leave_out), column.is_not(None))
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return {str(value): count for value, count in (await session.execute(query)).all()}


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
