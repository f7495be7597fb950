"""A ticket number as callers key and say it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.spoken import digit_by_digit
from callcenter.domain.ticket_number import read_ticket_number


@pytest.mark.parametrize("digits", ["11240001", "11240001#", "1124*0001", " 11240001 "])
def test_keys(digits: str) -> None:
    assert read_ticket_number(digits=digits, speech="") == "GD-1124-0001"


@pytest.mark.parametrize(
    "speech",
    [
        "幺幺二四零零零幺",
        "一一二四零零零一",
        "幺幺二四，零零零幺。",
        "一 一 二 四 零 零 零 一",
        "GD 1124 0001",
        "gd-1124-0001",
        "G D 幺幺二四杠零零零幺",
        "我的工单号是幺幺二四 零零零幺",
        "嗯，幺幺二四，然后那个零零零幺",
        "工单号码 1124 零零零一 谢谢",
        "幺幺二四横杠零零零幺，你帮我查一下",
        "一千一百二十四，零零零一",
    ],
)
def test_voice(speech: str) -> None:
    assert read_ticket_number(digits="", speech=speech) == "GD-1124-0001"


def test_a_day_with_more_than_ten_thousand_tickets() -> None:
    assert read_ticket_number(digits="112410001", speech="") == "GD-1124-10001"


@pytest.mark.parametrize(
    ("digits", "speech"),
    [
        ("", ""),
        ("1124", ""),
        ("13390001", ""),
        ("11320001", ""),
        ("1124000100", ""),
        ("", "我家厨房漏水"),
        ("", "我住三栋二单元五零一"),
        ("", "幺三八幺二三四六二零七"),
        ("", "幺幺二四零零零幺，不对，幺幺二四零零零二"),
        ("", "这个" * 200 + "幺幺二四零零零幺"),
    ],
)
def test_what_is_no_ticket_number_is_none(digits: str, speech: str) -> None:
    assert read_ticket_number(digits=digits, speech=speech) is None


def test_keys_count_before_words() -> None:
    assert read_ticket_number(digits="11240002", speech="幺幺二四零零零幺") == "GD-1124-0002"


@given(st.text(max_size=300), st.text(max_size=40))
def test_nothing_that_is_said_or_keyed_breaks_it(speech: str, digits: str) -> None:
    read_ticket_number(digits=digits, speech=speech)


@given(st.dates(), st.integers(1, 99999))
def test_what_we_say_is_understood_when_it_is_said_back(day: date, count: int) -> None:
    number = f"GD-{day:%m%d}-{count:04d}"
    spoken = digit_by_digit(number.removeprefix("GD-"))
    assert read_ticket_number(digits="", speech=f"工单号{spoken}") == number
