"""How a limit's time runs, what a pause does to it, and the light that shows it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.calendar import TimeRange, WorkCalendar
from callcenter.domain.counted_time import Counted, after_counted_time, without_pause
from callcenter.domain.deadline_standing import Light, deadline_standing
from callcenter.domain.deadlines import DeadlineKind, DeadlineRules, OwnLimit, deadlines_of_ticket, feedback_reply
from callcenter.domain.tickets import RequestType, Urgency

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(zone=SHANGHAI)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026; the 27th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def resumed(due: datetime, paused: datetime, until: datetime, counted: Counted) -> datetime:
    return without_pause(due, paused_at=paused, resumed_at=until, counted=counted, calendar=CALENDAR)


def test_round_the_clock_a_pause_moves_the_limit_by_its_length() -> None:
    assert resumed(local(27, 10), local(24, 12), local(25, 15), Counted.CLOCK) == local(28, 13)


def test_working_time_left_is_left_again() -> None:
    due = CALENDAR.after_working_time(local(27, 16), timedelta(hours=3.5))
    assert due == local(30, 10, 30)
    assert resumed(due, local(27, 17), local(28, 12), Counted.WORKING_TIME) == local(30, 11, 30)


def test_a_same_day_limit_moves_by_whole_days() -> None:
    assert resumed(local(25, 0), local(24, 11), local(24, 14), Counted.DAYS) == local(25, 0)
    assert resumed(local(25, 0), local(24, 11), local(26, 9), Counted.DAYS) == local(27, 0)


@pytest.mark.parametrize("counted", list(Counted))
def test_a_pause_does_not_bring_back_a_limit_that_had_passed(counted: Counted) -> None:
    assert resumed(local(24, 10), local(24, 11), local(25, 11), counted) == local(24, 10)


@pytest.mark.parametrize("counted", list(Counted))
def test_the_limit_never_comes_earlier_by_a_pause(counted: Counted) -> None:
    for hours in range(0, 100, 7):
        assert resumed(local(26, 0), local(24, 15), local(24, 15) + timedelta(hours=hours), counted) >= local(26, 0)


def test_office_hours_of_an_estate() -> None:
    late = WorkCalendar(zone=SHANGHAI, office_hours=(TimeRange(start=time(12), end=time(20)),))
    assert feedback_reply(at=local(24, 10), calendar=late).due_at == local(24, 16)
    assert feedback_reply(at=local(24, 10), calendar=CALENDAR).due_at == local(24, 15, 30)
    assert after_counted_time(local(24, 19), timedelta(hours=2), counted=Counted.WORKING_TIME, calendar=late) == local(
        25, 13
    )


def test_the_operators_own_limit_replaces_the_built_in_one() -> None:
    own = (
        OwnLimit(kind=DeadlineKind.SETTLED, length=timedelta(hours=8), category="plumbing", urgency=Urgency.URGENT),
        OwnLimit(
            kind=DeadlineKind.SETTLED, length=timedelta(hours=7), category="plumbing", counted=Counted.WORKING_TIME
        ),
    )

    def settled(request_type: RequestType, urgency: Urgency, category: str | None) -> list[tuple[str, datetime]]:
        found = deadlines_of_ticket(
            reported_at=local(24, 10),
            request_type=request_type,
            urgency=urgency,
            category=category,
            rules=DeadlineRules(own=own),
            calendar=CALENDAR,
        )
        return [(one.basis, one.due_at) for one in found if one.kind is DeadlineKind.SETTLED]

    assert settled(RequestType.REPAIR, Urgency.URGENT, "plumbing") == [("own_limit", local(24, 18))]
    assert settled(RequestType.REPAIR, Urgency.NORMAL, "plumbing") == [("own_limit", local(25, 10))]
    assert settled(RequestType.REPAIR, Urgency.NORMAL, "noise") == []
    assert settled(RequestType.COMPLAINT, Urgency.NORMAL, "noise") == [("complaint_same_day", local(25, 0))]


def test_an_emergency_that_was_not_heard_well_runs_its_clock_all_the_same() -> None:
    (limit,) = deadlines_of_ticket(
        reported_at=local(24, 10),
        request_type=None,
        urgency=None,
        unsure_emergency=True,
        rules=DeadlineRules(),
        calendar=CALENDAR,
    )
    assert (limit.kind, limit.basis, limit.due_at) == (DeadlineKind.ON_SITE, "emergency_unsure", local(24, 10, 3))


def test_the_light() -> None:
    began, due = local(24, 10), local(24, 14)

    def light(now: datetime, **other: datetime) -> tuple[Light, timedelta]:
        found = deadline_standing(due_at=due, counts_from=began, now=now, **other)
        return found.light, found.left

    assert light(local(24, 12, 59)) == (Light.GREEN, timedelta(minutes=61))
    assert light(local(24, 13)) == (Light.AMBER, timedelta(hours=1))
    assert light(due) == (Light.RED, timedelta())
    assert light(local(24, 15)) == (Light.RED, timedelta(hours=-1))
    assert light(local(24, 15), paused_at=local(24, 11)) == (Light.PAUSED, timedelta(hours=3))
    assert light(local(24, 15), met_at=due)[0] is Light.KEPT
    assert light(local(24, 15), met_at=local(24, 14, 1))[0] is Light.KEPT_LATE
    assert light(local(24, 15), cancelled_at=local(24, 11))[0] is Light.CANCELLED
