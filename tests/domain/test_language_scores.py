"""Weeks of an agent: a share with its doubt, and a change only where chance is an unlikely reason."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from callcenter.domain.language_scores import CallSums, interval, scored

MONDAY = date(2026, 10, 5)


def sums(calls: list[tuple[int, int]]) -> CallSums:
    """(checks passed, checks made) of each call."""
    return sum((CallSums.of({one: 1}) for one in calls), CallSums())


def weeks(*calls: list[tuple[int, int]]) -> list[tuple[date, CallSums]]:
    return [(MONDAY + timedelta(weeks=number), sums(one)) for number, one in enumerate(calls)]


def test_one_bad_call_is_no_change() -> None:
    good = [(11, 12), (12, 12), (12, 12), (11, 12), (12, 12)] * 3
    *_, last = scored(weeks(good, good, [(3, 12), (12, 12), (12, 12), (11, 12), (12, 12)]))
    assert last.change is None
    assert last.low is not None
    assert last.high is not None
    assert last.low < 50 / 60 < last.high


def test_a_whole_week_that_is_worse_is_named_and_so_is_a_better_one() -> None:
    good, bad = [(11, 12), (12, 12), (12, 12)] * 8, [(7, 12), (8, 12), (6, 12)] * 8
    assert [week.change for week in scored(weeks(good, good, bad))] == [None, None, "worse"]
    assert scored(weeks(bad, bad, good))[-1].change == "better"


def test_few_calls_say_nothing() -> None:
    assert scored(weeks([(12, 12)] * 30, [(2, 12)] * 4))[-1].change is None


@pytest.mark.parametrize(("calls", "low", "high"), [([], None, None), ([(12, 12)] * 20, 0.839, 1.0)])
def test_the_interval_of_nothing_and_of_calls_all_alike(
    calls: list[tuple[int, int]], low: float | None, high: float | None
) -> None:
    found = interval(sums(calls))
    assert found == (None, None) if low is None else found == pytest.approx((low, high), abs=0.001)


def test_the_scatter_is_that_of_the_single_calls() -> None:
    dice = random.Random(4)
    calls = [(dice.randrange(8, 13), 12) if dice.random() < 0.8 else (3, 4) for _ in range(200)]
    share = sum(passed for passed, _ in calls) / sum(made for _, made in calls)
    assert sums(calls).scatter == pytest.approx(sum((passed - share * made) ** 2 for passed, made in calls))
    assert CallSums.of(Counter(calls)) == sums(calls)
