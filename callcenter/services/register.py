"""The estate register in the database: imported whole, and read again only when an import has changed it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.register import RegisterImportRow, RegisterResidentRow, RegisterRoomRow
from callcenter.domain.tickets import Place
from callcenter.domain.understanding import EstateRegister
from callcenter.domain.understanding.register_file import RegisterFile, Resident
from callcenter.services.transactions import take_turns

SLOTS = ("estate", "phase", "lane", "building", "unit", "floor", "room")
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedRegister:
    """What an import did, or would do."""

    rooms: int
    residents: int
    added: int
    removed: int
    estates: tuple[str, ...]


async def import_register(
    database: Database, file: RegisterFile, *, source: str, now: datetime, dry_run: bool = False
) -> ImportedRegister:
    """Replaces the estates that the file names by what it says of them, in one transaction; others stay."""
    if dry_run:
        async with database.read() as session:
            return await _compared(session, file)
    async with database.write() as session:
        await take_turns(session, "import register")
        done = await _compared(session, file)
        await session.execute(delete(RegisterResidentRow).where(RegisterResidentRow.room_id.in_(_ids(file))))
        await session.execute(delete(RegisterRoomRow).where(_of_estates(file)))
        await _insert(session, file)
        session.add(RegisterImportRow(imported_at=now, source=source, rooms=done.rooms, residents=done.residents))
        return done


def _of_estates(file: RegisterFile) -> Any:
    names = {place.estate for place in file.rooms}
    known = RegisterRoomRow.estate.in_(sorted(name for name in names if name is not None))
    return or_(known, RegisterRoomRow.estate.is_(None)) if None in names else known


def _ids(file: RegisterFile) -> Any:
    return select(RegisterRoomRow.id).where(_of_estates(file))


async def _compared(session: AsyncSession, file: RegisterFile) -> ImportedRegister:
    columns = [getattr(RegisterRoomRow, slot) for slot in SLOTS]
    rows = await session.execute(select(*columns).where(_of_estates(file)))
    before = {Place(**dict(zip(SLOTS, row, strict=True))) for row in rows}
    return ImportedRegister(
        rooms=len(file.rooms),
        residents=sum(len(residents) for residents in file.rooms.values()),
        added=len(file.rooms.keys() - before),
        removed=len(before - file.rooms.keys()),
        estates=tuple(sorted({place.estate or "" for place in file.rooms})),
    )


async def _insert(session: AsyncSession, file: RegisterFile) -> None:
    last = (await session.execute(select(func.max(RegisterRoomRow.id)))).scalar_one() or 0
    rooms = iter(enumerate(file.rooms.items(), last + 1))
    while chunk := list(islice(rooms, _ROWS_AT_ONCE)):
        await session.execute(insert(RegisterRoomRow), [_room_values(number, place) for number, (place, _) in chunk])
        residents = [_resident_values(number, one) for number, (_, those) in chunk for one in those]
        if residents:
            await session.execute(insert(RegisterResidentRow), residents)


def _room_values(number: int, place: Place) -> dict[str, Any]:
    return {"id": number, **{slot: getattr(place, slot) for slot in SLOTS}}


def _resident_values(room_id: int, resident: Resident) -> dict[str, Any]:
    return {"room_id": room_id, "name": resident.name, "phone": resident.phone}


async def read_stored(session: AsyncSession) -> EstateRegister:
    """The register as it stands in the database."""
    columns = [getattr(RegisterRoomRow, slot) for slot in SLOTS]
    rows = await session.execute(select(RegisterRoomRow.id, *columns))
    places = {row[0]: Place(**dict(zip(SLOTS, row[1:], strict=True))) for row in rows}
    phones: dict[int, list[str]] = {}
    residents = await session.execute(select(RegisterResidentRow.room_id, RegisterResidentRow.phone))
    for room_id, phone in residents:
        if phone is not None:
            phones.setdefault(room_id, []).append(phone)
    return await asyncio.to_thread(_put_together, places, phones)


def _put_together(places: Mapping[int, Place], phones: Mapping[int, list[str]]) -> EstateRegister:
    return EstateRegister.of((place, phones.get(number, ())) for number, place in places.items())


@dataclass(kw_only=True)
class KnownRegister:
    """The register in memory, read again when a newer import is there. None where there never was one."""

    _version: int | None = None
    _register: EstateRegister | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self, database: Database) -> EstateRegister | None:
        async with self._reading, database.read() as session:
            version = (await session.execute(select(func.max(RegisterImportRow.id)))).scalar_one()
            if version != self._version:
                self._register = await read_stored(session) if version is not None else None
                self._version = version
            return self._register
