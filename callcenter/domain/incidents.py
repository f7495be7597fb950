"""Several homes that report the same thing (a smell in one tower, a lift, a water cut) are one incident, shown early.

What counts as the same thing is the category, told apart where one category holds several (停水 and 漏水); how far it
reaches is the building, or the whole estate for what comes from the mains.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.tickets import Place, RequestType, Responsibility


class IncidentState(StrEnum):
    """SUGGESTED: a person has yet to say whether it is one; DISMISSED: they said that it is none."""

    SUGGESTED = "suggested"
    OPEN = "open"
    SOLVED = "solved"
    DISMISSED = "dismissed"


ACTIVE = frozenset({IncidentState.SUGGESTED, IncidentState.OPEN})


class IncidentAction(StrEnum):
    """What a line of an incident's history says."""

    SUGGESTED = "suggested"
    OPENED = "opened"
    LINKED = "linked"
    TAKEN_OUT = "taken_out"
    DISMISSED = "dismissed"
    RESTORED = "restored"
    SOLVED = "solved"
    REOPENED = "reopened"


class Reach(StrEnum):
    """How far one cause is felt."""

    BUILDING = "building"
    ESTATE = "estate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """What an incident is about: a category, or one of several things in it."""

    key: str
    category: str
    reach: Reach = Reach.BUILDING


_FROM_THE_MAINS = (
    ("water_cut", "plumbing", re.compile(r"停水|断水|没水|没有水|不出水|一滴水|停了水|水压")),
    ("bad_water", "plumbing", re.compile(r"水质|水浑|水(?:是|发|变)?[黄黑]|[黄浑]水|黄泥水")),
    ("power_cut", "power", re.compile(r"停电|断电|没电|没有电|停了电")),
    ("gas_cut", "gas", re.compile(r"停气|断气|没气|没有气")),
)
_OFTEN_ONE_HOME = frozenset({"plumbing", "power", "structure"})
"""A leak or a tripped fuse inside a home is that home's own, however many homes have one."""

_NO_REPORTS = frozenset({RequestType.PRAISE, RequestType.SUGGESTION, RequestType.PROGRESS, RequestType.OTHER})


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentRules:
    """So many homes within `window` are suggested, so many make an incident without being asked (0: never)."""

    enabled: bool = True
    window: timedelta = timedelta(hours=2)
    suggested_from: int = 2
    formed_from: int = 3
    categories: frozenset[str] = frozenset(
        {
            *("plumbing", "power", "lift", "access", "fire", "gas", "heating", "structure", "odour"),
            *("public_facility", "cleaning", "security", "noise"),
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One ticket, as far as incidents look at it; `number` is the one to call."""

    ticket_id: int
    at: datetime
    place: Place
    number: str | None
    category: str | None
    request_type: str | None
    responsibility: str | None
    summary: str | None


def thing_of(report: Report, rules: IncidentRules) -> Thing | None:
    """None for what concerns one home alone, or what nobody reports as a fault."""
    if report.category not in rules.categories or report.request_type in _NO_REPORTS or report.place.is_empty:
        return None
    for key, category, words in _FROM_THE_MAINS:
        if report.category == category and words.search(report.summary or ""):
            return Thing(key=key, category=category, reach=Reach.ESTATE)
    if report.category in _OFTEN_ONE_HOME and report.responsibility == Responsibility.HOME:
        return None
    return Thing(key=report.category, category=report.category) if report.place.building else None


def same_place(one: Place, other: Place, reach: Reach) -> bool:
    """Nothing that was said on both speaks against it; within a building, both must name it."""
    if reach is Reach.BUILDING and (not one.building or one.building != other.building):
        return False
    return _agree(one, other, ("estate", "phase", *(("lane",) if reach is Reach.BUILDING else ())))


def window_of(place: Place, reach: Reach) -> Place:
    """The part of a home's address that an incident takes over."""
    if reach is Reach.ESTATE:
        return Place(estate=place.estate, phase=place.phase)
    return Place(estate=place.estate, phase=place.phase, lane=place.lane, building=place.building)


def same_home(one: Report, other: Report) -> bool:
    """By the room where both named one, else by the number."""
    if one.place.room and other.place.room:
        names = ("estate", "phase", "lane", "building", "unit")
        return one.place.room == other.place.room and _agree(one.place, other.place, names)
    return one.number is not None and one.number == other.number


def by_home(reports: Iterable[Report]) -> list[list[Report]]:
    """Reports of one home together, in the order of the first of each."""
    homes: list[list[Report]] = []
    for report in reports:
        known = next((home for home in homes if any(same_home(report, other) for other in home)), None)
        if known is None:
            homes.append([report])
        else:
            known.append(report)
    return homes


def belonging(report: Report, others: Sequence[Report], rules: IncidentRules) -> tuple[Report, ...]:
    """The earlier reports of the same thing in the same place and time, this one last."""
    thing = thing_of(report, rules)
    if thing is None:
        return ()
    alike = (
        other
        for other in others
        if other.ticket_id != report.ticket_id
        and thing_of(other, rules) == thing
        and abs(report.at - other.at) <= rules.window
        and same_place(report.place, other.place, thing.reach)
    )
    return (*sorted(alike, key=lambda other: (other.at, other.ticket_id)), report)


def state_for(homes: int, rules: IncidentRules) -> IncidentState | None:
    """What so many homes make: an incident, a suggestion, or nothing yet."""
    if rules.formed_from and homes >= rules.formed_from:
        return IncidentState.OPEN
    return IncidentState.SUGGESTED if homes >= rules.suggested_from else None


def _agree(one: Place, other: Place, names: tuple[str, ...]) -> bool:
    """Equal, or not said on one of the two."""
    pairs = ((getattr(one, name), getattr(other, name)) for name in names)
    return all(a is None or b is None or a == b for a, b in pairs)
