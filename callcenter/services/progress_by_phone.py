"""How things stand, for a resident who phones and keys it: by the number that they call from, or the ticket's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.phone_numbers import dialable, ways_to_write
from callcenter.domain.spoken_progress import Standing, spoken_progress, spoken_standing
from callcenter.domain.ticket_life import FINISHED, TicketStatus
from callcenter.ports import Clock, ProgressUnknown
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.incident_links import tickets_of_open_incidents

MOST_LOOKED_AT = 10


@dataclass(frozen=True, kw_only=True)
class ProgressByPhone:
    """The lookup that the webhook edge asks, with a time-out of its own. A withheld number has no tickets."""

    database: Database
    clock: Clock
    rules: FollowUpRules

    async def heard_by(self, from_number: str | None) -> str | None:
        number, now = dialable(from_number), self.clock.now()
        async with self._looking() as session:
            found = await _standings(session, number, now) if number is not None else []
        return spoken_progress(found, now=now, zone=self.rules.zone) if found else None

    async def heard_about(self, ticket_number: str) -> str | None:
        now = self.clock.now()
        async with self._looking() as session:
            found = await _standing(session, ticket_number, now)
        return spoken_standing(found, now=now, zone=self.rules.zone) if found else None

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self.database.read() as session:
                yield session
        except (SQLAlchemyError, OSError) as error:
            raise ProgressUnknown("the database does not answer") from error


async def _standings(session: AsyncSession, number: str, now: datetime) -> list[Standing]:
    ways, finished = ways_to_write(number), [status.value for status in FINISHED]
    query = (
        select(TicketRow)
        .where(or_(TicketRow.caller_number.in_(ways), TicketRow.phone.in_(ways)), TicketRow.status.not_in(finished))
        .order_by(TicketRow.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    tickets = (await session.scalars(query)).all()
    promised = await _promised(session, [ticket.id for ticket in tickets], now)
    shared = await tickets_of_open_incidents(session, [ticket.id for ticket in tickets])
    return [
        Standing(
            number=ticket.number,
            status=TicketStatus(ticket.status),
            reported=ticket.summary,
            promised_for=promised.get(ticket.id),
            shared=ticket.id in shared,
        )
        for ticket in tickets
    ]


async def _standing(session: AsyncSession, number: str, now: datetime) -> Standing | None:
    """The ticket of this number; of one that was merged, how the ticket stands that goes on."""
    asked = await session.scalar(select(TicketRow).where(TicketRow.number == number))
    if asked is None:
        return None
    ticket = asked
    for _ in range(MOST_LOOKED_AT):
        if ticket.merged_into is not None:
            ticket = await session.get_one(TicketRow, ticket.merged_into)
    status = TicketStatus(ticket.status)
    promised = {} if status in FINISHED else await _promised(session, [ticket.id], now)
    return Standing(
        number=asked.number,
        status=status,
        promised_for=promised.get(ticket.id),
        goes_on_as=ticket.number if ticket is not asked else None,
    )


async def _promised(session: AsyncSession, tickets: list[int], now: datetime) -> dict[int, datetime]:
    """The next promise of each ticket."""
    query = select(TicketDeadlineRow.ticket_id, TicketDeadlineRow.due_at).where(
        TicketDeadlineRow.ticket_id.in_(tickets),
        TicketDeadlineRow.kind == DeadlineKind.PROMISE.value,
        TicketDeadlineRow.met_at.is_(None),
        TicketDeadlineRow.cancelled_at.is_(None),
        TicketDeadlineRow.due_at > now,
    )
    rows = (await session.execute(query.order_by(TicketDeadlineRow.due_at.desc()))).all()
    return {row.ticket_id: row.due_at for row in rows}
