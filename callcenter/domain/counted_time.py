"""How the time of a limit runs, and what a pause in it does: time that the resident takes is not ours."""

from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.calendar import WorkCalendar


class Counted(StrEnum):
    """Round the clock, in office hours of working days, or to the end of a local day."""

    CLOCK = "clock"
    WORKING_TIME = "working_time"
    DAYS = "days"


def after_counted_time(start: datetime, length: timedelta, *, counted: Counted, calendar: WorkCalendar) -> datetime:
    """When `length` of counted time has passed since `start`; for DAYS the end of the day on which it has."""
    if counted is Counted.WORKING_TIME:
        return calendar.after_working_time(start, length)
    if counted is Counted.DAYS:
        return calendar.end_of_day(start + max(timedelta(), length - timedelta(days=1)))
    return start + length


def without_pause(
    due: datetime, *, paused_at: datetime, resumed_at: datetime, counted: Counted, calendar: WorkCalendar
) -> datetime:
    """The new limit after a pause: what was left of its time is left again. One already passed stays passed.

    A limit in days moves by whole days: one that ended "the same day" ends on the day on which work goes on.
    """
    if paused_at >= due or resumed_at <= paused_at:
        return due
    if counted is Counted.DAYS:
        days = calendar.local(resumed_at).date() - calendar.local(paused_at).date()
        last = calendar.local(due - timedelta(microseconds=1)).date()
        return calendar.end_of_day(calendar.at(last + days, calendar.local(paused_at).time()))
    if counted is Counted.WORKING_TIME:
        return calendar.after_working_time(resumed_at, calendar.working_time_between(paused_at, due))
    return due + (resumed_at - paused_at)
