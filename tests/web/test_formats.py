"""Figures and drawings as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.rings import RingRule
from callcenter.web.formats import Formats, inland, masked
from callcenter.web.language import load_catalogs
from callcenter.web.shapes import band, mark_of, scale_for, stacked, strip

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CATALOGS = load_catalogs()
ZH, EN = (Formats(catalog=CATALOGS[one], zone=ZoneInfo("Asia/Shanghai"), now=NOW) for one in ("zh", "en"))


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (0, "今天 10:00", "Today 10:00"),
        (-10.5, "昨天 23:30", "Yesterday 23:30"),
        (24, "明天 10:00", "Tomorrow 10:00"),
        (-72, "11-21 周六 10:00", "11-21 Sat 10:00"),
        (24 * 60, "2027-01-23 周六 10:00", "2027-01-23 Sat 10:00"),
    ],
)
def test_a_day_is_named_as_people_name_it(hours: float, zh: str, en: str) -> None:
    at = NOW + timedelta(hours=hours)
    assert (ZH.when(at), EN.when(at)) == (zh, en)


def test_a_limit_at_midnight_belongs_to_the_day_that_it_ends() -> None:
    assert ZH.until(NOW + timedelta(hours=14)) == "今天 24:00"
    assert ZH.until(NOW + timedelta(hours=15)) == "明天 01:00"


@pytest.mark.parametrize(
    ("minutes", "written"),
    [(0.5, "不到 1 分"), (24, "24 分"), (60, "1 小时"), (204, "3 小时 24 分"), (1440, "1 天"), (1620, "1 天 3 小时")],
)
def test_a_length_has_its_two_largest_units(minutes: float, written: str) -> None:
    assert ZH.length(timedelta(minutes=minutes)) == written


def test_doubt_is_a_figure() -> None:
    assert ZH.seconds(17000, 17000) == "17.0"
    assert ZH.seconds(14000, 16000) == "15.0±1.0"
    assert ZH.seconds(None, None) == "–"
    assert ZH.rings(3, 4) == "第 3 或 4 声"
    assert ZH.band(0.942, 0.954) == "94.2–95.4%"
    assert ZH.band(0.95, 0.95) == "95.0%"
    assert ZH.call_length(94_999) == "01:34"
    assert ZH.call_length(3_723_000) == "1:02:03"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613800016207", "138****6207"),
        ("13800016207", "138****6207"),
        ("+8657187654321", "057****4321"),
        ("+864008001234", "400****1234"),
        ("95588", "****588"),
        ("110", "****"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_a_number_is_masked(number: str | None, shown: str) -> None:
    assert masked(number) == shown


def test_a_number_is_written_as_it_is_dialled_here() -> None:
    assert inland("+8657187654321") == "057187654321"
    assert inland("+8613800016207") == "13800016207"
    assert inland("+14155550100") == "+14155550100"


def test_a_ring_is_drawn_to_scale() -> None:
    drawn = strip(17_000, RingRule(), "late")
    assert [burst.x for burst in drawn.bursts] == [0.0, 18.0, 36.0, 54.0]
    assert [burst.over for burst in drawn.bursts] == [False, False, False, True]
    assert drawn.limit_x == 54.0
    assert drawn.rest_x == pytest.approx(61.2)
    assert strip(600_000, RingRule(), "bad").cut


def test_a_mark_needs_no_colour() -> None:
    assert mark_of("answered", "within") == "ok"
    assert mark_of("answered", "late") == "late"
    assert mark_of("answered", "undecided") == "und"
    assert mark_of("abandoned", "undecided") == "und"
    assert mark_of("voice_mail", None) == "bad"


def test_a_column_of_the_chart_stands_on_the_floor() -> None:
    bars = stacked((("ok", 3), ("late", 0), ("bad", 1)), scale=scale_for(4), x=0, width=10, floor=180, height=150)
    assert [bar.kind for bar in bars] == ["ok", "bad"]
    assert bars[0].y == pytest.approx(180 - 3 * 150 / 4)
    assert [scale_for(highest).step for highest in (0, 5, 6, 44)] == [1, 1, 2, 10]


def test_the_bands_axis_leaves_room_under_the_share() -> None:
    assert band(0.942, 0.954, 0.95).axis_from == 0.88
    assert band(0.88, 0.9, 0.95).axis_from == 0.8
    assert band(0.0, 0.0, 0.95).inside == 0
