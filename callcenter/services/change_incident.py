"""What people do with an incident: confirm, dismiss, bring back, add a ticket, take one out, solve it for everybody.

Each names the version that the person saw (`StaleIncident`), writes the incident's history, the tickets' and the audit.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentHistoryRow, IncidentRow, IncidentTicketRow
from callcenter.db.tickets import TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.incidents import ACTIVE, IncidentAction, IncidentState, by_home
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.incident_links import TURN, link_tickets, linked_tickets, report_of, take_out, tell
from callcenter.services.ticket_history import write_history
from callcenter.services.ticket_status import set_status
from callcenter.services.tickets import Change, NoSuchTicket
from callcenter.services.transactions import take_turns

DONE = FINISHED | {TicketStatus.SOLVED}


class NoSuchIncident(Exception):
    """There is no incident with this number."""


class IncidentRefused(Exception):
    """This cannot be done with the incident as it stands; the message says why."""


class StaleIncident(IncidentRefused):
    """Somebody else has changed the incident since it was looked at."""


@asynccontextmanager
async def _changing(
    database: Database, change: Change, action: IncidentAction, *states: IncidentState
) -> AsyncIterator[tuple[AsyncSession, IncidentRow, dict[str, Any]]]:
    """The incident, locked, in a transaction; what is put into the dictionary stands in its history."""
    async with database.write() as session:
        await take_turns(session, TURN)
        query = select(IncidentRow).where(IncidentRow.number == change.number).with_for_update()
        incident = await session.scalar(query.execution_options(populate_existing=True))
        if incident is None:
            raise NoSuchIncident(change.number)
        if incident.version != change.version:
            raise StaleIncident(f"{incident.number} is version {incident.version} now")
        if incident.state not in states:
            raise IncidentRefused(f"{incident.number} is {incident.state}")
        data: dict[str, Any] = {}
        yield session, incident, data
        incident.version += 1
        if action not in (IncidentAction.LINKED, IncidentAction.TAKEN_OUT):  # these are told with each ticket
            tell(session, incident, action, now=change.now, actor=change.actor, data=data)
        audited = {"action": action.value}
        row = AuditRow(
            at=change.now, login=change.actor, action="incident_changed", subject=incident.number, data=audited
        )
        session.add(row)


async def confirm_incident(database: Database, change: Change) -> None:
    """A suggestion is one. Raises IncidentRefused, NoSuchIncident, as do all of these."""
    async with _changing(database, change, IncidentAction.OPENED, IncidentState.SUGGESTED) as (_, incident, _data):
        incident.state = IncidentState.OPEN.value


async def dismiss_incident(database: Database, change: Change) -> None:
    """These are separate things: every ticket goes its own way again, and the machine does not bring it up anew."""
    async with _changing(database, change, IncidentAction.DISMISSED, *ACTIVE) as (session, incident, data):
        data["state"], data["tickets"] = incident.state, []
        for ticket in await linked_tickets(session, incident.id):
            await take_out(session, incident, ticket, now=change.now, actor=change.actor)
            data["tickets"].append(ticket.id)
        incident.state, incident.ended_at = IncidentState.DISMISSED.value, change.now


async def restore_incident(database: Database, change: Change) -> None:
    """Undoes a dismissal: its tickets are linked again, unless they have come to another incident meanwhile."""
    async with _changing(database, change, IncidentAction.RESTORED, IncidentState.DISMISSED) as (session, incident, _):
        before = await _last(session, incident, IncidentAction.DISMISSED)
        free = await _unlinked(session, before.get("tickets", []))
        await link_tickets(session, incident, free, now=change.now, actor=change.actor)
        incident.state, incident.ended_at = before.get("state", IncidentState.SUGGESTED.value), None


async def add_ticket(database: Database, change: Change, *, ticket: str) -> None:
    """A ticket that the machine took for something else. Raises NoSuchTicket."""
    async with _changing(database, change, IncidentAction.LINKED, *ACTIVE) as (session, incident, _data):
        row = await session.scalar(select(TicketRow).where(TicketRow.number == ticket))
        if row is None:
            raise NoSuchTicket(ticket)
        if not await _unlinked(session, [row.id]):
            raise IncidentRefused(f"{ticket} belongs to an incident already")
        if row.merged_into is not None:
            raise IncidentRefused(f"{ticket} is merged with another ticket, which goes on")
        await link_tickets(session, incident, [row], now=change.now, actor=change.actor)


async def remove_ticket(database: Database, change: Change, *, ticket: str) -> None:
    """This one is something else after all. Raises NoSuchTicket."""
    async with _changing(database, change, IncidentAction.TAKEN_OUT, *ACTIVE) as (session, incident, _data):
        row = next((one for one in await linked_tickets(session, incident.id) if one.number == ticket), None)
        if row is None:
            raise NoSuchTicket(ticket)
        await take_out(session, incident, row, now=change.now, actor=change.actor)


async def solve_incident(database: Database, change: Change, *, note: str, rules: FollowUpRules) -> None:
    """The cause is mended: every home's ticket is solved, so that each home is asked by phone once, by the usual rules.

    A second ticket of the same home is closed; its history names the one on which the home is asked.
    """
    async with _changing(database, change, IncidentAction.SOLVED, IncidentState.OPEN) as (session, incident, data):
        tickets = await linked_tickets(session, incident.id, lock=True)
        data |= {"text": note, "tickets": [], "homes": 0}
        for home in _by_home(tickets):
            data["homes"] += 1
            asked, *others = sorted(home, key=lambda one: (TicketStatus(one.status) not in DONE, one.id))
            if TicketStatus(asked.status) not in DONE:
                await _move(session, asked, TicketStatus.SOLVED, change, rules)
                data["tickets"].append(asked.id)
            for other in others:
                if TicketStatus(other.status) not in FINISHED:
                    await _close(session, other, asked, incident, change, rules)
                    data["tickets"].append(other.id)
        incident.state, incident.ended_at = IncidentState.SOLVED.value, change.now


async def reopen_incident(database: Database, change: Change, *, rules: FollowUpRules) -> None:
    """It is not over, or was called solved by mistake: what the solving moved is open again, no home is asked yet."""
    async with _changing(database, change, IncidentAction.REOPENED, IncidentState.SOLVED) as (session, incident, _data):
        moved = set((await _last(session, incident, IncidentAction.SOLVED)).get("tickets", []))
        for ticket in await linked_tickets(session, incident.id, lock=True):
            if ticket.id in moved and TicketStatus(ticket.status) in (TicketStatus.SOLVED, TicketStatus.CLOSED):
                await _move(session, ticket, TicketStatus.REOPENED, change, rules)
        incident.state, incident.ended_at = IncidentState.OPEN.value, None


def _by_home(tickets: Sequence[TicketRow]) -> list[list[TicketRow]]:
    by_id = {ticket.id: ticket for ticket in tickets}
    homes = by_home([report_of(ticket) for ticket in tickets if ticket.merged_into is None])
    return [[by_id[report.ticket_id] for report in home] for home in homes]


async def _move(
    session: AsyncSession, ticket: TicketRow, to: TicketStatus, change: Change, rules: FollowUpRules
) -> None:
    await set_status(session, ticket, to, actor=change.actor, now=change.now, rules=rules)
    ticket.version += 1
    ticket.updated_at = change.now
    await session.flush()


async def _close(
    session: AsyncSession,
    ticket: TicketRow,
    asked: TicketRow,
    incident: IncidentRow,
    change: Change,
    rules: FollowUpRules,
) -> None:
    await _move(session, ticket, TicketStatus.CLOSED, change, rules)
    text = f"{incident.number} 已解决；同一户由 {asked.number} 统一回访"
    write_history(session, ticket.id, HistoryAction.NOTE, at=change.now, actor=change.actor, data={"text": text})


async def _last(session: AsyncSession, incident: IncidentRow, action: IncidentAction) -> dict[str, Any]:
    query = select(IncidentHistoryRow.data).where(
        IncidentHistoryRow.incident_id == incident.id, IncidentHistoryRow.action == action.value
    )
    return await session.scalar(query.order_by(IncidentHistoryRow.id.desc()).limit(1)) or {}


async def _unlinked(session: AsyncSession, ticket_ids: Sequence[int]) -> list[TicketRow]:
    linked = select(IncidentTicketRow.ticket_id).where(IncidentTicketRow.taken_out_at.is_(None))
    query = select(TicketRow).where(TicketRow.id.in_(ticket_ids), TicketRow.id.not_in(linked))
    return list((await session.scalars(query.order_by(TicketRow.id))).all())
