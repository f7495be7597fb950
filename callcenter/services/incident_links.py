"""The tickets of an incident: linked and taken out, both written into the incident's history and the ticket's."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.incidents import IncidentHistoryRow, IncidentRow, IncidentTicketRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.incidents import IncidentAction, IncidentState, Reach, Report, Thing
from callcenter.domain.ticket_life import FINISHED, HistoryAction
from callcenter.domain.tickets import Place
from callcenter.services.number_to_call import number_to_call
from callcenter.services.ticket_history import SYSTEM, write_history

TURN = "incidents"
"""Whoever makes incidents or links tickets takes turns by this name (`take_turns`)."""


def report_of(ticket: TicketRow) -> Report:
    return Report(
        ticket_id=ticket.id,
        at=ticket.created_at,
        place=Place(**{name: getattr(ticket, name) for name in PLACE_COLUMNS}),
        number=number_to_call(ticket),
        category=ticket.category,
        request_type=ticket.request_type,
        responsibility=ticket.responsibility,
        summary=ticket.summary,
    )


def thing_of_incident(incident: IncidentRow) -> Thing:
    return Thing(key=incident.thing, category=incident.category, reach=Reach(incident.reach))


def place_of_incident(incident: IncidentRow) -> Place:
    return Place(estate=incident.estate, phase=incident.phase, lane=incident.lane, building=incident.building)


async def new_incident(
    session: AsyncSession,
    thing: Thing,
    place: Place,
    *,
    state: IncidentState,
    day: date,
    now: datetime,
    actor: str = SYSTEM,
) -> IncidentRow:
    """The incident SJ-1124-01, the first of a 24 November. The caller holds the turn."""
    incident = IncidentRow(
        number=await _next_number(session, day),
        state=state.value,
        thing=thing.key,
        category=thing.category,
        reach=thing.reach.value,
        estate=place.estate,
        phase=place.phase,
        lane=place.lane,
        building=place.building,
        created_at=now,
        last_report_at=now,
    )
    session.add(incident)
    await session.flush()
    action = IncidentAction.OPENED if state is IncidentState.OPEN else IncidentAction.SUGGESTED
    tell(session, incident, action, now=now, actor=actor)
    return incident


async def _next_number(session: AsyncSession, day: date) -> str:
    prefix = f"SJ-{day:%m%d}-"
    last = await session.scalar(
        select(IncidentRow.number)
        .where(IncidentRow.number.startswith(prefix, autoescape=True))
        .order_by(func.length(IncidentRow.number).desc(), IncidentRow.number.desc())
        .limit(1)
    )
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:02d}"


def tell(
    session: AsyncSession,
    incident: IncidentRow,
    action: IncidentAction,
    *,
    now: datetime,
    actor: str = SYSTEM,
    data: dict[str, Any] | None = None,
) -> None:
    row = IncidentHistoryRow(incident_id=incident.id, at=now, actor=actor, action=action.value, data=data or {})
    session.add(row)


async def link_tickets(
    session: AsyncSession, incident: IncidentRow, tickets: Iterable[TicketRow], *, now: datetime, actor: str = SYSTEM
) -> None:
    """Each ticket stays what it is: its own resident, promises and answer. Who was taken out is put back."""
    for ticket in tickets:
        known = await session.get(IncidentTicketRow, (incident.id, ticket.id))
        if known is None:
            row = IncidentTicketRow(incident_id=incident.id, ticket_id=ticket.id, linked_at=now, linked_by=actor)
            session.add(row)
        else:
            known.linked_at, known.linked_by, known.taken_out_at, known.taken_out_by = now, actor, None, None
        incident.last_report_at = max(incident.last_report_at, ticket.created_at)
        tell(session, incident, IncidentAction.LINKED, now=now, actor=actor, data={"ticket": ticket.number})
        data = {"incident": incident.number}
        write_history(session, ticket.id, HistoryAction.INCIDENT_LINKED, at=now, actor=actor, data=data)
    await session.flush()


async def take_out(
    session: AsyncSession, incident: IncidentRow, ticket: TicketRow, *, now: datetime, actor: str = SYSTEM
) -> None:
    link = await session.get_one(IncidentTicketRow, (incident.id, ticket.id))
    link.taken_out_at, link.taken_out_by = now, actor
    tell(session, incident, IncidentAction.TAKEN_OUT, now=now, actor=actor, data={"ticket": ticket.number})
    data = {"incident": incident.number}
    write_history(session, ticket.id, HistoryAction.INCIDENT_LEFT, at=now, actor=actor, data=data)
    await session.flush()


async def linked_tickets(session: AsyncSession, incident_id: int, *, lock: bool = False) -> Sequence[TicketRow]:
    """In the order of their numbers, in which everybody locks them."""
    query = (
        select(TicketRow)
        .join(IncidentTicketRow, IncidentTicketRow.ticket_id == TicketRow.id)
        .where(IncidentTicketRow.incident_id == incident_id, IncidentTicketRow.taken_out_at.is_(None))
        .order_by(TicketRow.id)
    )
    if lock:
        query = query.with_for_update(of=TicketRow, key_share=True).execution_options(populate_existing=True)
    return (await session.scalars(query)).all()


async def tickets_of_open_incidents(session: AsyncSession, ticket_ids: Sequence[int]) -> frozenset[int]:
    """Those of the tickets whose matter is known to concern several homes and is being worked on."""
    query = (
        select(IncidentTicketRow.ticket_id)
        .join(IncidentRow, IncidentRow.id == IncidentTicketRow.incident_id)
        .join(TicketRow, TicketRow.id == IncidentTicketRow.ticket_id)
        .where(
            IncidentTicketRow.ticket_id.in_(ticket_ids),
            IncidentTicketRow.taken_out_at.is_(None),
            IncidentRow.state == IncidentState.OPEN.value,
            TicketRow.status.not_in([status.value for status in FINISHED]),
        )
    )
    return frozenset((await session.scalars(query)).all())
