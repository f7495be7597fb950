from datetime import datetime, timedelta

import pytest

from callcenter.domain.understanding.numbers import written
from callcenter.domain.understanding.times import times_in
from tests.understanding.calls import TUESDAY_TEN


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TUESDAY_TEN.tzinfo)


@pytest.mark.parametrize(
    ("spoken", "start", "end"),
    [
        ("半小时内", None, _at(24, 10, 30)),
        ("半个小时之内", None, _at(24, 10, 30)),
        ("一刻钟内", None, _at(24, 10, 15)),
        ("一个半小时内", None, _at(24, 11, 30)),
        ("二十四小时以内", None, _at(25, 10)),
        ("四十分钟以后", _at(24, 10, 40), None),
        ("今天下班前", None, _at(24, 18)),
        ("三个工作日内", None, _at(27, 10)),
        ("五个工作日内", None, datetime(2026, 12, 1, 10, tzinfo=TUESDAY_TEN.tzinfo)),
        ("下午三点", _at(24, 15), _at(24, 16)),
        ("明天上午", _at(25, 8), _at(25, 12)),
        ("今天晚上六点以后", _at(24, 18), None),
        ("明早八点半", _at(25, 8, 30), _at(25, 9, 30)),
        ("后天下午两点到四点", _at(26, 14), _at(26, 16)),
        ("周五之前", None, _at(27, 0)),
        ("这周六上午九点", _at(28, 9), _at(28, 10)),
        (
            "下周三下午",
            datetime(2026, 12, 2, 12, tzinfo=TUESDAY_TEN.tzinfo),
            datetime(2026, 12, 2, 18, tzinfo=TUESDAY_TEN.tzinfo),
        ),
        ("三点左右", _at(24, 14, 30), _at(24, 15, 30)),
        ("晚上七点三刻", _at(24, 19, 45), _at(24, 20, 45)),
        ("15:30", _at(24, 15, 30), _at(24, 16, 30)),
    ],
)
def test_times_as_they_are_said(spoken: str, start: datetime | None, end: datetime | None) -> None:
    (found,) = times_in(written(spoken), TUESDAY_TEN)
    assert (found.start, found.end) == (start, end)


@pytest.mark.parametrize(
    "spoken", ["今天早上七点", "电话幺三八零三八零三八三八", "三栋二单元五零一", "一直漏", "九十九点", "二月三十号上午"]
)
def test_no_time_where_none_is_meant_or_it_has_passed(spoken: str) -> None:
    assert times_in(written(spoken), TUESDAY_TEN) == ()


def test_every_time_is_ordered_ahead_and_in_the_estates_zone() -> None:
    for spoken in ("明天", "周末", "十号之前", "下午五点到三点", "晚上十二点", "凌晨两点"):
        for found in times_in(written(spoken), TUESDAY_TEN):
            moments = [moment for moment in (found.start, found.end) if moment is not None]
            assert moments == sorted(moments)
            assert all(moment.tzinfo is TUESDAY_TEN.tzinfo for moment in moments)
            assert moments[-1] > TUESDAY_TEN
            assert moments[0] < TUESDAY_TEN + timedelta(days=60)
