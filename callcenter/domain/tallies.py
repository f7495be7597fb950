"""What is counted of the calls of a stretch of time; tallies of two stretches, added, are the tally of both.

Nothing is rounded and no call is weighed: speeds stand as whole counts of tenths of a second (`figures.TENTH_MS`), all
else as sums. So a day can be counted once, kept, and added to others, and every figure, percentiles and bands included,
comes out as if all the calls had been counted together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import add
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from callcenter.domain.calls import LegOutcome
from callcenter.domain.figures import (
    AgentFigures,
    CallTimes,
    Cell,
    Contacts,
    Figures,
    cell_of_call,
    figures_of,
)
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, Verdict

FORMAT = 1
QUARTER_SECONDS = 900
"""A quarter of an hour: every time zone's offset is a multiple of one, so they can be put into its hours."""

COUNTED_LEGS = frozenset({LegOutcome.ANSWERED, LegOutcome.REFUSED, LegOutcome.RANG_OUT, LegOutcome.NOT_CONFIRMED})
"""Legs that were cancelled, busy or unreachable are nobody's fault."""

COLUMNS = (
    "calls",
    "longest_ms",
    "speed_ms",
    "surely_in_time",
    "perhaps_in_time",
    "talks",
    "talk_ms",
    "holds",
    "hold_ms",
    "wraps",
    "wrap_ms",
    "transfers_told",
    "transferred",
)
LONGEST = COLUMNS.index("longest_ms")
CONTACTS = ("matters", "again", "open_matters", "linked", "repeats", "promised", "kept")
OPEN = CONTACTS.index("open_matters")

Row: TypeAlias = list[int]
CellKey: TypeAlias = tuple[str, str | None]
"""Disposition, verdict."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting:
    """How calls are counted: whose days they are, and what is in time. `version` stands beside what was counted so."""

    zone: ZoneInfo
    in_time_ms: int

    @property
    def version(self) -> str:
        return f"{FORMAT} {self.zone.key} {self.in_time_ms}"


@dataclass(frozen=True, kw_only=True, slots=True)
class OfTicket:
    """A call's place on its ticket. `estate` is empty where nobody knows it.

    `is_matter`: it opened a ticket with something to do. `came_again`: within the days of first-contact resolution a
    second contact came about it. `is_linked`: the resident called about it; `is_repeat`: it was there before.
    """

    estate: str
    is_matter: bool
    came_again: bool
    is_linked: bool
    is_repeat: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedCall:
    """An inbound call as figures look at it. `is_young`: the days of first-contact resolution are not over."""

    call_id: str
    number: str
    agent: str
    started_at: datetime
    disposition: Disposition
    verdict: Verdict | None
    rings: tuple[int, int] | None
    speed: Span | None
    talk: Span | None
    hold: Span | None
    wrap_up: Span | None
    transferred: bool | None
    is_young: bool
    ticket: OfTicket | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedLeg:
    """One agent's phone on a call to `number`."""

    number: str
    agent: str
    outcome: LegOutcome
    verdict: Verdict | None
    ring: Span | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedPromise:
    """A call-back that was due, promised by `agent` on a call to `number`; `is_kept`: made by the time promised."""

    number: str
    estate: str
    agent: str
    is_kept: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Longest:
    """The call that waited longest for its answer."""

    speed_ms: int
    started_at: datetime
    call_id: str

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """The smallest is the first of a list: the slowest, then the earliest."""
        return -self.speed_ms, self.started_at, self.call_id


def _zeros() -> Row:
    return [0] * len(COLUMNS)


