"""Next week's calls by half hour, from the weeks before; and how wrong the same method would have been last week.

A day is taken for the mean of the last days of its kind: of its weekday, a weekday off (a festival) as a Sunday, a
weekend day worked in its place as a Monday.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SLOTS = 48
"""Half hours of a day by the clock on the wall."""

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
WEEK = 7

Days = Mapping[date, Sequence[float]]
"""Calls by half hour (48 of them) of whole days; a day that is not there was not counted."""

IsWorkingDay = Callable[[date], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Error:
    """How far a forecast was off: the sum of all differences over the calls that came. `days` were compared.

    `bias`: how much too many calls (below zero: too few) were foreseen in all.
    """

    days: int
    calls: int
    by_day: float
    by_slot: float
    bias: float


def kind_of(day: date, is_working_day: IsWorkingDay) -> int:
    """The weekday whose calls this day resembles."""
    if is_working_day(day):
        return day.weekday() if day.weekday() < SATURDAY else MONDAY
    return SUNDAY if day.weekday() < SATURDAY else day.weekday()


def foresee(
    history: Days, wanted: Sequence[date], *, is_working_day: IsWorkingDay, weeks: int
) -> dict[date, list[float]]:
    """The calls of the wanted days by half hour; a day of whose kind none was counted is left out."""
    by_kind: dict[int, list[date]] = {}
    for day in sorted(history):
        by_kind.setdefault(kind_of(day, is_working_day), []).append(day)
    foreseen = {}
    for day in wanted:
        alike = [one for one in by_kind.get(kind_of(day, is_working_day), ()) if one < day][-weeks:]
        if alike:
            foreseen[day] = [sum(history[one][slot] for one in alike) / len(alike) for slot in range(SLOTS)]
    return foreseen


def backtest(history: Days, *, is_working_day: IsWorkingDay, weeks: int) -> Error | None:
    """Foresees the last seven counted days from those before them only. None where there is too little to compare."""
    if not history:
        return None
    last = max(history)
    tested = [last - timedelta(days=back) for back in range(WEEK)]
    earlier = {day: calls for day, calls in history.items() if day < tested[-1]}
    foreseen = foresee(earlier, tested, is_working_day=is_working_day, weeks=weeks)
    pairs = [(foreseen[day], history[day]) for day in tested if day in foreseen and day in history]
    came = sum(sum(actual) for _, actual in pairs)
    if not came:
        return None
    return Error(
        days=len(pairs),
        calls=round(came),
        by_day=sum(abs(sum(said) - sum(actual)) for said, actual in pairs) / came,
        by_slot=sum(abs(a - b) for said, actual in pairs for a, b in zip(said, actual, strict=True)) / came,
        bias=sum(sum(said) - sum(actual) for said, actual in pairs) / came,
    )
