"""Working days of mainland China, make-up Saturdays included, and working time counted in them.

The library knows the years whose calendar the State Council has published; a later year falls back to
Monday to Friday and says so (`DayKind.known`), until the operator lists its days in the override table.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SATURDAY = 5
ALWAYS_FESTIVALS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
"""Statutory days off of the solar calendar, for a year that nobody has published yet: month and day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeRange:
    """A stretch of a local day, [start, end)."""

    start: time
    end: time

    def contains(self, at: time) -> bool:
        return self.start <= at < self.end


def common_hours(one: Iterable[TimeRange], other: Iterable[TimeRange]) -> tuple[TimeRange, ...]:
    """The hours that lie in both."""
    others = tuple(other)
    pairs = [(max(a.start, b.start), min(a.end, b.end)) for a in one for b in others]
    return tuple(TimeRange(start=start, end=end) for start, end in pairs if start < end)


OFFICE_HOURS = (TimeRange(start=time(9), end=time(12)), TimeRange(start=time(14), end=time(18)))


@dataclass(frozen=True, kw_only=True, slots=True)
class DayKind:
    """Whether a day is worked, and whether that is known or only guessed from the day of the week."""

    is_working_day: bool
    known: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkCalendar:
    """The calendar of one estate. `holidays` and `working_days` win over the library."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()
    office_hours: tuple[TimeRange, ...] = field(default=OFFICE_HOURS)

    def day(self, day: date) -> DayKind:
        if day in self.holidays:
            return DayKind(is_working_day=False, known=True)
        if day in self.working_days:
            return DayKind(is_working_day=True, known=True)
        try:
            return DayKind(is_working_day=chinese_calendar.is_workday(day), known=True)
        except NotImplementedError:
            return DayKind(is_working_day=day.weekday() < SATURDAY, known=False)

    def is_working_day(self, day: date) -> bool:
        return self.day(day).is_working_day

    def is_festival(self, day: date) -> bool:
        """A statutory holiday, which an ordinary weekend is not."""
        if day in self.holidays or day in self.working_days:
            return day in self.holidays
        try:
            is_day_off, name = chinese_calendar.get_holiday_detail(day)
        except NotImplementedError:
            return (day.month, day.day) in ALWAYS_FESTIVALS
        return bool(is_day_off and name)

    def unknown_years(self, years: Iterable[int]) -> tuple[int, ...]:
        """The years for which neither the library nor the override table has anything: worth a warning."""
        listed = {day.year for day in self.holidays | self.working_days}
        return tuple(year for year in years if year not in listed and not self.day(date(year, 1, 1)).known)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def at(self, day: date, clock_time: time) -> datetime:
        """That local time of that day, in UTC. A time that a clock change repeats is its first reading."""
        return datetime.combine(day, clock_time, tzinfo=self.zone).astimezone(UTC)

    def end_of_day(self, at: datetime) -> datetime:
        return self.at(self.local(at).date() + timedelta(days=1), time(0))

    def after_working_time(self, start: datetime, length: timedelta) -> datetime:
        """The moment when `length` of office hours has passed since `start`."""
        left, day, start = length, self.local(start).date(), start.astimezone(UTC)
        while True:
            for begin, end in self._office_hours_of(day):
                begin = max(begin, start)
                if end > begin:
                    if left <= end - begin:
                        return begin + left
                    left -= end - begin
            day += timedelta(days=1)

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How much of the office hours lies in [start, end)."""
        total, day, last = timedelta(), self.local(start).date(), self.local(end).date()
        while day <= last:
            for begin, finish in self._office_hours_of(day):
                total += max(timedelta(), min(finish, end) - max(begin, start))
            day += timedelta(days=1)
        return total

    def half_a_working_day(self) -> timedelta:
        day = date(2000, 1, 3)
        return sum((self.at(day, part.end) - self.at(day, part.start) for part in self.office_hours), timedelta()) / 2

    def _office_hours_of(self, day: date) -> list[tuple[datetime, datetime]]:
        if not self.is_working_day(day):
            return []
        return [(self.at(day, part.start), self.at(day, part.end)) for part in self.office_hours]
