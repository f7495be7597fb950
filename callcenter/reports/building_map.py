"""What is going on in which building: open tickets and incidents, over all buildings that are known."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentRow
from callcenter.db.register import RegisterRoomRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.incidents import ACTIVE, IncidentState
from callcenter.reports.ticket_counts import UNFINISHED


@dataclass(frozen=True, kw_only=True, slots=True)
class Building:
    """`homes` of the register (0: not in it), `tickets` unfinished, `incidents` that are not over."""

    estate: str
    lane: str | None
    number: str
    homes: int
    tickets: int
    incidents: tuple[IncidentRow, ...]

    @property
    def worst(self) -> IncidentRow | None:
        """One that is sure, else one that is suggested."""
        sure = (one for one in self.incidents if one.state == IncidentState.OPEN)
        return next(sure, None) or next(iter(self.incidents), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildingMap:
    """Buildings by estate in the order of their numbers; `elsewhere`: incidents that name no building."""

    estates: tuple[tuple[str, tuple[Building, ...]], ...]
    elsewhere: tuple[IncidentRow, ...]


_Key = tuple[str, str | None, str]


async def read_map(database: Database) -> BuildingMap:
    async with database.read() as session:
        room, ticket = RegisterRoomRow, TicketRow
        columns = (room.estate, room.lane, room.building, func.count())
        registered = (await session.execute(select(*columns).group_by(*columns[:3]))).all()
        columns = (ticket.estate, ticket.lane, ticket.building, func.count())
        query = select(*columns).where(ticket.status.in_(UNFINISHED)).group_by(*columns[:3])
        reported = (await session.execute(query)).all()
        active = select(IncidentRow).where(IncidentRow.state.in_([state.value for state in ACTIVE]))
        incidents = (await session.scalars(active.order_by(IncidentRow.id))).all()
    named = {estate for estate, *_ in registered if estate}
    only = next(iter(named)) if len(named) == 1 else ""
    homes, tickets = Counter[_Key](), Counter[_Key]()
    for counter, rows in ((homes, registered), (tickets, reported)):
        for estate, lane, number, count in rows:
            if number:
                counter[estate or only, lane, number] += count
    there: dict[_Key, list[IncidentRow]] = {}
    for one in incidents:
        if one.building:
            there.setdefault((one.estate or only, one.lane, one.building), []).append(one)
    buildings = [
        Building(
            estate=key[0],
            lane=key[1],
            number=key[2],
            homes=homes[key],
            tickets=tickets[key],
            incidents=tuple(there.get(key, ())),
        )
        for key in sorted(homes.keys() | tickets.keys() | there.keys(), key=_in_order)
    ]
    estates = dict.fromkeys(one.estate for one in buildings)
    return BuildingMap(
        estates=tuple((name, tuple(one for one in buildings if one.estate == name)) for name in estates),
        elsewhere=tuple(one for one in incidents if not one.building),
    )


def _in_order(key: _Key) -> tuple[str, str, int, str]:
    """9 before 10, then A."""
    estate, lane, number = key
    figures = "".join(char for char in number if char.isdecimal())
    return estate, lane or "", int(figures) if figures else 10_000, number
