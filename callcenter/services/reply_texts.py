"""The reply templates of a ticket, filled in from what stands on it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.reply_templates import FilledIn, ReplyMatter, ReplyTemplate, filled_in, reply_templates
from callcenter.domain.tickets import Place
from callcenter.services.deadlines import open_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.tickets import NoSuchTicket

TOLD = (DeadlineKind.PROMISE, DeadlineKind.FIRST_REPLY, DeadlineKind.FEEDBACK_REPLY, DeadlineKind.PASSED_ON)
"""Limits that a resident hears of; the time on site and the same day are for ourselves."""


async def reply_texts(
    database: Database, number: str, *, now: datetime, own: Mapping[str, str], rules: FollowUpRules
) -> list[tuple[ReplyTemplate, FilledIn]]:
    """Each template with its text for this ticket. A limit that has passed is told to nobody: it is left to the agent.

    Raises NoSuchTicket, UnusableTemplate.
    """
    async with database.read() as session:
        ticket = await session.scalar(select(TicketRow).where(TicketRow.number == number))
        if ticket is None:
            raise NoSuchTicket(number)
        limits = [one.due_at for one in await open_deadlines(session, ticket.id, TOLD) if one.due_at > now]
    place = Place(**{name: getattr(ticket, name) for name in PLACE_COLUMNS})
    matter = ReplyMatter(
        company=rules.company,
        ticket=ticket.number,
        contact=ticket.contact,
        agent=rules.agent_names.get(ticket.owner or "", ticket.owner),
        reported=ticket.summary,
        place=place.written() or None,
        due=limits[0] if limits else None,
    )
    return [(template, filled_in(template, matter, zone=rules.zone)) for template in reply_templates(own)]
