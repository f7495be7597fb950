"""A quarter of the year, by which the service is reviewed: 2026-Q4."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

_WRITTEN = re.compile(r"(20\d{2})-Q([1-4])")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class CalendarQuarter:
    """`number` 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    def start(self, zone: tzinfo) -> datetime:
        return datetime(self.year, self.number * 3 - 2, 1, tzinfo=zone)

    def end(self, zone: tzinfo) -> datetime:
        return self.after().start(zone)

    def after(self) -> "CalendarQuarter":
        return (
            CalendarQuarter(year=self.year + 1, number=1)
            if self.number == 4
            else CalendarQuarter(year=self.year, number=self.number + 1)
        )

    def before(self) -> "CalendarQuarter":
        return (
            CalendarQuarter(year=self.year - 1, number=4)
            if self.number == 1
            else CalendarQuarter(year=self.year, number=self.number - 1)
        )


def quarter_of(at: datetime, zone: tzinfo) -> CalendarQuarter:
    local = at.astimezone(zone)
    return CalendarQuarter(year=local.year, number=(local.month + 2) // 3)


def read_quarter(written: str) -> CalendarQuarter | None:
    match = _WRITTEN.fullmatch(written)
    return CalendarQuarter(year=int(match[1]), number=int(match[2])) if match else None
