"""Whether a caller lives where an open incident is, so that they hear at once that it is known and worked on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentRow
from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.incidents import IncidentState, Thing, same_place
from callcenter.domain.phone_numbers import dialable, ways_to_write
from callcenter.domain.spoken_incident import spoken_incidents
from callcenter.domain.tickets import Place
from callcenter.ports import Clock, ProgressUnknown
from callcenter.services.incident_links import place_of_incident, thing_of_incident

FRESH = timedelta(seconds=10)
"""An incident is told to callers so long after it was opened at the latest; between two looks no call asks for it."""

MOST_HOMES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    thing: Thing
    place: Place


class KnownIncidents:
    """Asked at the arrival of each call: while no incident is open, that costs the database nothing."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._open: tuple[_Open, ...] = ()
        self._looked_at: datetime | None = None
        self._looking = asyncio.Lock()

    async def heard_on_arrival(self, from_number: str | None) -> str | None:
        """None for a withheld number, an unknown home, and one where nothing is known. Raises ProgressUnknown."""
        number = dialable(from_number)
        if number is None:
            return None
        try:
            known = await self._known()
            homes = await self._homes(ways_to_write(number)) if known else ()
        except (SQLAlchemyError, OSError) as error:
            raise ProgressUnknown("the database does not answer") from error
        return spoken_incidents(
            [one.thing for one in known if any(same_place(home, one.place, one.thing.reach) for home in homes)]
        )

    async def _known(self) -> tuple[_Open, ...]:
        async with self._looking:
            now = self._clock.now()
            if self._looked_at is None or not timedelta() <= now - self._looked_at < FRESH:
                async with self._database.read() as session:
                    self._open = await _open_incidents(session)
                self._looked_at = now
        return self._open

    async def _homes(self, ways: Sequence[str]) -> tuple[Place, ...]:
        """By the register, else where their last ticket was; a home without its building tells nothing."""
        async with self._database.read() as session:
            registered = (
                select(RegisterRoomRow)
                .join(RegisterResidentRow, RegisterResidentRow.room_id == RegisterRoomRow.id)
                .where(RegisterResidentRow.phone.in_(ways))
                .limit(MOST_HOMES)
            )
            rows: Sequence[Any] = (await session.scalars(registered)).all()
            if not rows:
                by_number = or_(TicketRow.caller_number.in_(ways), TicketRow.phone.in_(ways))
                last = select(TicketRow).where(by_number).order_by(TicketRow.id.desc()).limit(1)
                rows = (await session.scalars(last)).all()
        places = (Place(**{column: getattr(row, column) for column in PLACE_COLUMNS}) for row in rows)
        return tuple(place for place in places if place.building)


async def _open_incidents(session: AsyncSession) -> tuple[_Open, ...]:
    """A suggestion is not told: a person has yet to say that it is one."""
    query = select(IncidentRow).where(IncidentRow.state == IncidentState.OPEN.value).order_by(IncidentRow.id)
    rows = (await session.scalars(query)).all()
    return tuple(_Open(thing=thing_of_incident(row), place=place_of_incident(row)) for row in rows)
