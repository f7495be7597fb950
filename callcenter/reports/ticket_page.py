"""Everything about one ticket: fields and what they were heard from, deadlines, history, calls, tickets of the home."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.tickets import (
    TicketCallRow,
    TicketDeadlineRow,
    TicketFieldRow,
    TicketHistoryRow,
    TicketRow,
)
from callcenter.db.users import AuditRow
from callcenter.reports.recorded_calls import RecordedCall, recorded_calls

RELATED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketCall:
    """A call of the ticket, and how it belongs to it (first / repeat / ours)."""

    relation: str
    recorded: RecordedCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Someone who opened the ticket today, and when last."""

    login: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketPage:
    ticket: TicketRow
    fields: dict[str, TicketFieldRow]
    deadlines: tuple[TicketDeadlineRow, ...]
    history: tuple[TicketHistoryRow, ...]
    calls: tuple[TicketCall, ...]
    related: tuple[TicketRow, ...]
    looks: tuple[Look, ...]

    @property
    def next_deadline(self) -> TicketDeadlineRow | None:
        running = [one for one in self.deadlines if not (one.met_at or one.cancelled_at or one.paused_at)]
        return min(running, key=lambda one: one.due_at, default=None)

    @property
    def first_call(self) -> TicketCall | None:
        return self.call(self.ticket.first_call_id) or next(iter(self.calls), None)

    def call(self, call_id: str | None) -> TicketCall | None:
        return next((one for one in self.calls if one.recorded.call.id == call_id), None)


async def read_ticket(database: Database, number: str, *, day_began: datetime) -> TicketPage | None:
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one_or_none()
        if ticket is None:
            return None
        fields = await session.scalars(select(TicketFieldRow).where(TicketFieldRow.ticket_id == ticket.id))
        return TicketPage(
            ticket=ticket,
            fields={row.field: row for row in fields.all()},
            deadlines=tuple(await _deadlines(session, ticket.id)),
            history=tuple(await _history(session, ticket.id)),
            calls=await _calls(session, ticket),
            related=tuple(await _related(session, ticket)),
            looks=await _looks(session, ticket.number, day_began),
        )


async def _deadlines(session: AsyncSession, ticket_id: int) -> Sequence[TicketDeadlineRow]:
    """Running ones first, the next on top; then those that are over, the latest first."""
    query = select(TicketDeadlineRow).where(TicketDeadlineRow.ticket_id == ticket_id).order_by(TicketDeadlineRow.due_at)
    rows = (await session.scalars(query)).all()
    running = [row for row in rows if row.met_at is None and row.cancelled_at is None]
    over = [row for row in rows if row.met_at is not None or row.cancelled_at is not None]
    return [*running, *reversed(over)]


async def _history(session: AsyncSession, ticket_id: int) -> Sequence[TicketHistoryRow]:
    query = (
        select(TicketHistoryRow)
        .where(TicketHistoryRow.ticket_id == ticket_id)
        .order_by(TicketHistoryRow.at.desc(), TicketHistoryRow.id.desc())
    )
    return (await session.scalars(query)).all()


async def _calls(session: AsyncSession, ticket: TicketRow) -> tuple[TicketCall, ...]:
    """Its own, and for one of several problems of a call that call, which belongs to another ticket."""
    links = (await session.scalars(select(TicketCallRow).where(TicketCallRow.ticket_id == ticket.id))).all()
    relations = {link.call_id: link.relation for link in links}
    if ticket.part_of is not None:
        relations.setdefault(ticket.first_call_id, "shared")
    calls = await recorded_calls(session, list(relations))
    found = [TicketCall(relation=relation, recorded=calls[call_id]) for call_id, relation in relations.items()]
    return tuple(sorted(found, key=lambda one: one.recorded.call.started_at))


async def _related(session: AsyncSession, ticket: TicketRow) -> Sequence[TicketRow]:
    """Other tickets of the same home or the same caller, the newest first."""
    same: list[ColumnElement[bool]] = []
    if ticket.room:
        same.append(
            and_(*(getattr(TicketRow, part) == getattr(ticket, part) for part in ("building", "room")))
            & (func.coalesce(TicketRow.unit, "") == (ticket.unit or ""))
        )
    if ticket.caller_number:
        same.append(TicketRow.caller_number == ticket.caller_number)
    if not same:
        return ()
    query = select(TicketRow).where(TicketRow.id != ticket.id, or_(*same)).order_by(TicketRow.created_at.desc())
    return (await session.scalars(query.limit(RELATED))).all()


async def _looks(session: AsyncSession, number: str, day_began: datetime) -> tuple[Look, ...]:
    last = func.max(AuditRow.at)
    query = (
        select(AuditRow.login, last)
        .where(AuditRow.at >= day_began, AuditRow.action == "viewed_ticket", AuditRow.subject == f"ticket:{number}")
        .group_by(AuditRow.login)
        .order_by(last)
    )
    return tuple(Look(login=login, at=at) for login, at in (await session.execute(query)).all())
