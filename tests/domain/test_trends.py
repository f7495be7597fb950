"""A change of counts is named only where chance is an unlikely reason, however many are looked at."""

import random
from math import exp, inf, lgamma, log

import pytest

from callcenter.domain.calendar_quarter import CalendarQuarter, quarter_of, read_quarter
from callcenter.domain.trends import (
    FALSE_DISCOVERIES,
    adjusted,
    chance_of_more,
    rate_change,
    share_interval,
    upper_tail,
)
from tests.conftest import SetClock
from tests.understanding.calls import TUESDAY_TEN


def test_the_exact_test_against_hand_reckoned_chances() -> None:
    assert upper_tail(8, 10, 0.5) == pytest.approx(56 / 1024)
    assert rate_change(10, 0).p == pytest.approx(2 / 1024)
    assert chance_of_more(3, 0, exposure=1 / 8) == pytest.approx(1 / 729)
    assert rate_change(5, 5).p == 1.0
    assert rate_change(0, 0).p == 1.0


@pytest.mark.parametrize(("trials", "share"), [(7, 0.5), (60, 1 / 9), (400, 0.93), (3000, 0.4)])
def test_the_exact_test_against_the_binomial_sum(trials: int, share: float) -> None:
    for least in {0, 1, trials // 10, trials // 3, trials // 2, trials - 1, trials, trials + 1}:
        summed = sum(
            exp(
                lgamma(trials + 1)
                - lgamma(count + 1)
                - lgamma(trials - count + 1)
                + count * log(share)
                + (trials - count) * log(1 - share)
            )
            for count in range(least, trials + 1)
        )
        assert upper_tail(least, trials, share) == pytest.approx(summed, abs=1e-10)
        low, high = share_interval(min(least, trials), trials)
        assert low == 0 or upper_tail(least, trials, low) == pytest.approx(0.025, abs=1e-9) or least > trials
        assert high == 1 or upper_tail(least + 1, trials, high) == pytest.approx(0.975, abs=1e-9)


def test_the_interval_against_clopper_and_pearson() -> None:
    assert share_interval(8, 10) == pytest.approx((0.4439, 0.9748), abs=0.0001)
    assert share_interval(0, 10) == pytest.approx((0.0, 0.3085), abs=0.0001)
    assert share_interval(10, 10) == pytest.approx((0.6915, 1.0), abs=0.0001)
    found = rate_change(16, 8)
    assert found.ratio == 2.0
    assert found.low < 1 < found.high, "twice as many of few may be chance"
    assert rate_change(5, 0).high == inf
    assert rate_change(160, 80).low > 1


def test_adjustment_after_benjamini_and_hochberg() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([]) == []
    assert adjusted([0.5]) == [0.5]


def poisson(chance: random.Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count, left = count + 1, left + chance.expovariate(1)
    return count


def test_of_forty_buildings_in_which_nothing_changed_hardly_any_is_named() -> None:
    chance, alarms, runs = random.Random(8), 0, 60
    for _ in range(runs):
        counts = [(poisson(chance, 4), poisson(chance, 4)) for _ in range(40)]
        alarms += any(q < FALSE_DISCOVERIES for q in adjusted([rate_change(a, b).p for a, b in counts]))
    assert alarms / runs <= 0.08


def test_a_real_rise_among_many_is_named() -> None:
    chance, found, runs = random.Random(9), 0, 25
    for _ in range(runs):
        counts = [(poisson(chance, 1), poisson(chance, 8)) for _ in range(40)]
        counts[0] = (poisson(chance, 12), poisson(chance, 8))
        q = adjusted([chance_of_more(a, b, exposure=1 / 8) for a, b in counts])
        found += q[0] < FALSE_DISCOVERIES
    assert found / runs > 0.9


def test_quarters() -> None:
    fourth = CalendarQuarter(year=2026, number=4)
    zone = TUESDAY_TEN.tzinfo
    assert zone is not None
    assert quarter_of(SetClock().now(), zone) == fourth == read_quarter("2026-Q4")
    assert str(fourth.after()) == "2027-Q1"
    assert fourth.after().before() == fourth
    assert fourth.before().end(zone) == fourth.start(zone)
    assert read_quarter("2026-Q5") is None
