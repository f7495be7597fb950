"""An agent's service language by week: the share of checks passed, with its doubt, and whether it has changed.

A call has a dozen checks, so one bad call moves a week by little and is no reason to rank anybody: a week is shown
with the interval that its number of calls leaves open, and a change is named only where it is unlikely to be chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from statistics import NormalDist
from typing import Self

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


@dataclass(frozen=True, kw_only=True, slots=True)
class CallSums:
    """Calls, their checks passed and made, and the sums of squares and products that the scatter needs."""

    calls: int = 0
    passed: int = 0
    made: int = 0
    passed_squared: int = 0
    made_squared: int = 0
    passed_made: int = 0

    @classmethod
    def of(cls, alike: Mapping[tuple[int, int], int]) -> Self:
        """From how many calls had so many checks passed and made."""
        calls = passed = made = passed_squared = made_squared = passed_made = 0
        for (one_passed, one_made), times in alike.items():
            calls += times
            passed += one_passed * times
            made += one_made * times
            passed_squared += one_passed * one_passed * times
            made_squared += one_made * one_made * times
            passed_made += one_passed * one_made * times
        return cls(
            calls=calls,
            passed=passed,
            made=made,
            passed_squared=passed_squared,
            made_squared=made_squared,
            passed_made=passed_made,
        )

    def __add__(self, other: "CallSums") -> "CallSums":
        return CallSums(
            calls=self.calls + other.calls,
            passed=self.passed + other.passed,
            made=self.made + other.made,
            passed_squared=self.passed_squared + other.passed_squared,
            made_squared=self.made_squared + other.made_squared,
            passed_made=self.passed_made + other.passed_made,
        )

    @property
    def scatter(self) -> float:
        """The sum over the calls of (passed - share x made) squared; whole numbers until the last step."""
        squares = self.passed_squared * self.made**2
        squares += self.passed**2 * self.made_squared - 2 * self.passed * self.made * self.passed_made
        return squares / self.made**2


def scored(weeks: Sequence[tuple[date, CallSums]]) -> tuple[WeekScore, ...]:
    """`weeks`: each Monday with its calls, the oldest first."""
    found: list[WeekScore] = []
    before = CallSums()
    for monday, calls in weeks:
        low, high = interval(calls)
        found.append(
            WeekScore(
                monday=monday,
                calls=calls.calls,
                passed=calls.passed,
                judged=calls.made,
                low=low,
                high=high,
                change=_change(calls, before),
            )
        )
        before += calls
    return tuple(found)


def interval(calls: CallSums) -> tuple[float | None, float | None]:
    """Of the share passed, with 95 %: a call's checks go together, so calls and not checks are what is counted.

    The ratio of sums with the calls' own scatter (linearised); Wilson's interval over the calls where all are alike.
    """
    if not calls.made:
        return None, None
    share = calls.passed / calls.made
    half = _Z * _standard_error(calls) if calls.calls > 1 else 0.0
    if half == 0:
        return _wilson(share, calls.calls)
    return max(0.0, share - half), min(1.0, share + half)


def _standard_error(calls: CallSums) -> float:
    return sqrt(calls.calls / (calls.calls - 1) * calls.scatter) / calls.made


def _wilson(share: float, count: int) -> tuple[float, float]:
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _change(calls: CallSums, before: CallSums) -> str | None:
    """Against all weeks before, by the difference of the two shares over its standard error."""
    if min(calls.calls, before.calls) < FEWEST_CALLS or not (calls.made and before.made):
        return None
    new, old = calls.passed / calls.made, before.passed / before.made
    error = sqrt(_standard_error(calls) ** 2 + _standard_error(before) ** 2)
    if error == 0 or abs(new - old) <= _Z * error:
        return None
    return "better" if new > old else "worse"
