"""Who is told when that a promise is about to be broken, and for how long it is repeated."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.escalation import (
    Cause,
    EscalationRules,
    Level,
    Limit,
    after_telling,
    is_serious,
    level_above,
    tellings_of_limit,
    tellings_of_serious,
)
from callcenter.domain.tickets import RequestType, Urgency

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = EscalationRules(calendar=WorkCalendar(zone=SHANGHAI))


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def moments(limit: Limit) -> list[datetime]:
    return [one.at for one in tellings_of_limit(limit, rules=RULES)]


def test_agent_then_supervisor_before_the_limit_and_the_manager_when_it_has_passed() -> None:
    limit = Limit(counts_from=local(24, 10), due_at=local(25, 10))
    agent, supervisor, manager = tellings_of_limit(Limit(counts_from=local(24, 16), due_at=local(25, 16)), rules=RULES)
    assert (agent.at, supervisor.at, manager.at) == (local(25, 12), local(25, 14), local(25, 16))
    assert (agent.cause, supervisor.cause, manager.cause) == (Cause.LIMIT_NEAR, Cause.LIMIT_NEAR, Cause.LIMIT_PASSED)
    assert moments(limit) == [local(24, 21, 59), local(25, 8), local(25, 10)]


def test_a_short_promise_warns_when_a_quarter_is_left() -> None:
    assert moments(Limit(counts_from=local(24, 10), due_at=local(24, 10, 40))) == [
        local(24, 10, 30),
        local(24, 10, 35),
        local(24, 10, 40),
    ]


def test_what_falls_into_the_night_is_told_before_it_and_what_passed_in_it_after_it() -> None:
    assert moments(Limit(counts_from=local(24, 1), due_at=local(25, 1))) == [
        local(24, 21),
        local(24, 21, 59),
        local(25, 7),
    ]


def test_an_emergency_goes_to_agent_and_supervisor_at_once_at_night_too() -> None:
    limit = Limit(counts_from=local(24, 3), due_at=local(24, 3, 3), is_emergency=True)
    assert moments(limit) == [local(24, 3), local(24, 3), local(24, 3, 3)]
    assert after_telling(4, at=local(24, 3), is_emergency=True, rules=RULES) == local(24, 3, 5)


def test_repeats_grow_and_keep_the_quiet_hours() -> None:
    at = local(24, 12)
    waits = [after_telling(n, at=at, is_emergency=False, rules=RULES) - at for n in (1, 2, 3, 4, 9)]
    assert waits == [timedelta(hours=hours) for hours in (0.5, 1, 2, 4, 4)]
    assert after_telling(1, at=local(24, 21, 50), is_emergency=False, rules=RULES) == local(25, 7)


@pytest.mark.parametrize(
    ("request_type", "urgency", "category", "serious"),
    [
        (RequestType.COMPLAINT, Urgency.NORMAL, "noise", False),
        (RequestType.COMPLAINT, Urgency.URGENT, "noise", True),
        (RequestType.COMPLAINT, None, "attitude", True),
        (RequestType.REPAIR, Urgency.URGENT, "attitude", False),
        (None, None, None, False),
    ],
)
def test_a_serious_complaint(
    request_type: RequestType | None, urgency: Urgency | None, category: str | None, serious: bool
) -> None:
    assert is_serious(request_type=request_type, urgency=urgency, category=category, rules=RULES) is serious


def test_a_serious_complaint_goes_up_at_once_but_not_in_the_night() -> None:
    assert [one.level for one in tellings_of_serious(local(24, 10), rules=RULES)] == [Level.AGENT, Level.SUPERVISOR]
    assert {one.at for one in tellings_of_serious(local(24, 23), rules=RULES)} == {local(25, 7)}


def test_unacknowledged_it_goes_one_level_up() -> None:
    assert level_above(Level.AGENT, 2, there={Level.AGENT}, rules=RULES) is None
    assert level_above(Level.AGENT, 3, there={Level.AGENT}, rules=RULES) is Level.SUPERVISOR
    assert level_above(Level.AGENT, 3, there={Level.AGENT, Level.SUPERVISOR}, rules=RULES) is None
    assert level_above(Level.DEPUTY_MANAGER, 9, there={Level.DEPUTY_MANAGER}, rules=RULES) is None


@given(
    began=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    minutes=st.integers(1, 60 * 24 * 5),
    emergency=st.booleans(),
)
def test_levels_are_told_in_order_and_never_in_quiet_hours_unless_it_is_an_emergency(
    began: datetime, minutes: int, emergency: bool
) -> None:
    start = began.replace(tzinfo=SHANGHAI)
    limit = Limit(counts_from=start, due_at=start + timedelta(minutes=minutes), is_emergency=emergency)
    told = tellings_of_limit(limit, rules=RULES)
    assert [one.level for one in told] == [Level.AGENT, Level.SUPERVISOR, Level.DEPUTY_MANAGER]
    assert all(one.at >= start for one in told)
    assert told[0].at <= told[1].at <= told[2].at
    if not emergency:
        assert not any(RULES.is_quiet(one.at) for one in told)
