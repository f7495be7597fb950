"""What is counted of the calls of a stretch of time; tallies of two stretches, added, are the tally of both.

Nothing is rounded and no call is weighed: speeds stand as whole counts of tenths of a second (`figures.TENTH_MS`), all
else as sums. So a day can be counted once, kept, and added to others, and every figure, percentiles and bands included,
comes out as if all the calls had been counted together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from callcenter.domain.calls import LegOutcome
from callcenter.domain.counted_calls import COUNTED_LEGS, CountedCall, CountedLeg, CountedPromise, Counting, OfTicket
from callcenter.domain.figures import AgentFigures, CallTimes, Cell, Contacts, Figures, cell_of_call, figures_of
from callcenter.domain.rings import Disposition, Verdict

QUARTER_SECONDS = 900
"""A quarter of an hour: every time zone's offset is a multiple of one, so they can be put into its hours."""

QUARTERS, RINGS, PICK_UPS, CELLS, SPEEDS = "quarters", "rings", "pick_ups", "cells", "speeds"
TALKS, LEGS, ESTATE_CONTACTS, AGENT_CONTACTS = "talks", "legs", "estate_contacts", "agent_contacts"

COLUMNS = (
    "calls",
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
CONTACTS = ("matters", "again", "open_matters", "linked", "repeats", "promised", "kept")
MATTERS, AGAIN, OPEN = map(CONTACTS.index, ("matters", "again", "open_matters"))
LEG_COUNT, LEGS_MEASURED, LEGS_RING_MS = range(3)
UNJUDGED = "-"

Row: TypeAlias = dict[int, int]
Rows: TypeAlias = dict[str, Row]


@dataclass(frozen=True, kw_only=True, slots=True)
class Longest:
    """The call that waited longest: from the end of the menu to the answer, to voice mail, or until it left."""

    wait_ms: int
    started_at: datetime
    call_id: str

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """The smallest is the first of a list: the slowest, then the earliest."""
        return -self.wait_ms, self.started_at, self.call_id


def _no_rows() -> Rows:
    return defaultdict(lambda: defaultdict(int))


@dataclass(frozen=True, kw_only=True, slots=True)
class OfEstate:
    """The figures of one estate's calls; the name is empty where nobody knows it."""

    name: str
    figures: Figures
    contacts: Contacts


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts in named rows of numbered columns, none of them zero. A row's name begins with its table:

    `quarters DISPOSITION VERDICT`: calls by quarter of an hour since 1970; `cells DISPOSITION VERDICT ESTATE`: the sums
    that COLUMNS names; `speeds ESTATE`: answers by tenths of a second from the end of the menu; `rings FEWEST`:
    answered calls by the most rings that may have been heard; `talks AGENT`: COLUMNS of the calls that the agent took;
    `legs OUTCOME VERDICT AGENT`: how many, of how many the ringing is known, its sum in milliseconds; `pick_ups `:
    phones answered by seconds of ringing rounded up; `estate_contacts ESTATE`, `agent_contacts AGENT`: CONTACTS.
    `slowest`: the longest speed of answer by estate, milliseconds.
    """

    rows: Rows = field(default_factory=_no_rows)
    slowest: dict[str, int] = field(default_factory=dict)
    longest: Longest | None = None

    def count(self, call: CountedCall, counting: Counting) -> None:
        kind = f"{call.disposition.value} {call.verdict.value if call.verdict else UNJUDGED}"
        self.rows[f"{QUARTERS} {kind}"][int(call.started_at.timestamp()) // QUARTER_SECONDS] += 1
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
        sums = [getattr(cell, name) for name in COLUMNS]
        estate = call.ticket.estate if call.ticket else ""
        self._put(f"{CELLS} {kind} {estate}", sums)
        if call.ticket and call.ticket.is_linked:
            self._contact(estate, call.agent, _contact_sums(call.ticket, is_young=call.is_young))
        if call.wait:
            self._wait(Longest(wait_ms=call.wait.middle_ms, started_at=call.started_at, call_id=call.call_id))
        if call.disposition is Disposition.ANSWERED:
            self._count_answer(call, cell, sums, estate)

    def _count_answer(self, call: CountedCall, cell: Cell, sums: list[int], estate: str) -> None:
        if call.agent:
            self._put(f"{TALKS} {call.agent}", sums)
        if call.rings:
            fewest, most = call.rings
            self.rows[f"{RINGS} {fewest}"][most] += 1
        if call.speed and cell.speed_tenths is not None:
            self.rows[f"{SPEEDS} {estate}"][cell.speed_tenths] += 1
            speed_ms = call.speed.middle_ms
            self.slowest[estate] = max(speed_ms, self.slowest.get(estate, speed_ms))

    def count_leg(self, leg: CountedLeg) -> None:
        if leg.outcome is LegOutcome.ANSWERED and leg.ring:
            self.rows[f"{PICK_UPS} "][-(-leg.ring.middle_ms // 1000)] += 1
        if leg.agent and leg.outcome in COUNTED_LEGS:
            verdict = leg.verdict.value if leg.verdict else UNJUDGED
            sums = [1, int(leg.ring is not None), leg.ring.middle_ms if leg.ring else 0]
            self._put(f"{LEGS} {leg.outcome.value} {verdict} {leg.agent}", sums)

    def count_promise(self, promise: CountedPromise) -> None:
        self._contact(promise.estate, promise.agent, [0, 0, 0, 0, 0, 1, int(promise.is_kept)])

    def _contact(self, estate: str, agent: str, sums: list[int]) -> None:
        self._put(f"{ESTATE_CONTACTS} {estate}", sums)
        self._put(f"{AGENT_CONTACTS} {agent}", sums)

    def _put(self, name: str, sums: Iterable[int]) -> None:
        row = self.rows[name]
        for column, value in enumerate(sums):
            if value:
                row[column] += value

    def _wait(self, other: Longest | None) -> None:
        if other is not None and (self.longest is None or other.rank < self.longest.rank):
            self.longest = other

    def add(self, other: "Tally") -> None:
        for name, more in other.rows.items():
            row = self.rows[name]
            for column, value in more.items():
                row[column] += value
        self.compare_waits(other.slowest, other.longest)

    def compare_waits(self, slowest: Mapping[str, int], longest: Longest | None) -> None:
        for estate, speed_ms in slowest.items():
            self.slowest[estate] = max(speed_ms, self.slowest.get(estate, speed_ms))
        self._wait(longest)

    def _of(self, table: str) -> Iterator[tuple[str, Row]]:
        """The rows of a table by the rest of their names."""
        head = f"{table} "
        return ((name.removeprefix(head), row) for name, row in self.rows.items() if name.startswith(head))

    def figures(self) -> Figures:
        """Of all the calls."""
        kinds: Rows = _no_rows()
        for name, row in self._of(CELLS):
            disposition, verdict, _ = name.split(" ", 2)
            _add_to(kinds[f"{disposition} {verdict}"], row)
        speeds: Row = defaultdict(int)
        for _, row in self._of(SPEEDS):
            _add_to(speeds, row)
        slowest = max(self.slowest.values(), default=0)
        return figures_of([_cell(kind, row, slowest_ms=slowest) for kind, row in kinds.items()], speeds=speeds)

    def estates(self) -> tuple[OfEstate, ...]:
        """Those with most calls first, the calls of unknown estates last."""
        cells: dict[str, list[Cell]] = defaultdict(list)
        for name, row in self._of(CELLS):
            disposition, verdict, estate = name.split(" ", 2)
            cells[estate].append(_cell(f"{disposition} {verdict}", row, slowest_ms=self.slowest.get(estate, 0)))
        found = [
            OfEstate(
                name=estate,
                figures=figures_of(some, speeds=self.rows.get(f"{SPEEDS} {estate}", {})),
                contacts=_contacts(self.rows.get(f"{ESTATE_CONTACTS} {estate}", {})),
            )
            for estate, some in cells.items()
        ]
        calls = {estate: sum(cell.calls for cell in some) for estate, some in cells.items()}
        return tuple(sorted(found, key=lambda one: (one.name == "", -calls[one.name], one.name)))

    def contacts(self) -> Contacts:
        total: Row = defaultdict(int)
        for _, row in self._of(ESTATE_CONTACTS):
            _add_to(total, row)
        return _contacts(total)

    def agents(self) -> tuple[AgentFigures, ...]:
        """Every agent whose phone rang, those whose phone rang most first."""
        columns: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        rings: Rows = _no_rows()
        for name, row in self._of(LEGS):
            outcome, verdict, agent = name.split(" ", 2)
            answered = outcome == LegOutcome.ANSWERED
            judged = Verdict.UNDECIDED.value if verdict == UNJUDGED else verdict
            columns[agent][judged if answered else outcome] += row[LEG_COUNT]
            if answered:
                _add_to(rings[agent], row)
        found = [
            AgentFigures(
                agent=agent,
                mean_ring_ms=_mean(rings[agent][LEGS_RING_MS], rings[agent][LEGS_MEASURED]),
                times=CallTimes.of([_cell(_ANSWERED, self.rows.get(f"{TALKS} {agent}", {}), slowest_ms=0)]),
                contacts=_contacts(self.rows.get(f"{AGENT_CONTACTS} {agent}", {})),
                **by_outcome,
            )
            for agent, by_outcome in columns.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.rang, one.agent)))

    def quarters(self) -> Iterator[tuple[Disposition, Verdict | None, Mapping[int, int]]]:
        """Calls by quarter of an hour since 1970, for each way in which calls ended."""
        for kind, row in self._of(QUARTERS):
            disposition, verdict = kind.split(" ")
            yield Disposition(disposition), None if verdict == UNJUDGED else Verdict(verdict), row

    def rings(self) -> dict[tuple[int, int], int]:
        """Answered calls by the fewest and the most rings heard, in this order."""
        return dict(sorted(((int(few), most), calls) for few, row in self._of(RINGS) for most, calls in row.items()))

    def pick_ups(self) -> list[tuple[int, int]]:
        """Phones answered by whole seconds of ringing, rounded up, the quickest first."""
        return sorted(self.rows.get(f"{PICK_UPS} ", {}).items())


Tallies: TypeAlias = dict[str, Tally]
"""By the number of ours that was called, empty where it is not known."""

_ANSWERED = f"{Disposition.ANSWERED.value} {UNJUDGED}"


def _contact_sums(ticket: OfTicket, *, is_young: bool) -> list[int]:
    again = ticket.is_matter and ticket.came_again
    is_open = ticket.is_matter and is_young and not ticket.came_again
    return [*map(int, (ticket.is_matter, again, is_open, True, ticket.is_repeat)), 0, 0]


def _add_to(row: Row, more: Mapping[int, int]) -> None:
    for column, value in more.items():
        row[column] += value


def _mean(total: int, count: int) -> int | None:
    return round(total / count) if count else None


def _contacts(row: Mapping[int, int]) -> Contacts:
    return Contacts(**{name: row.get(number, 0) for number, name in enumerate(CONTACTS)})


def _cell(kind: str, row: Mapping[int, int], *, slowest_ms: int) -> Cell:
    disposition, verdict = kind.split(" ")
    sums = {name: row.get(number, 0) for number, name in enumerate(COLUMNS)}
    return Cell(
        disposition=Disposition(disposition),
        verdict=None if verdict == UNJUDGED else Verdict(verdict),
        longest_ms=slowest_ms if disposition == Disposition.ANSWERED else 0,
        **sums,
    )
