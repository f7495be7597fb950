"""Which reports are one incident: the same thing, close together in time and place, from several homes."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.domain.incident_plan import IncidentPlan, KnownIncident, plan_incidents
from callcenter.domain.incidents import IncidentRules, IncidentState, Reach, Report, Thing, by_home, thing_of
from callcenter.domain.tickets import Place

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
RULES = IncidentRules()


def report(ticket_id: int, place: Place | None = None, *, minutes: float = 0, **other: object) -> Report:
    """A lift out of order, each from a home of its own in building 3."""
    values: dict[str, object] = {
        "number": f"+86138000000{ticket_id:02}",
        "category": "lift",
        "request_type": "repair",
        "responsibility": None,
        "summary": "电梯停了",
    }
    place = place or Place(building="3", room=f"{ticket_id}01")
    return Report(ticket_id=ticket_id, at=AT + timedelta(minutes=minutes), place=place, **(values | other))  # type: ignore[arg-type]


def plan(*free: Report, known: tuple[KnownIncident, ...] = (), rules: IncidentRules = RULES) -> IncidentPlan:
    return plan_incidents(free, known, rules)


def formed(*free: Report, rules: IncidentRules = RULES) -> list[tuple[str, list[int]]]:
    return [(new.state.value, [one.ticket_id for one in new.reports]) for new in plan(*free, rules=rules).new]


def test_two_homes_are_suggested_three_make_one() -> None:
    assert formed(report(1)) == []
    assert formed(report(1), report(2, minutes=50)) == [("suggested", [1, 2])]
    assert formed(report(1), report(2, minutes=50), report(3, minutes=60)) == [("open", [1, 2, 3])]
    never = IncidentRules(formed_from=0)
    assert formed(report(1), report(2), report(3), rules=never) == [("suggested", [1, 2, 3])]


def test_what_lies_too_far_apart_is_not_one_thing() -> None:
    assert formed(report(1), report(2, minutes=121)) == []
    assert formed(report(1), report(2, Place(building="4", room="201"))) == []
    assert formed(report(1), report(2, category="noise")) == []
    assert formed(report(1), report(2, Place(estate="翠湖二期", building="3", room="201"))) != []
    other_estate = report(2, Place(estate="枫桦", building="3", room="201"))
    assert formed(report(1, Place(estate="翠湖", building="3", room="101")), other_estate) == []


def test_one_home_that_reports_twice_is_one_home() -> None:
    home = Place(building="3", unit="2", room="501")
    assert formed(report(1, home), report(2, home, minutes=5)) == []
    assert formed(report(1, home), report(2, Place(building="3", room="501"), minutes=5)) == []
    same_number = report(2, Place(building="3"), number="+8613800000001")
    assert formed(report(1, home), same_number) == []
    landlord = report(2, Place(building="3", unit="2", room="502"), number="+8613800000001")
    assert [len(home) for home in by_home([report(1, home), landlord])] == [1, 1]


@pytest.mark.parametrize(
    ("other", "key"),
    [
        ({"category": "plumbing", "summary": "家里停水了"}, "water_cut"),
        ({"category": "plumbing", "summary": "水龙头里一滴水都没有"}, "water_cut"),
        ({"category": "plumbing", "summary": "楼道水管漏水"}, "plumbing"),
        ({"category": "plumbing", "summary": "厨房漏水", "responsibility": "home"}, None),
        ({"category": "power", "summary": "整栋楼停电", "responsibility": "home"}, "power_cut"),
        ({"category": "odour", "summary": "屋里一股怪味", "responsibility": "home"}, "odour"),
        ({"category": "fees"}, None),
        ({"request_type": "praise"}, None),
        ({"request_type": "enquiry", "category": "power", "summary": "为什么停电"}, "power_cut"),
        ({"category": None}, None),
    ],
)
def test_what_a_report_is_about(other: dict[str, object], key: str | None) -> None:
    thing = thing_of(report(1, **other), RULES)
    assert (thing.key if thing else None) == key


def test_the_mains_reach_the_whole_estate() -> None:
    cut = {"category": "plumbing", "summary": "停水了"}
    found = plan(report(1, Place(building="3", room="101"), **cut), report(2, Place(building="9", room="201"), **cut))
    assert [new.thing.reach for new in found.new] == [Reach.ESTATE]
    assert found.new[0].place.is_empty
    leak = {"category": "plumbing", "summary": "楼道漏水"}
    assert formed(report(1, **leak), report(2, Place(building="9", room="201"), **leak)) == []


def test_a_report_without_a_place_counts_for_nothing() -> None:
    assert formed(report(1), report(2, Place())) == []
    assert formed(report(1), report(2, Place(estate="翠湖"))) == []


def incident(state: IncidentState, *reports: Report) -> KnownIncident:
    return KnownIncident(
        incident_id=7,
        state=state,
        thing=Thing(key="lift", category="lift"),
        place=Place(building="3"),
        since=AT,
        last_report_at=max(one.at for one in reports),
        reports=reports,
        by_machine=frozenset({1, 2}),
    )


def test_an_open_incident_takes_later_reports_a_suggestion_only_those_close_by() -> None:
    later = report(4, minutes=600)
    known = incident(IncidentState.OPEN, report(1), report(2), report(3))
    assert plan(later, known=(known,)).join == {7: (4,)}
    suggested = incident(IncidentState.SUGGESTED, report(1), report(2))
    assert plan(later, known=(suggested,)).join == {}
    found = plan(report(4, minutes=90), known=(suggested,))
    assert (found.join, found.states) == ({7: (4,)}, {7: IncidentState.OPEN})


def test_what_was_corrected_away_is_let_go_unless_a_person_linked_it() -> None:
    elsewhere = Place(building="5", room="101")
    suggested = incident(IncidentState.SUGGESTED, report(1, elsewhere), report(2))
    found = plan(known=(suggested,))
    assert (found.leave, found.states) == ({7: (1,)}, {7: IncidentState.DISMISSED})
    by_person = incident(IncidentState.OPEN, report(1), report(2), report(3, elsewhere))
    assert plan(known=(by_person,)).is_empty
