"""The estate register: which estates, lanes, buildings, units and rooms there are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from callcenter.domain.phone_numbers import dialable
from callcenter.domain.tickets import Place

COLUMNS = ("estate", "phase", "lane", "building", "unit", "room")
_SUFFIXES = re.compile(r"(?:弄|号楼|栋楼?|幢楼?|座|单元|号房|室|房|号|层|楼|#|(?<=\d)F)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class EstateRegister:
    """Every known address as a place without a floor; a row may stop at the building or the unit.

    `homes` leads from a dialable number to the places of those who have it.
    """

    places: frozenset[Place] = field(default_factory=frozenset)
    homes: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str | None]]) -> "EstateRegister":
        """From rows with any of the columns estate, phase, lane, building, unit, room; 3栋 and 3 mean the same."""
        return cls(places=frozenset(_place_of(row) for row in rows) - {Place()})

    @classmethod
    def of(cls, rooms: Iterable[tuple[Place, Iterable[str]]]) -> "EstateRegister":
        """From places, each with the dialable numbers of its residents."""
        places: set[Place] = set()
        homes: dict[str, list[Place]] = {}
        for room, numbers in rooms:
            places.add(replace(room, floor=None))
            for number in numbers:
                homes.setdefault(number, []).append(room)
        return cls(
            places=frozenset(places - {Place()}), homes={number: tuple(rooms) for number, rooms in homes.items()}
        )

    def home_of(self, caller_number: str | None) -> Place | None:
        """Where the resident with this number lives; None for an unknown number, or one of several homes."""
        homes = set(self.homes.get(dialable(caller_number) or "", ()))
        return homes.pop() if len(homes) == 1 else None

    @cached_property
    def estates(self) -> tuple[str, ...]:
        """Names of the estates, longest first."""
        return tuple(
            sorted({place.estate for place in self.places if place.estate}, key=lambda name: (-len(name), name))
        )

    @cached_property
    def lanes(self) -> tuple[str, ...]:
        return tuple(sorted({place.lane for place in self.places if place.lane}, key=lambda lane: (-len(lane), lane)))

    @cached_property
    def _by_building(self) -> Mapping[str | None, tuple[Place, ...]]:
        found: dict[str | None, list[Place]] = {}
        for place in self.places:
            found.setdefault(place.building, []).append(place)
        return {building: tuple(places) for building, places in found.items()}

    def matching(self, place: Place) -> tuple[Place, ...]:
        """Rows that say nothing against the place; a row that stops early says nothing about what is below it."""
        rows = self._by_building.get(place.building, ()) if place.building else tuple(self.places)
        return tuple(row for row in rows if _agrees(row, place))

    def contains(self, place: Place) -> bool:
        """Whether the place may be there. A building with no rooms listed is known only as a building."""
        if place.is_empty or not self.places:
            return False
        rooms_of_unit = self._rooms_in(
            Place(estate=place.estate, phase=place.phase, lane=place.lane, building=place.building)
        )
        if not rooms_of_unit or not _fits(place.unit, rooms_of_unit.keys()):
            return False
        if place.room is None:
            return True
        reached = [rooms for unit, rooms in rooms_of_unit.items() if place.unit is None or unit in (None, place.unit)]
        return any(place.room in rooms for rooms in reached) or not any(rooms - {None} for rooms in reached)

    def _rooms_in(self, upper: Place) -> Mapping[str | None, set[str | None]]:
        """The rooms of each unit below a place; None for rows that stop before it."""
        known = self._known_rooms.get(upper)
        if known is None:
            known = {}
            for row in self.matching(upper):
                known.setdefault(row.unit, set()).add(row.room)
            if known:
                self._known_rooms[upper] = known
        return known

    @cached_property
    def _known_rooms(self) -> dict[Place, dict[str | None, set[str | None]]]:
        """What was looked up before: a register is asked after the same buildings again and again."""
        return {}


def _fits(said: str | None, listed: Iterable[str | None]) -> bool:
    known = set(listed) - {None}
    return said is None or not known or said in known


def _agrees(row: Place, place: Place) -> bool:
    pairs = ((getattr(row, slot), getattr(place, slot)) for slot in COLUMNS)
    return all(said is None or known is None or known == said for known, said in pairs)


def _place_of(row: Mapping[str, str | None]) -> Place:
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    return Place(
        estate=cells["estate"] or None,
        phase=canonical_phase(cells["phase"]) if cells["phase"] else None,
        lane=_figure(cells["lane"]),
        building=_figure(cells["building"]),
        unit=_figure(cells["unit"]),
        room=_figure(cells["room"]),
    )


def _figure(cell: str) -> str | None:
    return without_suffix(cell) or None


def without_suffix(cell: str) -> str:
    """3 from 3栋, 3号楼, 3#."""
    return _SUFFIXES.sub("", cell).upper()


def canonical_phase(phase: str) -> str:
    """2期, 二期 and 2 are all written 二期."""
    number = phase.removeprefix("第").removesuffix("期")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 100:
        return f"{number}期"
    tens, ones = divmod(int(number), 10)
    digits = "零一二三四五六七八九"
    ten = "" if tens == 0 else ("十" if tens == 1 else f"{digits[tens]}十")
    return f"{ten}{digits[ones] if ones or not tens else ''}期"
