"""An agent's service language by week: the share of checks passed, with its doubt, and whether it has changed.

A call has a dozen checks, so one bad call moves a week by little and is no reason to rank anybody: a week is shown
with the interval that its number of calls leaves open, and a change is named only where it is unlikely to be chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
FEWEST_CALLS = 5
"""Calls in a week, below which no change is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekScore:
    """One week of one agent. `low` and `high` bound the share with 95 %; None without calls.

    `change` is "better" or "worse" against the weeks before, None where chance may explain it.
    """

    monday: date
    calls: int
    passed: int
    judged: int
    low: float | None
    high: float | None
    change: str | None

    @property
    def share(self) -> float | None:
        return self.passed / self.judged if self.judged else None


def scored(weeks: Sequence[tuple[date, Sequence[tuple[int, int]]]]) -> tuple[WeekScore, ...]:
    """`weeks`: each Monday with (checks passed, checks made) of each call, the oldest first."""
    found: list[WeekScore] = []
    before: list[tuple[int, int]] = []
    for monday, calls in weeks:
        low, high = interval(calls)
        found.append(
            WeekScore(
                monday=monday,
                calls=len(calls),
                passed=sum(passed for passed, _ in calls),
                judged=sum(judged for _, judged in calls),
                low=low,
                high=high,
                change=_change(calls, before),
            )
        )
        before += calls
    return tuple(found)


def interval(calls: Sequence[tuple[int, int]]) -> tuple[float | None, float | None]:
    """Of the share passed, with 95 %: a call's checks go together, so calls and not checks are what is counted.

    The ratio of sums with the calls' own scatter (linearised); Wilson's interval over the calls where all are alike.
    """
    judged = sum(made for _, made in calls)
    if not judged:
        return None, None
    share, count = sum(passed for passed, _ in calls) / judged, len(calls)
    half = _Z * _standard_error(calls) if count > 1 else 0.0
    if half == 0:
        return _wilson(share, count)
    return max(0.0, share - half), min(1.0, share + half)


def _standard_error(calls: Sequence[tuple[int, int]]) -> float:
    judged = sum(made for _, made in calls)
    share, count = sum(passed for passed, _ in calls) / judged, len(calls)
    scatter = sum((passed - share * made) ** 2 for passed, made in calls)
    return sqrt(count / (count - 1) * scatter) / judged


def _wilson(share: float, count: int) -> tuple[float, float]:
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _change(calls: Sequence[tuple[int, int]], before: Sequence[tuple[int, int]]) -> str | None:
    """Against all weeks before, by the difference of the two shares over its standard error."""
    if len(calls) < FEWEST_CALLS or len(before) < FEWEST_CALLS:
        return None
    new, old = (sum(p for p, _ in part) / sum(m for _, m in part) for part in (calls, before))
    error = sqrt(_standard_error(calls) ** 2 + _standard_error(before) ** 2)
    if error == 0 or abs(new - old) <= _Z * error:
        return None
    return "better" if new > old else "worse"
