"""What stands beside a ticket: what its resident wants of our calls, tickets merged with it, tickets of one call."""

from dataclasses import dataclass

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow
from callcenter.db.tickets import TicketRow
from callcenter.db.wishes import ResidentWishRow


@dataclass(frozen=True, kw_only=True, slots=True)
class WishesOfNumber:
    """`noted` is None for a resident who never said anything; `never` when they asked for no calls at all."""

    noted: ResidentWishRow | None
    never: DoNotCallRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge:
    """`into` is the ticket that goes on instead of this one, `duplicates` are those that this one took over."""

    into: TicketRow | None
    duplicates: tuple[TicketRow, ...]


async def read_wishes(database: Database, number: str | None) -> WishesOfNumber | None:
    """None where there is no number that we could dial."""
    if number is None:
        return None
    async with database.read() as session:
        return WishesOfNumber(
            noted=await session.get(ResidentWishRow, number), never=await session.get(DoNotCallRow, number)
        )


async def read_merge(database: Database, ticket: TicketRow) -> Merge:
    async with database.read() as session:
        into = await session.get(TicketRow, ticket.merged_into) if ticket.merged_into is not None else None
        same = select(TicketRow).where(TicketRow.merged_into == ticket.id).order_by(TicketRow.created_at)
        return Merge(into=into, duplicates=tuple((await session.scalars(same)).all()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`of` is the ticket of the call on which this one's matter was told; `made` those made of this one, by field."""

    of: TicketRow | None
    made: dict[str, TicketRow]


async def read_parts(database: Database, ticket: TicketRow) -> Parts:
    async with database.read() as session:
        of = await session.get(TicketRow, ticket.part_of) if ticket.part_of is not None else None
        rows = await session.scalars(select(TicketRow).where(TicketRow.part_of == ticket.id).order_by(TicketRow.id))
        return Parts(of=of, made={row.part_field or "": row for row in rows.all()})
