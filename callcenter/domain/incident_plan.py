"""What is to be done about incidents, from the tickets as they stand now: join, form, suggest, let go."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.incidents import (
    IncidentRules,
    IncidentState,
    Report,
    Thing,
    belonging,
    by_home,
    same_place,
    state_for,
    thing_of,
    window_of,
)
from callcenter.domain.tickets import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIncident:
    """An incident that is suggested or open; `by_machine` are those of its tickets that no person linked."""

    incident_id: int
    state: IncidentState
    thing: Thing
    place: Place
    since: datetime
    last_report_at: datetime
    reports: tuple[Report, ...]
    by_machine: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class NewIncident:
    thing: Thing
    place: Place
    state: IncidentState
    reports: tuple[Report, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentPlan:
    """`leave` and `join` are the tickets of each incident by its id; `states` what an incident becomes by that."""

    leave: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    join: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    states: Mapping[int, IncidentState] = field(default_factory=dict)
    new: tuple[NewIncident, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.leave or self.join or self.states or self.new)


def plan_incidents(free: Sequence[Report], known: Sequence[KnownIncident], rules: IncidentRules) -> IncidentPlan:
    """`free` are open tickets that belong to no incident and that no person took out of one."""
    leave = {one.incident_id: gone for one in known if (gone := tuple(_corrected_away(one, rules)))}
    join: dict[int, tuple[int, ...]] = {}
    left: list[Report] = []
    for report in sorted(free, key=lambda one: (one.at, one.ticket_id)):
        home = next((one for one in known if _fits(report, one, rules)), None)
        if home is None:
            left.append(report)
        else:
            join[home.incident_id] = (*join.get(home.incident_id, ()), report.ticket_id)
    by_id = {report.ticket_id: report for report in free}
    states = {}
    for one in known:
        stay = [report for report in one.reports if report.ticket_id not in leave.get(one.incident_id, ())]
        state = _state_after(one, [*stay, *(by_id[number] for number in join.get(one.incident_id, ()))], rules)
        if state is not one.state:
            states[one.incident_id] = state
    return IncidentPlan(leave=leave, join=join, states=states, new=tuple(_new(left, rules)))


def _corrected_away(one: KnownIncident, rules: IncidentRules) -> Iterator[int]:
    """What the machine linked and a person has since called something else, or moved elsewhere."""
    for report in one.reports:
        if report.ticket_id in one.by_machine and not _is_about(report, one, rules):
            yield report.ticket_id


def _is_about(report: Report, one: KnownIncident, rules: IncidentRules) -> bool:
    return thing_of(report, rules) == one.thing and same_place(report.place, one.place, one.thing.reach)


def _fits(report: Report, one: KnownIncident, rules: IncidentRules) -> bool:
    """An open incident takes every later report; one that is only suggested, those within the window."""
    if report.at < one.since - rules.window or not _is_about(report, one, rules):
        return False
    return one.state is IncidentState.OPEN or report.at - one.last_report_at <= rules.window


def _state_after(one: KnownIncident, reports: Sequence[Report], rules: IncidentRules) -> IncidentState:
    """A suggestion becomes an incident with enough homes, and falls away with too few. What a person opened stays."""
    if one.state is not IncidentState.SUGGESTED:
        return one.state
    return state_for(len(by_home(reports)), rules) or IncidentState.DISMISSED


def _new(left: list[Report], rules: IncidentRules) -> Iterator[NewIncident]:
    """The latest report looks back over its window; each ticket is used once."""
    waiting = list(left)
    while waiting:
        newest = waiting.pop()
        together = belonging(newest, waiting, rules)
        state, thing = state_for(len(by_home(together)), rules), thing_of(newest, rules)
        if state is None or thing is None:
            continue
        yield NewIncident(thing=thing, place=_window(together, thing), state=state, reports=together)
        used = {report.ticket_id for report in together}
        waiting = [report for report in waiting if report.ticket_id not in used]


def _window(reports: Sequence[Report], thing: Thing) -> Place:
    """What any of them named of the shared part of the address."""
    places = [window_of(report.place, thing.reach) for report in reports]

    def named(part: str) -> str | None:
        return next((value for place in places if (value := getattr(place, part)) is not None), None)

    return Place(estate=named("estate"), phase=named("phase"), lane=named("lane"), building=named("building"))
