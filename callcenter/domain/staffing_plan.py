"""The agents needed in each half hour of the days foreseen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from callcenter.domain.forecast import SLOTS
from callcenter.domain.staffing import Demand, agents_needed

SLOTS_AN_HOUR = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedDay:
    """By half hour: the calls foreseen, and the agents they need (None: no number of agents could do it)."""

    day: date
    calls: tuple[float, ...]
    agents: tuple[int | None, ...]

    @property
    def all_calls(self) -> float:
        return sum(self.calls)

    @property
    def most_agents(self) -> int:
        return max((agents or 0 for agents in self.agents), default=0)

    @property
    def hours_of_work(self) -> float:
        return sum(agents or 0 for agents in self.agents) / SLOTS_AN_HOUR


def planned(
    foreseen: Mapping[date, Sequence[float]], demand: Demand, *, share: float, within_seconds: float
) -> tuple[PlannedDay, ...]:
    """`demand` says how long calls take; its calls an hour are replaced by those foreseen. The line is always open:
    at least one agent.
    """
    known: dict[float, int | None] = {}

    def needed(calls: float) -> int | None:
        calls_an_hour = round(calls * SLOTS_AN_HOUR, 3)
        if calls_an_hour not in known:
            wanted = replace(demand, calls_an_hour=calls_an_hour)
            found = agents_needed(wanted, share=share, within_seconds=within_seconds)
            known[calls_an_hour] = None if found is None else max(1, found)
        return known[calls_an_hour]

    return tuple(
        PlannedDay(day=day, calls=tuple(calls), agents=tuple(needed(one) for one in calls))
        for day, calls in sorted(foreseen.items())
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Half hours in a row, [first, last], in which every day needs as many agents as in the one before.

    `agents` a day; `calls` a day: the mean of a half hour.
    """

    first: int
    last: int
    agents: tuple[int | None, ...]
    calls: tuple[float, ...]

    @property
    def label(self) -> str:
        """09:30–12:00."""
        return f"{_clock(self.first)}–{_clock(self.last + 1)}"


def stretches(plan: Sequence[PlannedDay]) -> tuple[Stretch, ...]:
    """The plan as a table that a person can read: one row as long as nothing changes."""
    by_slot = [tuple(day.agents[slot] for day in plan) for slot in range(SLOTS)]
    begins = [slot for slot in range(SLOTS) if slot == 0 or by_slot[slot] != by_slot[slot - 1]]
    return tuple(
        Stretch(
            first=first,
            last=following - 1,
            agents=by_slot[first],
            calls=tuple(sum(day.calls[first:following]) / (following - first) for day in plan),
        )
        for first, following in zip(begins, [*begins[1:], SLOTS], strict=True)
    )


def _clock(slot: int) -> str:
    return f"{slot // SLOTS_AN_HOUR:02}:{slot % SLOTS_AN_HOUR * 30:02}"
