"""Working days of mainland China, and what happens in a year that nobody has published yet."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.calendar import DayKind, WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(zone=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 11, 24), True),
        (date(2026, 11, 22), False),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # a make-up Saturday
    ],
)
def test_official_days(day: date, worked: bool) -> None:
    assert CALENDAR.day(day) == DayKind(is_working_day=worked, known=True)


def test_an_unknown_year_falls_back_to_weekdays_and_says_so() -> None:
    assert CALENDAR.day(date(2027, 1, 1)) == DayKind(is_working_day=True, known=False)
    assert CALENDAR.day(date(2027, 1, 2)) == DayKind(is_working_day=False, known=False)
    assert CALENDAR.unknown_years([2026, 2027]) == (2027,)


def test_the_override_table_wins_over_the_library_and_the_fallback() -> None:
    calendar = WorkCalendar(
        zone=SHANGHAI,
        holidays=frozenset({date(2027, 1, 1), date(2026, 11, 24)}),
        working_days=frozenset({date(2027, 1, 2)}),
    )
    assert calendar.day(date(2027, 1, 1)) == DayKind(is_working_day=False, known=True)
    assert calendar.day(date(2027, 1, 2)) == DayKind(is_working_day=True, known=True)
    assert not calendar.is_working_day(date(2026, 11, 24))
    assert calendar.unknown_years([2026, 2027]) == ()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-24 10:00", "2026-11-24 15:30"),  # 2 h before noon, 1.5 h after the break
        ("2026-11-24 17:00", "2026-11-25 11:30"),
        ("2026-11-27 20:00", "2026-11-30 14:30"),  # a weekend between
        ("2026-09-30 17:30", "2026-10-08 12:00"),  # the National Day holidays between
    ],
)
def test_half_a_working_day(start: str, end: str) -> None:
    half = CALENDAR.half_a_working_day()
    assert half == timedelta(hours=3.5)
    begin = datetime.fromisoformat(start).replace(tzinfo=SHANGHAI)
    assert CALENDAR.after_working_time(begin, half) == datetime.fromisoformat(end).replace(tzinfo=SHANGHAI)
