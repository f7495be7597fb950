"""The hours and days at which a resident may be phoned, less the times of day that the resident does not want."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum

from callcenter.domain.calendar import TimeRange, WorkCalendar

DECENT_HOURS = (TimeRange(start=time(9), end=time(12)), TimeRange(start=time(14), end=time(20)))
LONGEST_SEARCH_DAYS = 40
"""Longer than any run of days off; what has no decent time within it has none at all."""


class Days(StrEnum):
    """The days on which a kind of call may go out."""

    EVERY_DAY = "every_day"
    NOT_FESTIVALS = "not_festivals"
    WORKING_DAYS = "working_days"


class DayPart(IntEnum):
    MORNING = 0
    AFTERNOON = 1
    EVENING = 2


class NoDecentTime(ValueError):
    """The kind's hours and the resident's wishes leave no time at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecentTimes:
    """`day_parts` are the local hours at which a new part of the day begins; `avoided` are the resident's wishes."""

    calendar: WorkCalendar
    decent_hours: tuple[TimeRange, ...] = field(default=DECENT_HOURS)
    days: Days = Days.EVERY_DAY
    avoided: frozenset[DayPart] = frozenset()
    day_parts: tuple[int, int] = (12, 18)

    @property
    def has_hours(self) -> bool:
        """Whether the resident's wishes leave any of the hours."""
        return any(part not in self.avoided for part, _, _ in self._stretches())

    def is_decent(self, at: datetime) -> bool:
        day = self.calendar.local(at).date()
        return any(start <= at < end for start, end in self._on(day))

    def is_decent_day(self, day: date) -> bool:
        match self.days:
            case Days.WORKING_DAYS:
                return self.calendar.is_working_day(day)
            case Days.NOT_FESTIVALS:
                return not self.calendar.is_festival(day)
            case Days.EVERY_DAY:
                return True

    def is_unwanted(self, at: datetime) -> bool:
        """The resident asked not to be called at this time of day."""
        return self.part_of_day(at) in self.avoided

    def decent_from(self, at: datetime) -> datetime:
        """The first decent moment at or after `at`. Raises NoDecentTime."""
        return at if self.is_decent(at) else self._beginnings(at, enough=1)[0]

    def decent_until(self, at: datetime, *, margin: timedelta) -> datetime:
        """The last decent moment at or before `at`, `margin` away from the end of its stretch where it must move.

        Raises NoDecentTime.
        """
        if self.is_decent(at):
            return at
        day = self.calendar.local(at).date()
        for back in range(LONGEST_SEARCH_DAYS):
            ended = [(start, end) for start, end in self._on(day - timedelta(days=back)) if end <= at]
            if ended:
                start, end = max(ended, key=lambda stretch: stretch[1])
                return max(start, end - margin)
        raise NoDecentTime(f"no decent time in the {LONGEST_SEARCH_DAYS} days before {at.isoformat()}")

    def part_of_day(self, at: datetime) -> DayPart:
        hour = self.calendar.local(at).hour
        return DayPart(sum(hour >= start for start in self.day_parts))

    def other_time_of_day(self, after: datetime, tried: Iterable[datetime]) -> datetime:
        """The first decent moment after `after` in a part of the day not tried yet, or at least not the last one.

        Raises NoDecentTime.
        """
        parts = [self.part_of_day(at) for at in (*tried, after)]
        starts = self._beginnings(after, enough=len(DayPart) + 1)
        untried = [start for start in starts if self.part_of_day(start) not in parts]
        return next(iter(untried or [start for start in starts if self.part_of_day(start) != parts[-1]] or starts))

    def _beginnings(self, after: datetime, *, enough: int) -> list[datetime]:
        """Beginnings of decent stretches, a new one where a part of the day begins, in their order."""
        day, found = self.calendar.local(after).date(), list[datetime]()
        for on in range(LONGEST_SEARCH_DAYS):
            found += [start for start, _ in self._on(day + timedelta(days=on)) if start > after]
            if len(found) >= enough:
                return sorted(found)
        if not found:
            raise NoDecentTime(f"no decent time in the {LONGEST_SEARCH_DAYS} days after {after.isoformat()}")
        return sorted(found)

    def _on(self, day: date) -> list[tuple[datetime, datetime]]:
        """The decent stretches of a local day."""
        if not self.is_decent_day(day):
            return []
        return [
            (self.calendar.at(day, start), self.calendar.at(day, end))
            for part, start, end in self._stretches()
            if part not in self.avoided
        ]

    def _stretches(self) -> list[tuple[DayPart, time, time]]:
        """The decent hours, cut where a part of the day ends."""
        noon, evening = (time(hour) for hour in self.day_parts)
        parts = ((time.min, noon), (noon, evening), (evening, time.max))
        return [
            (DayPart(number), max(hours.start, start), min(hours.end, end))
            for hours in self.decent_hours
            for number, (start, end) in enumerate(parts)
            if max(hours.start, start) < min(hours.end, end)
        ]
