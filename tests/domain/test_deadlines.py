"""The time limits of domain.md, from type, urgency and promise."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.deadlines import (
    DeadlineKind,
    DeadlineRules,
    deadlines_of_promises,
    deadlines_of_ticket,
    feedback_reply,
    passed_on,
)
from callcenter.domain.tickets import Found, Promise, PromiseKind, RequestType, Urgency

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(zone=SHANGHAI)
NIGHT = datetime(2026, 11, 24, 22, 30, tzinfo=SHANGHAI)


def limits(request_type: RequestType | None, urgency: Urgency | None = None) -> dict[str, timedelta]:
    found = deadlines_of_ticket(
        reported_at=NIGHT, request_type=request_type, urgency=urgency, rules=DeadlineRules(), calendar=CALENDAR
    )
    return {one.kind.value: one.due_at - NIGHT for one in found}


def test_an_emergency_by_type_or_by_urgency_is_attended_in_three_minutes() -> None:
    three = {"on_site": timedelta(minutes=3)}
    assert limits(RequestType.EMERGENCY) == limits(RequestType.REPAIR, Urgency.EMERGENCY) == three


def test_a_complaint_is_answered_in_24_hours_and_settled_the_same_day() -> None:
    assert limits(RequestType.COMPLAINT) == {"first_reply": timedelta(hours=24), "settled": timedelta(hours=1.5)}


@pytest.mark.parametrize("request_type", [RequestType.REPAIR, RequestType.ENQUIRY, RequestType.PRAISE, None])
def test_other_requests_have_the_limits_that_were_promised_only(request_type: RequestType | None) -> None:
    assert limits(request_type, Urgency.URGENT) == {}


def test_a_promise_with_a_time_is_due_then() -> None:
    timed, open_ended = (Promise(kind=PromiseKind.VISIT, text="上门", due=due) for due in (NIGHT, None))
    (found,) = deadlines_of_promises([Found(value=one, confidence=0.9) for one in (timed, open_ended)])
    assert (found.kind, found.due_at, found.basis, found.text) == (DeadlineKind.PROMISE, NIGHT, "visit", "上门")


def test_passed_on_has_three_days_and_feedback_half_a_working_day() -> None:
    assert passed_on(at=NIGHT, rules=DeadlineRules()).due_at == NIGHT + timedelta(days=3)
    assert feedback_reply(at=NIGHT, calendar=CALENDAR).due_at == datetime(2026, 11, 25, 14, 30, tzinfo=SHANGHAI)
