"""Incidents as the console shows them: which are suggested, open and over, and everything about one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentHistoryRow, IncidentRow, IncidentTicketRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.incidents import ACTIVE, IncidentState

OVER_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentLine:
    incident: IncidentRow
    tickets: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentList:
    """Suggestions first, since they wait for a person; what is over, the latest first and not all of it."""

    suggested: tuple[IncidentLine, ...]
    open: tuple[IncidentLine, ...]
    over: tuple[IncidentLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedTicket:
    """`link` says who linked the ticket when, and who took it out, if anybody did."""

    ticket: TicketRow
    link: IncidentTicketRow


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentPage:
    incident: IncidentRow
    linked: tuple[LinkedTicket, ...]
    taken_out: tuple[LinkedTicket, ...]
    history: tuple[IncidentHistoryRow, ...]


async def list_incidents(database: Database) -> IncidentList:
    async with database.read() as session:
        return IncidentList(
            suggested=await _lines(session, [IncidentState.SUGGESTED]),
            open=await _lines(session, [IncidentState.OPEN]),
            over=await _lines(session, [IncidentState.SOLVED, IncidentState.DISMISSED], limit=OVER_SHOWN),
        )


async def active_incidents(database: Database) -> tuple[IncidentLine, ...]:
    """What the ticket list shows above itself."""
    async with database.read() as session:
        return await _lines(session, sorted(ACTIVE, reverse=True))


async def read_incident(database: Database, number: str) -> IncidentPage | None:
    async with database.read() as session:
        incident = await session.scalar(select(IncidentRow).where(IncidentRow.number == number))
        if incident is None:
            return None
        query = (
            select(TicketRow, IncidentTicketRow)
            .join(IncidentTicketRow, IncidentTicketRow.ticket_id == TicketRow.id)
            .where(IncidentTicketRow.incident_id == incident.id)
            .order_by(TicketRow.created_at, TicketRow.id)
        )
        rows = [LinkedTicket(ticket=ticket, link=link) for ticket, link in (await session.execute(query)).all()]
        history = select(IncidentHistoryRow).where(IncidentHistoryRow.incident_id == incident.id)
        return IncidentPage(
            incident=incident,
            linked=tuple(row for row in rows if row.link.taken_out_at is None),
            taken_out=tuple(row for row in rows if row.link.taken_out_at is not None),
            history=tuple((await session.scalars(history.order_by(IncidentHistoryRow.id.desc()))).all()),
        )


async def incident_of(database: Database, ticket_id: int) -> IncidentLine | None:
    """The incident that a ticket belongs to, with how many tickets it has."""
    async with database.read() as session:
        linked = IncidentTicketRow.ticket_id == ticket_id, IncidentTicketRow.taken_out_at.is_(None)
        query = select(IncidentRow).join(IncidentTicketRow, IncidentTicketRow.incident_id == IncidentRow.id)
        incident = await session.scalar(query.where(*linked))
        if incident is None:
            return None
        counts = await _counts(session, [incident.id])
        return IncidentLine(incident=incident, tickets=counts.get(incident.id, 0))


async def _lines(
    session: AsyncSession, states: Sequence[IncidentState], *, limit: int | None = None
) -> tuple[IncidentLine, ...]:
    query = select(IncidentRow).where(IncidentRow.state.in_([state.value for state in states]))
    order = IncidentRow.ended_at.desc() if limit else IncidentRow.last_report_at.desc()
    rows = (await session.scalars(query.order_by(order, IncidentRow.id.desc()).limit(limit))).all()
    counts = await _counts(session, [row.id for row in rows])
    return tuple(IncidentLine(incident=row, tickets=counts.get(row.id, 0)) for row in rows)


async def _counts(session: AsyncSession, incident_ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(IncidentTicketRow.incident_id, func.count().label("tickets"))
        .where(IncidentTicketRow.incident_id.in_(incident_ids), IncidentTicketRow.taken_out_at.is_(None))
        .group_by(IncidentTicketRow.incident_id)
    )
    return {row.incident_id: row.tickets for row in (await session.execute(query)).all()}
