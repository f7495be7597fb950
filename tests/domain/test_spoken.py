"""Numbers, places and times as they are said on the phone."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.call_text import SpokenMatter, UnknownTextField, UnusableText, check_text, spoken_text
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.spoken import as_numeral, digit_by_digit, spoken_place, spoken_ticket_number, spoken_time
from callcenter.domain.tickets import Place

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("number", "said"),
    [("1", "一"), ("10", "十"), ("18", "十八"), ("21", "二十一"), ("100", "一百"), ("105", "一百零五"),
     ("110", "一百一十"), ("1008", "一千零八"), ("2010", "二千零一十"), ("A", "A"), ("07", "零七")],
)  # fmt: skip
def test_buildings_are_numerals(number: str, said: str) -> None:
    assert as_numeral(number) == said


def test_rooms_and_ticket_numbers_are_said_digit_by_digit() -> None:
    assert digit_by_digit("1103") == "幺幺零三"
    assert spoken_ticket_number("GD-1124-0001") == "幺幺二四，零零零幺"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(building="3", unit="2", room="501"), "三栋二单元五零幺"),
        (Place(lane="198", building="4", room="1103"), "幺九八弄四号幺幺零三室"),
        (Place(estate="翠湖花园", building="21", floor="6"), "翠湖花园二十一栋六楼"),
        (Place(building="B", room="808"), "B栋八零八"),
    ],
)
def test_places(place: Place, said: str) -> None:
    assert spoken_place(place) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 24, 10, 30, tzinfo=SHANGHAI), "今天上午十点半"),
        (datetime(2026, 11, 25, 1, 0, tzinfo=ZoneInfo("UTC")), "明天上午九点"),
        (datetime(2026, 12, 3, 14, 5, tzinfo=SHANGHAI), "十二月三日下午两点零五分"),
    ],
)
def test_times(at: datetime, said: str) -> None:
    assert spoken_time(at, now=NOW, zone=SHANGHAI) == said


@pytest.mark.parametrize("name", sorted(reminder_kinds()))
def test_every_kind_speaks_with_and_without_a_ticket(name: str) -> None:
    kind = reminder_kinds()[name]
    whole = SpokenMatter(
        reported="厨房水管漏水", place=Place(building="3", room="501"), ticket_number="GD-1124-0001", promised_for=NOW
    )
    for matter in (whole, SpokenMatter()):
        text = spoken_text(kind.text, kind, matter, company="翠湖物业", now=NOW, zone=SHANGHAI)
        assert text.startswith("您好")
        assert "翠湖物业" in text
        assert not set(re.sub(r"按\d\d?", "", text)) & set("{}0123456789")
    assert kind.label_zh
    assert kind.label_en


def test_a_text_with_an_unknown_field_is_refused() -> None:
    kind = reminder_kinds()["missed_call"]
    with pytest.raises(UnknownTextField, match=r"\{room\} is not known"):
        check_text("您好，{room}", kind)
    with pytest.raises(UnknownTextField, match=r"did you mean \{company\}"):
        check_text("您好，{compny}", kind)
    with pytest.raises(UnusableText, match="a brace stands alone"):
        check_text("您好，{company", kind)
    with pytest.raises(UnusableText, match="the name alone"):
        check_text("您好，{company:>20}", kind)
