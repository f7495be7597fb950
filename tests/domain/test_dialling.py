"""When a resident may be phoned, and what follows from each try."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.decent_times import DayPart
from callcenter.domain.dialling import (
    REFUSED_BY_PROVIDER,
    UNCERTAIN,
    Action,
    Attempt,
    DiallingRules,
    Obstacles,
    Planned,
    Reason,
    after_attempt,
    decide,
)
from callcenter.domain.reasons import reason_text

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = DiallingRules(calendar=WorkCalendar(zone=SHANGHAI))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))
OUTCOMES = st.sampled_from([*(one.value for one in OutboundOutcome), REFUSED_BY_PROVIDER, UNCERTAIN])
ATTEMPTS = st.lists(st.builds(Attempt, at=MOMENTS, outcome=st.one_of(st.none(), OUTCOMES)), max_size=6)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def tried(*attempts: tuple[datetime, str]) -> list[Attempt]:
    return [Attempt(at=moment, outcome=outcome) for moment, outcome in attempts]


@pytest.mark.parametrize(
    ("now", "decent"),
    [(at(24, 8, 59), False), (at(24, 9), True), (at(24, 11, 59), True), (at(24, 12), False), (at(24, 13, 59), False),
     (at(24, 14), True), (at(24, 19, 59), True), (at(24, 20), False)],
)  # fmt: skip
def test_decent_hours(now: datetime, decent: bool) -> None:
    assert RULES.is_decent(now) is decent
    decision = decide(Planned(due_at=now), now=now, rules=RULES)
    assert decision.action is (Action.CALL if decent else Action.WAIT)


def test_a_promise_with_a_time_may_go_outside_only_near_its_time() -> None:
    promised = Planned(due_at=at(24, 21), promised_for=at(24, 21, 5), may_go_outside_decent_hours=True)
    assert decide(promised, now=at(24, 21), rules=RULES).reason is Reason.PROMISED_TIME
    late = decide(promised, now=at(24, 22), rules=RULES)
    assert (late.action, late.at) == (Action.WAIT, at(25, 9))
    other_kind = Planned(due_at=at(24, 21), promised_for=at(24, 21, 5))
    assert decide(other_kind, now=at(24, 21), rules=RULES).action is Action.WAIT


def test_an_emergency_may_go_out_at_any_hour_but_not_against_a_residents_wish() -> None:
    emergency = Planned(due_at=at(24, 3), may_go_outside_decent_hours=True, is_emergency=True)
    assert decide(emergency, now=at(24, 3), rules=RULES).action is Action.CALL
    refused = decide(emergency, now=at(24, 3), rules=RULES, obstacles=Obstacles(do_not_call=True))
    assert (refused.action, refused.reason) == (Action.CANCEL, Reason.DO_NOT_CALL)


def test_one_contact_a_topic_a_day() -> None:
    reached = tried((at(24, 9), "reached"))
    assert decide(Planned(due_at=at(24, 9)), now=at(24, 10), rules=RULES, of_topic=reached).at == at(25, 9)
    assert decide(Planned(due_at=at(24, 9)), now=at(25, 10), rules=RULES, of_topic=reached).action is Action.CALL


def test_no_answer_is_tried_at_every_other_time_of_day() -> None:
    planned = Planned(due_at=at(24, 9))
    first = tried((at(24, 9, 30), "no_answer"))
    assert after_attempt("no_answer", planned, at=at(24, 9, 31), rules=RULES, of_topic=first).at == at(24, 14)
    second = [*first, *tried((at(24, 14), "no_answer"))]
    assert after_attempt("no_answer", planned, at=at(24, 14, 1), rules=RULES, of_topic=second).at == at(24, 18)
    evening = tried((at(24, 19), "no_answer"))
    assert after_attempt("no_answer", planned, at=at(24, 19, 1), rules=RULES, of_topic=evening).at == at(25, 9)


def test_a_number_tried_often_today_waits_for_tomorrow_at_another_time_of_day_than_the_last_try() -> None:
    of_topic = tried((at(24, 9, 30), "no_answer"))
    of_number = tried(*((at(24, hour), "busy") for hour in (9, 10, 11, 14)), (at(24, 9, 30), "no_answer"))
    planned = Planned(due_at=at(24, 14, 5))
    decision = decide(planned, now=at(24, 14, 5), rules=RULES, of_topic=of_topic, of_number=of_number)
    assert (decision.reason, decision.at) == (Reason.NUMBER_TRIED_OFTEN_TODAY, at(25, 14))
    decision = decide(planned, now=at(24, 14, 5), rules=RULES, of_topic=(), of_number=of_number)
    assert decision.at == at(25, 9)


def test_a_promise_that_the_days_limit_or_a_wish_would_break_goes_to_a_person() -> None:
    tries = tried(*((at(24, hour), "busy") for hour in (9, 10, 11, 14, 15)))
    planned = Planned(due_at=at(24, 16), promised_for=at(24, 16, 5), may_go_outside_decent_hours=True)
    decision = decide(planned, now=at(24, 16), rules=RULES, of_number=tries)
    assert (decision.action, decision.reason) == (Action.HAND_OVER, Reason.NUMBER_TRIED_OFTEN_TODAY)
    no_evenings = replace(RULES, avoided=frozenset({DayPart.EVENING}))
    planned = Planned(due_at=at(24, 21), promised_for=at(24, 21, 5), may_go_outside_decent_hours=True)
    decision = decide(planned, now=at(24, 21), rules=no_evenings)
    assert (decision.action, decision.reason) == (Action.HAND_OVER, Reason.UNWANTED_TIME)
    tried_before = tried((at(24, 10), "no_answer"))
    assert decide(planned, now=at(24, 21), rules=no_evenings, of_topic=tried_before).action is Action.WAIT


def test_a_call_that_may_be_ringing_keeps_the_line() -> None:
    """Found by the simulation: the provider answered 500 after having dialled, and two minutes later rang again."""
    planned = Planned(due_at=at(24, 10))
    unclear = tried((at(24, 9, 58), UNCERTAIN))
    assert decide(planned, now=at(24, 10), rules=RULES, of_number=unclear).reason is Reason.LINE_IN_USE
    assert decide(planned, now=at(24, 10, 10), rules=RULES, of_number=unclear).action is Action.CALL


def test_a_promise_whose_line_is_taken_is_tried_again_at_the_promised_time_at_the_latest() -> None:
    """Found by the simulation: asked again every two minutes, it left one minute late."""
    planned = Planned(due_at=at(24, 10), promised_for=at(24, 10, 5))
    ringing = tried((at(24, 10), None))
    last_look = at(24, 10, 6) + timedelta(seconds=30)
    for minute, again in ((0, at(24, 10, 2)), (4, at(24, 10, 5)), (5, last_look)):
        decision = decide(planned, now=at(24, 10, minute), rules=RULES, of_number=ringing)
        assert (decision.reason, decision.at) == (Reason.LINE_IN_USE, again)
    given = decide(planned, now=last_look, rules=RULES, of_number=ringing)
    assert (given.action, given.reason) == (Action.HAND_OVER, Reason.LINE_IN_USE), "a person is told in time"
    once = tried((at(24, 9), "no_answer"))
    assert decide(planned, now=last_look, rules=RULES, of_number=ringing, of_topic=once).action is Action.WAIT
    assert decide(replace(planned, promised_for=None), now=last_look, rules=RULES, of_number=ringing).at == at(
        24, 10, 8
    ) + timedelta(seconds=30)
    just_called = decide(planned, now=at(24, 10, 4), rules=RULES, obstacles=Obstacles(resident_just_called=True))
    assert (just_called.reason, just_called.at) == (Reason.RESIDENT_JUST_CALLED, at(24, 10, 5))


def test_a_wrong_number_is_not_dialled_for_anything_but_on_order() -> None:
    planned = Planned(due_at=at(24, 10))
    wrong = Obstacles(wrong_number=True)
    decision = decide(planned, now=at(24, 10), rules=RULES, obstacles=wrong)
    assert (decision.action, decision.reason) == (Action.HAND_OVER, Reason.WRONG_NUMBER)
    ordered = replace(planned, ordered=True)
    assert decide(ordered, now=at(24, 10), rules=RULES, obstacles=wrong).action is Action.CALL


def test_busy_late_in_the_evening_waits_for_the_morning() -> None:
    busy = tried((at(24, 19, 55), "busy"))
    assert after_attempt("busy", Planned(due_at=at(24, 9)), at=at(24, 19, 55), rules=RULES, of_topic=busy).at == at(
        25, 9
    )


@given(now=MOMENTS, due=MOMENTS, topic=ATTEMPTS, number=ATTEMPTS, wish=st.booleans())
def test_a_call_leaves_only_when_every_rule_allows_it(
    now: datetime, due: datetime, topic: list[Attempt], number: list[Attempt], wish: bool
) -> None:
    decision = decide(
        Planned(due_at=due),
        now=now,
        rules=RULES,
        of_topic=topic,
        of_number=number,
        obstacles=Obstacles(do_not_call=wish),
    )
    if decision.action is Action.WAIT:
        assert decision.at is not None
        assert decision.at > now
    if decision.action is not Action.CALL:
        return
    today = now.astimezone(SHANGHAI).date()
    assert not wish
    assert RULES.is_decent(now)
    assert now >= due
    assert sum(one.may_have_rung for one in topic) < 3
    assert not any(one.reached and one.at.astimezone(SHANGHAI).date() >= today for one in topic)
    assert sum(one.may_have_rung and one.at.astimezone(SHANGHAI).date() >= today for one in number) < 5
    assert all(one.outcome is not None for one in number)


@given(outcome=OUTCOMES, ended=MOMENTS, earlier=ATTEMPTS)
def test_after_any_try_the_next_step_is_decent_and_other_than_the_last_time_of_day(
    outcome: str, ended: datetime, earlier: list[Attempt]
) -> None:
    tries = [*earlier, Attempt(at=ended - timedelta(minutes=1), outcome=outcome)]
    decision = after_attempt(outcome, Planned(due_at=ended), at=ended, rules=RULES, of_topic=tries)
    if outcome in ("wrong_number", "unknown", UNCERTAIN):
        assert decision.action is Action.HAND_OVER
    if decision.at is None:
        return
    assert decision.at > ended
    assert RULES.is_decent(decision.at)
    if outcome == "no_answer":
        assert RULES.part_of_day(decision.at) != RULES.part_of_day(ended)


@given(moment=MOMENTS)
def test_decent_moments_before_and_after(moment: datetime) -> None:
    after, before = RULES.decent_from(moment), RULES.decent_until(moment, margin=timedelta(minutes=30))
    assert RULES.is_decent(after)
    assert after >= moment
    assert RULES.is_decent(before)
    assert before <= moment


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_in_both_languages(reason: Reason) -> None:
    assert reason_text(reason, "zh") != reason_text(reason, "en")
    assert reason_text("因为", "en") == "因为"
