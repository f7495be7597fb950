"""Which key a resident meant, and which date."""

from datetime import date

import pytest

from callcenter.domain.key_answer import next_day_of_month, understood
from callcenter.domain.reminder_kind import KeyAction
from callcenter.domain.reminder_kinds import reminder_kinds

SATISFACTION, FEE = reminder_kinds()["satisfaction"], reminder_kinds()["overdue_fee"]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ([["answer", "4"]], "rated:4"),
        ([["answer", "0"]], "still_broken:0"),
        ([["answer", "7"], ["again", "2"]], "rated:2"),
        ([["answer", "9"]], "stop:9"),
        ([["menu", "9"], ["answer", "5"]], "rated:5"),
    ],
)
def test_the_last_known_key_counts(keys: list[list[str]], code: str) -> None:
    answer = understood(SATISFACTION, keys)
    assert answer is not None
    assert answer.code == code


@pytest.mark.parametrize("keys", [[], [["answer", "8"]], [["answer", "*"]], [["answer", ""]]])
def test_no_key_or_an_unknown_one_says_nothing(keys: list[list[str]]) -> None:
    assert understood(SATISFACTION, keys) is None


def test_a_nine_in_a_date_is_no_wish_to_be_left_alone() -> None:
    answer = understood(FEE, [["answer", "1"], ["then", "19"]])
    assert answer is not None
    assert (answer.action, answer.then) == (KeyAction.AGREED, "19")


@pytest.mark.parametrize(
    ("digits", "today", "day"),
    [
        ("25", date(2026, 11, 24), date(2026, 11, 25)),
        ("24", date(2026, 11, 24), date(2026, 12, 24)),
        ("05", date(2026, 12, 24), date(2027, 1, 5)),
        ("31", date(2027, 2, 1), date(2027, 3, 31)),
        ("00", date(2026, 11, 24), None),
        ("32", date(2026, 11, 24), None),
        ("", date(2026, 11, 24), None),
        ("1*", date(2026, 11, 24), None),
    ],
)
def test_a_day_of_the_month_is_the_next_one(digits: str, today: date, day: date | None) -> None:
    assert next_day_of_month(digits, today=today) == day


@pytest.mark.parametrize("name", sorted(reminder_kinds()))
def test_every_key_that_a_kind_asks_for_is_one_that_it_knows(name: str) -> None:
    kind = reminder_kinds()[name]
    assert "9" in kind.keys or kind.ordered_by_agent, "whoever wants no more calls can say so, by key or to the agent"
    for digit, key in kind.keys.items():
        assert (f"按{digit}" in kind.text + kind.key_prompt) or digit in "12345"
        assert key.reply
        assert bool(key.then_asks) == bool(key.then_digits) == bool(key.then_reply)
