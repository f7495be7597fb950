"""What a call.toml expects, held against what came out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.demo.call_script import CallScript
from callcenter.demo.director import Performance
from callcenter.demo.expectations import differences
from callcenter.demo.stage import FarEndJournal, Placed
from callcenter.reports.call_results import CallBackResult, CallResult, OnCallResult, TicketResult, TryResult

AT = datetime(2026, 11, 24, 2, 2, tzinfo=UTC)
TOML = """
title = "x"
[caller]
number = "+8613812346207"
dials_at = "10:02:00"
[[agents]]
id = "hewen"
does = "answers"
ring_seconds = 6.2
[expect]
disposition = "answered"
rings = 2
within_three_rings = "within"
answered_by = "hewen"
[expect.ticket]
type = "repair"
phone = "13912344471"
[expect.call_back]
kind = "call_back_promised"
by = "10:33:30"
"""
TRY = TryResult(at=AT + timedelta(minutes=25), to_number="+8613912344471", speech="您好", outcome="reached")
CALL_BACK = CallBackResult(kind="call_back_promised", state="done", reason=None, due_at=TRY.at, tries=(TRY,))
TICKET = TicketResult(
    id=1,
    number="GD-1124-0001",
    relation="first",
    type="repair",
    category="plumbing",
    urgency="normal",
    place="3栋2单元501",
    phone="13912344471",
    contact=None,
    summary=None,
    call_count=1,
    must_listen=False,
    no_action_reason=None,
)
RESULT = CallResult(
    id="twilio:CA1",
    from_number="+8613812346207",
    started_at=AT,
    ended_at=AT,
    disposition="answered",
    rings=(1, 2),
    ring_ms=(4900, 6900),
    verdict="within",
    answered_by="hewen",
    closed_unknown=False,
    recordings=("transcribed",),
    ticket=TICKET,
    call_backs=(CALL_BACK,),
)
PLACED = Placed(to="+8613912344471", status="completed", at=TRY.at, heard=("您好",), is_over=True)
JOURNAL = FarEndJournal(problems=(), placed=(PLACED,), requests=9, repeated=0, reordered=0, lost=0)

Scripts = Callable[..., CallScript]


def found(script: CallScript, result: CallResult | None, journal: FarEndJournal = JOURNAL) -> tuple[str, ...]:
    results = {script.name: result} if result else {}
    return differences((script,), Performance(played={}, results=results, journal=journal, complaints=()))


def test_what_came_out_as_expected_is_not_mentioned(script: Scripts) -> None:
    assert found(script(TOML), RESULT) == ()


def test_a_call_that_was_not_recorded_is_a_fault(script: Scripts) -> None:
    assert found(script(TOML), None) == ("01-call: the product has no record of this call",)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (replace(RESULT, disposition="voice_mail"), "disposition: expected answered, got voice_mail"),
        (replace(RESULT, rings=(3, 3)), "rings: expected 2, got 3 to 3 (4900-6900 ms of ringing)"),
        (replace(RESULT, rings=None), "rings: expected 2, got none"),
        (replace(RESULT, verdict="undecided"), "within_three_rings: expected within, got undecided"),
        (replace(RESULT, ticket=None), "ticket: expected one, there is none"),
        (replace(RESULT, ticket=replace(TICKET, type=None)), "ticket.type: expected repair, got nothing"),
        (replace(RESULT, ticket=replace(TICKET, phone="13912344472")), "ticket.phone: expected 13912344471"),
        (replace(RESULT, call_backs=()), "call_back: expected call_back_promised by 10:33:30, none is planned"),
        (replace(RESULT, call_backs=(replace(CALL_BACK, tries=()),)), "not made (done, due 10:27:00)"),
    ],
)
def test_each_difference_is_one_sentence(script: Scripts, result: CallResult, says: str) -> None:
    (line,) = found(script(TOML), result)
    assert says in line


def test_a_late_call_back_is_a_fault_even_if_it_reached_somebody(script: Scripts) -> None:
    late = replace(CALL_BACK, tries=(replace(TRY, at=AT + timedelta(minutes=40)),))
    (line,) = found(script(TOML), replace(RESULT, call_backs=(late,)))
    assert "made at 10:42:00" in line


def test_the_residents_phone_must_really_have_rung(script: Scripts) -> None:
    (line,) = found(script(TOML), RESULT, replace(JOURNAL, placed=()))
    assert "no such call reached 13912344471" in line
    (line,) = found(script(TOML), RESULT, replace(JOURNAL, placed=(replace(PLACED, heard=()),)))
    assert "answered and heard nothing" in line


def test_what_the_far_end_noticed_counts_too(script: Scripts) -> None:
    assert found(script(TOML), RESULT, replace(JOURNAL, problems=("POST x: answered 500",))) == (
        "far end: POST x: answered 500",
    )


ON_CALL_TOML = TOML + '[expect.on_call]\nperson = "周工"\nby = "10:05:00"\n'
ALARM = OnCallResult(
    state="acknowledged",
    reason=None,
    unsure=False,
    acknowledged_by="周工",
    acknowledged_at=AT + timedelta(minutes=1),
    tries=(TryResult(at=AT, to_number="+8613900005581", speech="紧急事件", outcome="reached"),),
)
RUNG = replace(
    JOURNAL,
    placed=(PLACED, Placed(to="+8613900005581", status="completed", at=AT, heard=("紧急事件",), is_over=True)),
)


def test_an_on_call_person_who_was_rung_and_acknowledged_is_as_expected(script: Scripts) -> None:
    assert found(script(ON_CALL_TOML), replace(RESULT, on_call=ALARM), RUNG) == ()


@pytest.mark.parametrize(
    ("alarm", "says"),
    [
        (None, "on_call: expected 周工 to acknowledge, got no alarm"),
        (replace(ALARM, acknowledged_by=None, state="silent"), "got silent, 1 call(s)"),
        (replace(ALARM, acknowledged_by="吴工"), "expected 周工 to acknowledge"),
        (replace(ALARM, acknowledged_at=AT + timedelta(minutes=9)), "acknowledged at 10:11:00"),
    ],
)
def test_an_alarm_that_is_not_as_expected(script: Scripts, alarm: OnCallResult | None, says: str) -> None:
    (line,) = found(script(ON_CALL_TOML), replace(RESULT, on_call=alarm), RUNG)
    assert says in line


def test_the_on_call_persons_phone_must_really_have_rung(script: Scripts) -> None:
    (line,) = found(script(ON_CALL_TOML), replace(RESULT, on_call=ALARM))
    assert "was not rung, or heard nothing" in line