def _no_contacts() -> Row:
    return [0] * len(CONTACTS)


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts, each under the key that its name says. `quarters`: since 1970, with disposition and verdict.

    `rings`: answered calls by the fewest and the most rings heard; `pick_ups`: phones answered, by seconds of ringing
    rounded up; `legs`: how many, of how many the ringing is known, and its sum in milliseconds; `speeds`: answers by
    estate and by tenths of a second from the end of the menu.
    """

    quarters: dict[CellKey, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    rings: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    pick_ups: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    by_estate: dict[str, dict[CellKey, Row]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(_zeros)))
    speeds: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    by_agent: dict[str, Row] = field(default_factory=lambda: defaultdict(_zeros))
    legs: dict[tuple[str, str, str | None], Row] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    contacts_by_estate: dict[str, Row] = field(default_factory=lambda: defaultdict(_no_contacts))
    contacts_by_agent: dict[str, Row] = field(default_factory=lambda: defaultdict(_no_contacts))
    longest: Longest | None = None

    def count(self, call: CountedCall, counting: Counting) -> None:
        quarter = int(call.started_at.timestamp()) // QUARTER_SECONDS
        verdict = call.verdict.value if call.verdict else None
        self.quarters[call.disposition.value, verdict][quarter] += 1
        cell = cell_of_call(
            call.disposition,
            call.verdict,
            call.speed,
            call.talk,
            in_time_ms=counting.in_time_ms,
            hold=call.hold,
            wrap_up=call.wrap_up,
            transferred=call.transferred,
        )
        row = [getattr(cell, name) for name in COLUMNS]
        estate = call.ticket.estate if call.ticket else ""
        _put(self.by_estate[estate][call.disposition.value, verdict], row)
        if cell.speed_tenths is not None:
            self.speeds[estate][cell.speed_tenths] += 1
        if call.ticket and call.ticket.is_linked:
            self._contact(estate, call.agent, _row_of(call.ticket, is_young=call.is_young))
        if call.disposition is not Disposition.ANSWERED:
            return
        if call.agent:
            _put(self.by_agent[call.agent], row)
        if call.rings:
            self.rings[call.rings] += 1
        if call.speed:
            self._wait(Longest(speed_ms=call.speed.middle_ms, started_at=call.started_at, call_id=call.call_id))

    def count_leg(self, leg: CountedLeg) -> None:
        if leg.outcome is LegOutcome.ANSWERED and leg.ring:
            self.pick_ups[-(-leg.ring.middle_ms // 1000)] += 1
        if leg.agent and leg.outcome in COUNTED_LEGS:
            key = leg.agent, leg.outcome.value, leg.verdict.value if leg.verdict else None
            _sum(self.legs[key], [1, int(leg.ring is not None), leg.ring.middle_ms if leg.ring else 0])

    def count_promise(self, promise: CountedPromise) -> None:
        self._contact(promise.estate, promise.agent, [0, 0, 0, 0, 0, 1, int(promise.is_kept)])

    def _contact(self, estate: str, agent: str, row: Row) -> None:
        _sum(self.contacts_by_estate[estate], row)
        _sum(self.contacts_by_agent[agent], row)

    def _wait(self, other: Longest | None) -> None:
        if other is not None and (self.longest is None or other.rank < self.longest.rank):
            self.longest = other

    def add(self, other: "Tally") -> None:
        for kind, quarters in other.quarters.items():
            _count(self.quarters[kind], quarters)
        _count(self.rings, other.rings)
        _count(self.pick_ups, other.pick_ups)
        for estate, cells in other.by_estate.items():
            own = self.by_estate[estate]
            for cell, row in cells.items():
                _put(own[cell], row)
        for estate, speeds in other.speeds.items():
            _count(self.speeds[estate], speeds)
        for agent, row in other.by_agent.items():
            _put(self.by_agent[agent], row)
        for leg, row in other.legs.items():
            _sum(self.legs[leg], row)
        for name, row in other.contacts_by_estate.items():
            _sum(self.contacts_by_estate[name], row)
        for name, row in other.contacts_by_agent.items():
            _sum(self.contacts_by_agent[name], row)
        self._wait(other.longest)

    def set_open(self, *, young: bool) -> None:
        """Whether the days of first-contact resolution still run for all of these calls, or for none."""
        for row in (*self.contacts_by_estate.values(), *self.contacts_by_agent.values()):
            row[OPEN] = row[0] - row[1] if young else 0

    def figures(self, estate: str | None = None) -> Figures:
        """Of all the calls, or of those of one estate."""
        chosen = self.by_estate if estate is None else {estate} & self.by_estate.keys()
        speeds: dict[int, int] = defaultdict(int)
        for one in chosen:
            _count(speeds, self.speeds.get(one, {}))
        cells = (_cell(key, row) for one in chosen for key, row in self.by_estate[one].items())
        return figures_of(cells, speeds=speeds)

    def estates(self) -> list[str]:
        """Those with most calls first, the calls of unknown estates last."""
        calls = {estate: sum(row[0] for row in cells.values()) for estate, cells in self.by_estate.items()}
        return sorted(calls, key=lambda estate: (estate == "", -calls[estate], estate))

    def contacts(self) -> Contacts:
        total = _no_contacts()
        for row in self.contacts_by_estate.values():
            _sum(total, row)
        return _contacts(total)

    def contacts_of_estate(self, estate: str) -> Contacts:
        return _contacts(self.contacts_by_estate.get(estate, _no_contacts()))

    def agents(self) -> tuple[AgentFigures, ...]:
        """Every agent whose phone rang, those whose phone rang most first."""
        columns: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        rings: dict[str, Row] = defaultdict(lambda: [0, 0])
        for (agent, outcome, verdict), (legs, measured, ring_ms) in self.legs.items():
            answered = outcome == LegOutcome.ANSWERED
            columns[agent][(verdict or Verdict.UNDECIDED.value) if answered else outcome] += legs
            if answered:
                _sum(rings[agent], [measured, ring_ms])
        found = [
            AgentFigures(
                agent=agent,
                mean_ring_ms=round(rings[agent][1] / rings[agent][0]) if rings[agent][0] else None,
                times=CallTimes.of([_cell((Disposition.ANSWERED, None), self.by_agent.get(agent, _zeros()))]),
                contacts=_contacts(self.contacts_by_agent.get(agent, _no_contacts())),
                **by_outcome,
            )
            for agent, by_outcome in columns.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.rang, one.agent)))

    def packed(self) -> dict[str, Any]:
        """As JSON can hold it; the same counts are always packed alike."""
        longest = self.longest
        return {
            "quarters": [[*key, *_spread(quarters)] for key, quarters in _sorted(self.quarters)],
            "rings": [[*key, count] for key, count in _sorted(self.rings)],
            "pick_ups": [[key, count] for key, count in _sorted(self.pick_ups)],
            "by_estate": {
                estate: [[*key, *_trimmed(row)] for key, row in _sorted(cells)]
                for estate, cells in _sorted(self.by_estate)
            },
            "speeds": {
                estate: [[tenths, count] for tenths, count in _sorted(speeds)]
                for estate, speeds in _sorted(self.speeds)
            },
            "by_agent": {agent: _trimmed(row) for agent, row in _sorted(self.by_agent)},
            "legs": [[*key, *row] for key, row in _sorted(self.legs)],
            "contacts_by_estate": dict(_sorted(self.contacts_by_estate)),
            "contacts_by_agent": dict(_sorted(self.contacts_by_agent)),
            "longest": [longest.speed_ms, longest.started_at.astimezone(UTC).isoformat(), longest.call_id]
            if longest
            else None,
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> "Tally":
        tally = cls()
        for disposition, verdict, first, *spread in packed["quarters"]:
            pairs = {first + apart: count for apart, count in zip(spread[::2], spread[1::2], strict=True)}
            tally.quarters[disposition, verdict].update(pairs)
        tally.rings.update({(one[0], one[1]): one[2] for one in packed["rings"]})
        tally.pick_ups.update(packed["pick_ups"])
        for estate, cells in packed["by_estate"].items():
            tally.by_estate[estate].update({(one[0], one[1]): _filled(one[2:]) for one in cells})
        for estate, speeds in packed["speeds"].items():
            tally.speeds[estate].update(speeds)
        tally.by_agent.update({agent: _filled(row) for agent, row in packed["by_agent"].items()})
        tally.legs.update({(one[0], one[1], one[2]): one[3:] for one in packed["legs"]})
        tally.contacts_by_estate.update(packed["contacts_by_estate"])
        tally.contacts_by_agent.update(packed["contacts_by_agent"])
        if packed["longest"]:
            speed_ms, started_at, call_id = packed["longest"]
            tally.longest = Longest(speed_ms=speed_ms, started_at=datetime.fromisoformat(started_at), call_id=call_id)
        return tally


Tallies: TypeAlias = dict[str, Tally]
"""By the number of ours that was called, empty where it is not known."""


def added(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.add(one)
    return total


def _row_of(ticket: OfTicket, *, is_young: bool) -> Row:
    again = ticket.is_matter and ticket.came_again
    is_open = ticket.is_matter and is_young and not ticket.came_again
    return [*map(int, (ticket.is_matter, again, is_open, True, ticket.is_repeat)), 0, 0]


def _put(known: Row, more: Row) -> None:
    longest = max(known[LONGEST], more[LONGEST])
    _sum(known, more)
    known[LONGEST] = longest


def _count(known: dict[Any, int], more: Mapping[Any, int]) -> None:
    for key, count in more.items():
        known[key] += count


def _contacts(row: Row) -> Contacts:
    return Contacts(**dict(zip(CONTACTS, row, strict=True)))


def _spread(quarters: Mapping[int, int]) -> list[int]:
    """The first quarter, then for each how far it lies from the first, and its count."""
    first = min(quarters)
    return [first, *(number for quarter, count in _sorted(quarters) for number in (quarter - first, count))]


def _sum(known: Row, more: Row) -> None:
    known[:] = map(add, known, more)


def _cell(key: CellKey, row: Row) -> Cell:
    disposition, verdict = key
    return Cell(
        disposition=Disposition(disposition),
        verdict=Verdict(verdict) if verdict else None,
        **dict(zip(COLUMNS, row, strict=True)),
    )


def _sorted(counts: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """By key, in which None comes before everything."""
    return sorted(counts.items(), key=lambda item: _rank(item[0]))


def _rank(key: Any) -> Any:
    return [(part is not None, part) if part is not None else (False,) for part in key] if type(key) is tuple else key


def _trimmed(row: Row) -> Row:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _filled(row: Row) -> Row:
    return row + [0] * (len(COLUMNS) - len(row))
