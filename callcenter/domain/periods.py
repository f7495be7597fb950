"""Days, weeks and months by the hotline's clock on the wall; a day of a clock change has 23 or 25 hours."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum


class PeriodKind(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


PARTS = {PeriodKind.DAY: PeriodKind.HOUR, PeriodKind.WEEK: PeriodKind.DAY, PeriodKind.MONTH: PeriodKind.DAY}
"""Into what a period is divided in charts and exports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """[start, end), both in the hotline's time zone. A call belongs to the period that it began in, and to no other."""

    kind: PeriodKind
    start: datetime
    end: datetime

    def before(self, *, now: datetime | None = None) -> "Period":
        """The period before; where this one is still running, only up to the same time of it: like with like."""
        earlier = period_of(self.kind, self.start.astimezone(UTC) - timedelta(seconds=1), self.start.tzinfo)
        if now is None or not self.start <= now < self.end:
            return earlier
        since = now.astimezone(self.start.tzinfo).replace(tzinfo=None) - self.start.replace(tzinfo=None)
        return Period(kind=self.kind, start=earlier.start, end=min(earlier.start + since, earlier.end))

    def after(self) -> "Period":
        return period_of(self.kind, self.end, self.start.tzinfo)

    def parts(self) -> tuple["Period", ...]:
        """The hours of a day, the days of a week or month, without a gap."""
        found, at = [], self.start
        while at < self.end:
            part = period_of(PARTS[self.kind], at, self.start.tzinfo)
            found.append(part)
            at = part.end
        return tuple(found)


def period_of(kind: PeriodKind, at: datetime, zone: tzinfo | None) -> Period:
    """The period of this kind that a moment lies in. Weeks begin on Monday.

    An hour is an hour that passed: the one that a clock change repeats is two hours, the one it leaves out is none.
    """
    local = at.astimezone(zone)
    if kind is PeriodKind.HOUR:
        start = local.replace(minute=0, second=0, microsecond=0)
        return Period(kind=kind, start=start, end=(start.astimezone(UTC) + timedelta(hours=1)).astimezone(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if kind is PeriodKind.DAY:
        return Period(kind=kind, start=midnight, end=midnight + timedelta(days=1))
    if kind is PeriodKind.WEEK:
        monday = midnight - timedelta(days=midnight.weekday())
        return Period(kind=kind, start=monday, end=monday + timedelta(days=7))
    first = midnight.replace(day=1)
    return Period(kind=kind, start=first, end=(first + timedelta(days=31)).replace(day=1))


def period_of_date(kind: PeriodKind, day: date, zone: tzinfo) -> Period:
    return period_of(kind, datetime(day.year, day.month, day.day, 12, tzinfo=zone), zone)
