"""Figures in free text as a voice must say them; amounts and big numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.spoken import spoken_amount, spoken_clock, spoken_number
from callcenter.domain.spoken_text import spoken_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("今天14:00-18:00停水", "今天下午两点到下午六点停水"),
        ("11月24日9:30开始", "十一月二十四日上午九点半开始"),
        ("2026-12-03", "二零二六年十二月三日"),
        ("2026年12月1日", "二零二六年十二月一日"),
        ("2026年第三季度", "二零二六年第三季度"),
        ("12月1日8:00—12月2日20:00", "十二月一日上午八点到十二月二日晚上八点"),
        ("3栋2单元501漏水", "三栋二单元五零幺漏水"),
        ("12号楼1103室", "十二号楼幺幺零三室"),
        ("198弄4号1103室", "幺九八弄四号幺幺零三室"),
        ("B座808", "B座八零八"),
        ("请致电0571-87654321", "请致电零五七幺，八七六五四三二幺"),
        ("13812346207", "幺三八幺二三四六二零七"),
        ("共35.5元", "共三十五元五角"),
        ("¥1,200", "一千二百元"),
        ("停电2小时，来过2次", "停电两小时，来过两次"),
        ("涨5%，约1.5倍", "涨百分之五，约一点五倍"),
        ("24:00前", "晚上十二点前"),
        ("没有数字", "没有数字"),
    ],
)
def test_free_text(written: str, said: str) -> None:
    assert spoken_words(written) == said


@pytest.mark.parametrize(
    ("fen", "said"),
    [(5, "五分"), (10, "一角"), (200, "两元"), (20000, "两百元"), (123456, "一千二百三十四元五角六分"),
     (100005, "一千元零五分"), (100050, "一千元五角"), (1000000, "一万元"), (0, "零元")],
)  # fmt: skip
def test_amounts(fen: int, said: str) -> None:
    assert spoken_amount(fen) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "零"), (2, "二"), (12, "十二"), (200, "两百"), (2300, "两千三百"), (10050, "一万零五十"), (20000, "两万"),
     (22222, "两万二千二百二十二"), (110000, "十一万"), (100010, "十万零一十"), (100000001, "一亿零一")],
)  # fmt: skip
def test_numbers(number: int, said: str) -> None:
    assert spoken_number(number) == said


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ((0, 30), "凌晨零点半"),
        ((2, 0), "凌晨两点"),
        ((12, 0), "中午十二点"),
        ((14, 5), "下午两点零五分"),
        ((23, 59), "晚上十一点五十九分"),
    ],
)
def test_times_of_day(clock: tuple[int, int], said: str) -> None:
    assert spoken_clock(*clock) == said


@given(st.text(alphabet="0123456789.:-/¥年月日元栋单元室号2个次%,（A ", max_size=30))
def test_no_figure_is_left_whatever_is_written(text: str) -> None:
    assert not re.search(r"\d", spoken_words(text))


@given(st.integers(0, 10**12 - 1))
def test_every_number_has_words(number: int) -> None:
    assert re.fullmatch("[零一二两三四五六七八九十百千万亿]+", spoken_number(number))
