"""Finds incidents among the open tickets: a tick looks, so that opening a ticket never waits for other tickets.

Every look compares what stands on the tickets now, so that a corrected place or category counts as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentRow, IncidentTicketRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.incident_plan import IncidentPlan, KnownIncident, plan_incidents
from callcenter.domain.incidents import ACTIVE, IncidentAction, IncidentState
from callcenter.domain.ticket_life import JOINABLE, TicketStatus
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.incident_links import (
    TURN,
    link_tickets,
    linked_tickets,
    new_incident,
    place_of_incident,
    report_of,
    take_out,
    tell,
    thing_of_incident,
)
from callcenter.services.ticket_history import SYSTEM
from callcenter.services.transactions import take_turns

log = structlog.get_logger()

LOOK_BACK = timedelta(days=1)
"""Tickets that came while an incident was open are linked however long we were down, up to this."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The rows that a plan was made from, by their ids."""

    plan: IncidentPlan
    incidents: dict[int, IncidentRow]
    tickets: dict[int, TicketRow]


async def find_incidents(database: Database, *, now: datetime, rules: FollowUpRules) -> int:
    """Makes and suggests incidents, links later tickets, lets go what was corrected away; how many incidents changed.

    Looked at without a writing transaction first, since there is hardly ever anything to do.
    """
    if not rules.incidents.enabled:
        return 0
    async with database.read() as session:
        if (await _look(session, now, rules)).plan.is_empty:
            return 0
    async with database.write() as session:
        await take_turns(session, TURN)
        seen = await _look(session, now, rules)
        changed = await _carry_out(session, seen, now=now, rules=rules)
    for number, state in changed.items():
        log.info("incident", incident=number, state=state)
    return len(changed)


async def _look(session: AsyncSession, now: datetime, rules: FollowUpRules) -> _Seen:
    active = IncidentRow.state.in_([state.value for state in ACTIVE])
    incidents = (await session.scalars(select(IncidentRow).where(active).order_by(IncidentRow.id))).all()
    free = await _free(session, now, rules)
    tickets = {ticket.id: ticket for ticket in free}
    known = []
    for incident in incidents:
        linked = await linked_tickets(session, incident.id)
        tickets |= {ticket.id: ticket for ticket in linked}
        known.append(_known(incident, linked, await _by_machine(session, incident.id)))
    plan = plan_incidents([report_of(ticket) for ticket in free], known, rules.incidents)
    return _Seen(plan=plan, incidents={incident.id: incident for incident in incidents}, tickets=tickets)


async def _free(session: AsyncSession, now: datetime, rules: FollowUpRules) -> Sequence[TicketRow]:
    """Open tickets that belong to no incident and that no person took out of one."""
    held = exists().where(
        IncidentTicketRow.ticket_id == TicketRow.id,
        or_(IncidentTicketRow.taken_out_at.is_(None), IncidentTicketRow.taken_out_by != SYSTEM),
    )
    query = select(TicketRow).where(
        TicketRow.created_at >= now - max(LOOK_BACK, rules.incidents.window),
        TicketRow.status.in_([status.value for status in JOINABLE - {TicketStatus.SOLVED}]),
        TicketRow.category.in_(sorted(rules.incidents.categories)),
        TicketRow.no_action_reason.is_(None),
        ~held,
    )
    return (await session.scalars(query.order_by(TicketRow.id))).all()


async def _by_machine(session: AsyncSession, incident_id: int) -> frozenset[int]:
    query = select(IncidentTicketRow.ticket_id).where(
        IncidentTicketRow.incident_id == incident_id, IncidentTicketRow.linked_by == SYSTEM
    )
    return frozenset((await session.scalars(query)).all())


def _known(incident: IncidentRow, linked: Sequence[TicketRow], by_machine: frozenset[int]) -> KnownIncident:
    return KnownIncident(
        incident_id=incident.id,
        state=IncidentState(incident.state),
        thing=thing_of_incident(incident),
        place=place_of_incident(incident),
        since=incident.created_at,
        last_report_at=incident.last_report_at,
        reports=tuple(report_of(ticket) for ticket in linked),
        by_machine=by_machine,
    )


async def _carry_out(
    session: AsyncSession, seen: _Seen, *, now: datetime, rules: FollowUpRules
) -> dict[str, IncidentState]:
    """The number and state of every incident that changed."""
    plan, changed = seen.plan, set()
    for incident_id, gone in plan.leave.items():
        for number in gone:
            await take_out(session, seen.incidents[incident_id], seen.tickets[number], now=now)
        changed.add(incident_id)
    for incident_id, come in plan.join.items():
        await link_tickets(session, seen.incidents[incident_id], [seen.tickets[one] for one in come], now=now)
        changed.add(incident_id)
    for incident_id, state in plan.states.items():
        await _become(session, seen.incidents[incident_id], state, now=now)
        changed.add(incident_id)
    rows = [seen.incidents[incident_id] for incident_id in sorted(changed)]
    for new in plan.new:
        day = rules.calendar.local(now).date()
        incident = await new_incident(session, new.thing, new.place, state=new.state, day=day, now=now)
        await link_tickets(session, incident, [seen.tickets[report.ticket_id] for report in new.reports], now=now)
        rows.append(incident)
    return {row.number: IncidentState(row.state) for row in rows}


async def _become(session: AsyncSession, incident: IncidentRow, state: IncidentState, *, now: datetime) -> None:
    """Open, or let go: its tickets are then free for another incident."""
    before, incident.state = incident.state, state.value
    incident.version += 1
    if state is IncidentState.OPEN:
        tell(session, incident, IncidentAction.OPENED, now=now)
        return
    gone = await linked_tickets(session, incident.id)
    for ticket in gone:
        await take_out(session, incident, ticket, now=now)
    incident.ended_at = now
    data = {"state": before, "tickets": [ticket.id for ticket in gone]}
    tell(session, incident, IncidentAction.DISMISSED, now=now, data=data)
