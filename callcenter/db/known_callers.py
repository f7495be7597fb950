"""The few columns that decide who is rung for a caller."""

from collections.abc import Sequence

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.db.tickets import TicketRow
from callcenter.db.users import UserRow
from callcenter.domain.ticket_life import FINISHED

MOST_TICKETS = 20_000


async def owned_open_tickets(session: AsyncSession) -> Sequence[Row[str | None, str | None, str | None, str]]:
    """caller_number, phone, estate and owner (the agent, where the owner is a user with a phone), the newest last."""
    owner = func.coalesce(UserRow.agent_id, TicketRow.owner).label("owner")
    query = (
        select(TicketRow.caller_number, TicketRow.phone, TicketRow.estate, owner)
        .outerjoin(UserRow, UserRow.login == TicketRow.owner)
        .where(TicketRow.owner.is_not(None), TicketRow.status.not_in([one.value for one in FINISHED]))
        .order_by(TicketRow.id.desc())
        .limit(MOST_TICKETS)
    )
    return (await session.execute(query)).all()[::-1]


async def estates_of_residents(session: AsyncSession) -> Sequence[tuple[str | None, str | None]]:
    """(phone, estate) of everybody in the register."""
    query = (
        select(RegisterResidentRow.phone, RegisterRoomRow.estate)
        .join(RegisterRoomRow, RegisterRoomRow.id == RegisterResidentRow.room_id)
        .where(RegisterResidentRow.phone.is_not(None), RegisterRoomRow.estate.is_not(None))
    )
    return [(phone, estate) for phone, estate in (await session.execute(query)).all()]
