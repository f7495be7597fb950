"""Who is phoning, before the first word: their home, what is open for them, their last calls, what they owe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.fees import FeeRow, FeeState
from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.calls import Direction
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.phone_numbers import dialable, ways_to_write
from callcenter.domain.ticket_life import FINISHED
from callcenter.domain.tickets import Place
from callcenter.reports.tickets import next_deadlines

LOOKED_BACK = timedelta(days=90)
MOST_CALLS = 5
MOST_TICKETS = 6
MOST_NEIGHBOURS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTicket:
    ticket: TicketRow
    deadline: TicketDeadlineRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierCall:
    call: CallRow
    ticket: TicketRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """One home of the number: by the register, or else by its last ticket (`registered` false)."""

    place: Place
    name: str | None
    registered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    items: int
    amount_fen: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """`homes` is empty for an unknown number; `name`: the last form of address; `neighbours`: today, same building."""

    number: str | None
    homes: tuple[Home, ...] = ()
    name: str | None = None
    tickets: tuple[OpenTicket, ...] = ()
    calls: tuple[EarlierCall, ...] = ()
    call_count: int = 0
    owed: Owed | None = None
    neighbours: tuple[TicketRow, ...] = ()

    @property
    def likely(self) -> OpenTicket | None:
        """What they most likely phone about: the open ticket that is due first, else the newest."""
        due = [one for one in self.tickets if one.deadline is not None]
        if due:
            return min(due, key=lambda one: one.deadline.due_at if one.deadline else one.ticket.created_at)
        return self.tickets[0] if self.tickets else None


async def read_caller(
    database: Database, number: str | None, *, but_call: str | None, now: datetime, day_began: datetime
) -> Caller:
    """`but_call`: the call that rings now, which is not an earlier one."""
    dialled = dialable(number)
    if dialled is None:
        return Caller(number=number)
    ways = ways_to_write(dialled)
    async with database.read() as session:
        calls = await _calls(session, ways, but_call, now)
        registered = await _registered(session, ways)
        by_number = or_(TicketRow.caller_number.in_(ways), TicketRow.phone.in_(ways))
        last = await session.scalar(select(TicketRow).where(by_number).order_by(TicketRow.id.desc()).limit(1))
        homes = registered or _home_of(last)
        tickets = await _open_tickets(session, by_number, [home.place for home in registered])
        return Caller(
            number=number,
            homes=homes,
            name=(last.contact if last else None) or next((home.name for home in homes if home.name), None),
            tickets=tickets,
            calls=calls,
            call_count=await _count_calls(session, ways, but_call, now),
            owed=await _owed(session, ways),
            neighbours=await _neighbours(session, homes, {one.ticket.id for one in tickets}, day_began),
        )


async def _registered(session: AsyncSession, ways: Sequence[str]) -> tuple[Home, ...]:
    query = (
        select(RegisterResidentRow.name, RegisterRoomRow)
        .join(RegisterRoomRow, RegisterRoomRow.id == RegisterResidentRow.room_id)
        .where(RegisterResidentRow.phone.in_(ways))
        .order_by(RegisterRoomRow.id)
        .limit(4)
    )
    rows = (await session.execute(query)).all()
    return tuple(Home(place=_place(room), name=name, registered=True) for name, room in rows)


def _home_of(ticket: TicketRow | None) -> tuple[Home, ...]:
    if ticket is None or _place(ticket).is_empty:
        return ()
    return (Home(place=_place(ticket), name=None, registered=False),)


def _place(row: Any) -> Place:
    return Place(**{column: getattr(row, column) for column in PLACE_COLUMNS})


async def _open_tickets(session: AsyncSession, by_number: Any, places: Sequence[Place]) -> tuple[OpenTicket, ...]:
    """Of the number, and of every home that the register gives it."""
    at_home = [
        and_(*(getattr(TicketRow, column) == getattr(place, column) for column in ("building", "unit", "room")))
        for place in places
        if place.room
    ]
    query = (
        select(TicketRow)
        .where(or_(by_number, *at_home), TicketRow.status.not_in([one.value for one in FINISHED]))
        .order_by(TicketRow.id.desc())
        .limit(MOST_TICKETS)
    )
    rows = (await session.scalars(query)).all()
    deadlines = await next_deadlines(session, [row.id for row in rows])
    return tuple(OpenTicket(ticket=row, deadline=deadlines.get(row.id)) for row in rows)


def _earlier(ways: Sequence[str], but_call: str | None, now: datetime) -> Any:
    mine = and_(
        CallRow.from_number.in_(ways),
        CallRow.direction == Direction.INBOUND.value,
        CallRow.started_at >= now - LOOKED_BACK,
    )
    return and_(mine, CallRow.id != but_call) if but_call else mine


async def _calls(
    session: AsyncSession, ways: Sequence[str], but_call: str | None, now: datetime
) -> tuple[EarlierCall, ...]:
    query = (
        select(CallRow, TicketRow)
        .outerjoin(TicketCallRow, TicketCallRow.call_id == CallRow.id)
        .outerjoin(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
        .where(_earlier(ways, but_call, now))
        .order_by(CallRow.started_at.desc())
        .limit(MOST_CALLS)
    )
    return tuple(EarlierCall(call=call, ticket=ticket) for call, ticket in (await session.execute(query)).all())


async def _count_calls(session: AsyncSession, ways: Sequence[str], but_call: str | None, now: datetime) -> int:
    query = select(func.count()).select_from(CallRow).where(_earlier(ways, but_call, now))
    return (await session.execute(query)).scalar_one()


async def _owed(session: AsyncSession, ways: Sequence[str]) -> Owed | None:
    open_ones = (FeeState.OPEN.value, FeeState.AGREED.value)
    query = select(func.count(), func.coalesce(func.sum(FeeRow.amount_fen), 0)).where(
        FeeRow.number.in_(ways), FeeRow.state.in_(open_ones)
    )
    items, amount = (await session.execute(query)).one()
    return Owed(items=items, amount_fen=int(amount)) if items else None


async def _neighbours(
    session: AsyncSession, homes: Sequence[Home], own: set[int], day_began: datetime
) -> tuple[TicketRow, ...]:
    """Tickets of today from other homes of the same building: perhaps one cause."""
    place = homes[0].place if homes else Place()
    if place.building is None:
        return ()
    query = (
        select(TicketRow)
        .where(
            TicketRow.created_at >= day_began,
            TicketRow.building == place.building,
            TicketRow.estate.is_(None) if place.estate is None else TicketRow.estate == place.estate,
            TicketRow.id.not_in(own),
        )
        .order_by(TicketRow.id.desc())
        .limit(MOST_NEIGHBOURS)
    )
    return tuple((await session.scalars(query)).all())
