"""An estate register for the labelled sets: the homes that the labels name among many that are easily taken for them.

    python benchmarks/confusable_register.py [SET ...] > register.csv

A hotline has a register, and its neighbouring rooms are what a recogniser mistakes one room for. The rule sees labels
only, never what was recognised: each labelled building stands in a row of five, with one ten doors up, one ten down,
and one with its figures swapped; each has units, storeys and doors of its own, and lanes and estates have neighbours.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from callcenter.domain.understanding import EstateRegister
from callcenter.domain.understanding.labels import read_labels
from callcenter.domain.understanding.register import COLUMNS

SETS = Path(__file__).resolve().parent.parent / "tests" / "understanding"
STOREYS = (6, 11, 18, 26)
DOORS = (2, 3, 4)
LETTERS = ("东西", "甲乙丙", "ABCDEF")
OTHER_ESTATES = ("丽景", "滨江")

Row = Mapping[str, str | None]


def confusable_register(labels: Iterable[Mapping[str, Any]]) -> EstateRegister:
    """`labels`: what is expected of each row; those that name no building add nothing."""
    return EstateRegister.from_rows(rows(labels))


def rows(labels: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The register's rows, one a home; the same home may come more than once."""
    highest: dict[tuple[str | None, str | None, str | None, str], list[Mapping[str, Any]]] = {}
    for label in labels:
        if not label.get("building"):
            continue
        for estate, lane in _uppers(label):
            for building in _buildings(label["building"]):
                key = (estate, label.get("phase"), lane, building)
                said = highest.setdefault(key, [])
                if (estate, lane, building) == (label.get("estate"), label.get("lane"), label["building"]):
                    said.append(label)
    for (estate, phase, lane, building), said in highest.items():
        upper: dict[str, str | None] = {"estate": estate, "phase": phase, "lane": lane, "building": building}
        yield from ({**upper, **home} for home in _homes(str(tuple(upper.values())), said, has_units=lane is None))


def _uppers(label: Mapping[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    estate, lane = label.get("estate"), label.get("lane")
    yield estate, lane
    if estate:
        yield from ((other + estate[-2:], lane) for other in OTHER_ESTATES)
    if lane:
        yield from ((estate, str(int(lane) + step)) for step in (-2, 10))


def _buildings(name: str) -> Iterator[str]:
    """附6 has 附5, 附7 and 6 beside it; B has A and C."""
    figures = "".join(letter for letter in name if letter.isdigit())
    before = name.removesuffix(figures)
    if not figures:
        yield from next((letters for letters in LETTERS if name in letters), name)
        return
    number = int(figures)
    numbers = {number + step for step in (-10, -2, -1, 0, 1, 2, 10)} | {int(figures[::-1])}
    yield from (f"{before}{one}" for one in sorted(numbers) if one > 0)
    if before:
        yield figures


def _homes(building: str, said: list[Mapping[str, Any]], *, has_units: bool) -> Iterator[Row]:
    """Every floor and door of each unit; at least as high and as wide as it takes for the rooms that were said."""
    rooms = [int(label["room"]) for label in said if str(label.get("room")).isdigit()]
    floors = max([STOREYS[crc32(building.encode()) % len(STOREYS)], *(room // 100 for room in rooms)])
    doors = max([DOORS[crc32(building[::-1].encode()) % len(DOORS)], *(room % 100 for room in rooms)])
    units: list[str | None] = [*_units({label.get("unit") for label in said})] if has_units else [None]
    for unit in units:
        for floor in range(1, floors + 1):
            yield from ({"unit": unit, "room": f"{floor}{door:02}"} for door in range(1, doors + 1))


def _units(said: set[str | None]) -> list[str]:
    """1 and 2 or as many as were said; a building whose units have letters has those too."""
    named = {unit for unit in said if unit}
    lettered = [letter for letters in LETTERS if named & set(letters) for letter in letters]
    figures = [int(unit) for unit in named if unit.isdigit()]
    return lettered + [str(unit) for unit in range(1, max([2, *figures]) + 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", type=Path, default=[SETS / "utterances.jsonl", SETS / "rooms.jsonl"])
    labels = [row.expect for path in parser.parse_args().sets for row in read_labels(path.read_text("utf-8"))]
    homes = {tuple(row.get(column) for column in COLUMNS) for row in rows(labels)}
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    out.writerows(sorted(homes, key=lambda home: [cell or "" for cell in home]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
