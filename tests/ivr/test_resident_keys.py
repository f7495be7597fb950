"""What a resident hears after a key, for every kind and every key."""

import pytest

from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.ivr.provider import AskResident, HangUp, ResidentPressed, Say
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.resident_keys import after_key

EVERY_KEY = [(kind.name, digit) for kind in reminder_kinds().values() for digit in "0123456789*#"]


@pytest.mark.parametrize(("kind", "digit"), EVERY_KEY)
def test_every_key_is_answered_sensibly(kind: str, digit: str) -> None:
    steps = after_key(ResidentPressed(digits=digit, kind=kind, purpose="reminder:1"))
    assert isinstance(steps[-1], HangUp)
    key = reminder_kinds()[kind].keys.get(digit)
    if key is None:
        assert isinstance(steps[0], AskResident)
        assert steps[0].asked == "again"
    else:
        assert steps[0] == Say(text=key.reply)


def test_a_fee_is_followed_by_the_question_for_the_date() -> None:
    steps = after_key(ResidentPressed(digits="1", kind="overdue_fee", purpose="reminder:1"))
    assert steps[1] == AskResident(
        prompt="请输入您方便缴费的日期，两位数字，例如五号请按05，十五号请按15。",
        seconds=6,
        digits=2,
        purpose="reminder:1",
        kind="overdue_fee",
        asked="then",
    )
    said = TwimlWriter(public_url="https://h.example", language="zh-CN", voice="").response(steps, sid="CA1")
    assert 'numDigits="2"' in said
    assert "asked=then" in said


@pytest.mark.parametrize(
    ("digits", "heard"), [("15", "已经为您记录"), ("77", "由工作人员给您回电"), ("", "由工作人员给您回电")]
)
def test_the_date_is_confirmed_or_left_to_a_person(digits: str, heard: str) -> None:
    (said, _) = after_key(ResidentPressed(digits=digits, kind="overdue_fee", asked="then"))
    assert isinstance(said, Say)
    assert heard in said.text


def test_a_second_unknown_key_ends_the_call_and_an_old_call_is_answered_too() -> None:
    for pressed in (
        ResidentPressed(digits="8", kind="satisfaction", asked="again"),
        ResidentPressed(digits="1"),
        ResidentPressed(digits="9"),
    ):
        assert [type(step) for step in after_key(pressed)] == [Say, HangUp]
