"""The hours and days of each kind, what a resident wants of them, and clocks that change in spring and autumn."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.calendar import OFFICE_HOURS, TimeRange, WorkCalendar, common_hours
from callcenter.domain.decent_times import DECENT_HOURS, DayPart, Days, DecentTimes, NoDecentTime

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar(zone=SHANGHAI)
EVERY_DAY = DecentTimes(calendar=CALENDAR)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))
WISHES = st.sets(st.sampled_from(DayPart), max_size=2).map(frozenset)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def test_fees_are_not_mentioned_on_days_off_but_on_make_up_saturdays() -> None:
    working = DecentTimes(calendar=CALENDAR, days=Days.WORKING_DAYS, decent_hours=OFFICE_HOURS)
    assert working.decent_from(at(9, 30, 17, 59)) == at(9, 30, 17, 59)
    assert working.decent_from(at(9, 30, 18)) == at(10, 8, 9), "National Day week, a Wednesday to a Wednesday"
    assert working.is_decent(at(10, 10, 10)), "a make-up working Saturday"
    assert not working.is_decent(at(11, 22, 10)), "a Sunday"


def test_a_festival_is_not_a_weekend() -> None:
    quiet = DecentTimes(calendar=CALENDAR, days=Days.NOT_FESTIVALS)
    assert quiet.is_decent(at(11, 22, 10))
    assert quiet.decent_from(at(2, 15, 10)) == at(2, 24, 9), "Spring Festival of 2026"
    assert quiet.decent_until(at(2, 20, 10), margin=timedelta(minutes=30)) == at(2, 14, 19, 30)
    assert EVERY_DAY.is_decent(at(2, 17, 10))


def test_festivals_of_a_year_nobody_has_published_yet_and_of_the_operators_own_table() -> None:
    assert CALENDAR.is_festival(date(2029, 10, 2))
    assert not CALENDAR.is_festival(date(2029, 10, 6))
    own = WorkCalendar(
        zone=SHANGHAI, holidays=frozenset({date(2029, 2, 14)}), working_days=frozenset({date(2029, 10, 1)})
    )
    assert own.is_festival(date(2029, 2, 14))
    assert not own.is_festival(date(2029, 10, 1))


@pytest.mark.parametrize(
    ("avoided", "now", "first"),
    [
        ({DayPart.MORNING}, at(11, 24, 9), at(11, 24, 14)),
        ({DayPart.AFTERNOON}, at(11, 24, 14), at(11, 24, 18)),
        ({DayPart.EVENING}, at(11, 24, 18), at(11, 25, 9)),
        ({DayPart.MORNING, DayPart.EVENING}, at(11, 24, 18), at(11, 25, 14)),
    ],
)
def test_a_residents_wish_takes_a_part_of_the_day_out(avoided: set[DayPart], now: datetime, first: datetime) -> None:
    times = DecentTimes(calendar=CALENDAR, avoided=frozenset(avoided))
    assert times.is_unwanted(now)
    assert times.decent_from(now) == first


def test_wishes_that_leave_nothing_are_known_as_such() -> None:
    times = DecentTimes(calendar=CALENDAR, avoided=frozenset(DayPart))
    assert not times.has_hours
    with pytest.raises(NoDecentTime):
        times.decent_from(at(11, 24, 10))
    mornings = (TimeRange(start=DECENT_HOURS[0].start, end=DECENT_HOURS[0].end),)
    assert not DecentTimes(calendar=CALENDAR, decent_hours=mornings, avoided=frozenset({DayPart.MORNING})).has_hours


def test_the_hours_of_a_kind_lie_within_the_decent_ones() -> None:
    assert common_hours(OFFICE_HOURS, DECENT_HOURS) == OFFICE_HOURS
    assert common_hours(OFFICE_HOURS, DECENT_HOURS[:1]) == OFFICE_HOURS[:1]


@settings(deadline=None)
@given(moment=MOMENTS, zone=st.sampled_from(ZONES), days=st.sampled_from(Days), avoided=WISHES)
def test_in_every_zone_a_decent_moment_is_one_by_the_clock_on_the_wall(
    moment: datetime, zone: str, days: Days, avoided: frozenset[DayPart]
) -> None:
    times = DecentTimes(calendar=WorkCalendar(zone=ZoneInfo(zone)), days=days, avoided=avoided)
    first = times.decent_from(moment)
    assert first >= moment
    assert first - moment < timedelta(days=15)
    for found in (first, times.other_time_of_day(moment, [moment])):
        local = found.astimezone(ZoneInfo(zone))
        assert times.is_decent(found)
        assert any(hours.start <= local.time() < hours.end for hours in DECENT_HOURS)
        assert times.part_of_day(found) not in avoided
        assert times.is_decent_day(local.date())
    if first > moment:
        assert not times.is_decent(first - timedelta(microseconds=1))


@settings(deadline=None)
@given(start=MOMENTS, minutes=st.integers(0, 3000), zone=st.sampled_from(ZONES))
def test_working_time_is_real_time_also_over_a_clock_change(start: datetime, minutes: int, zone: str) -> None:
    calendar, length = WorkCalendar(zone=ZoneInfo(zone)), timedelta(minutes=minutes)
    end = calendar.after_working_time(start, length)
    assert calendar.working_time_between(start, end) == length


def test_a_day_with_a_clock_change_is_as_long_as_it_is() -> None:
    berlin = WorkCalendar(zone=ZoneInfo("Europe/Berlin"))
    long_day = datetime(2026, 10, 25, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert berlin.end_of_day(long_day) - berlin.at(date(2026, 10, 25), datetime.min.time()) == timedelta(hours=25)
