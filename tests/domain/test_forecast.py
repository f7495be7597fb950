"""Next week from the weeks before, and an honest measure of how wrong that would have been."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from callcenter.domain.forecast import SLOTS, backtest, foresee, kind_of
from callcenter.domain.staffing import Demand, agents_needed
from callcenter.domain.staffing_plan import planned, stretches

MONDAY = date(2026, 10, 12)


def a_weekend_off(day: date) -> bool:
    return day.weekday() < 5


def days(count: int, calls: Callable[[date], float]) -> dict[date, list[float]]:
    """All the calls of a day in its half hour from nine."""
    made = {}
    for number in range(count):
        day = MONDAY + timedelta(days=number)
        made[day] = [0.0] * SLOTS
        made[day][18] = calls(day)
    return made


def test_a_day_is_the_mean_of_its_own_kind() -> None:
    history = days(28, lambda day: 10.0 + day.weekday())
    history[MONDAY + timedelta(days=21)][18] = 50.0
    next_monday = MONDAY + timedelta(days=28)
    foreseen = foresee(history, [next_monday, next_monday + timedelta(days=1)], is_working_day=a_weekend_off, weeks=2)
    assert foreseen[next_monday][18] == 30.0, "the mean of the last two Mondays, 10 and 50"
    assert foreseen[next_monday + timedelta(days=1)][18] == 11.0
    assert sum(foreseen[next_monday]) == 30.0


def test_a_festival_is_like_a_sunday_and_a_make_up_saturday_like_a_monday() -> None:
    festival, make_up = date(2026, 11, 12), date(2026, 11, 14)

    def works(day: date) -> bool:
        return day == make_up or (day != festival and day.weekday() < 5)

    assert kind_of(festival, works) == 6
    assert kind_of(make_up, works) == 0
    history = days(28, lambda day: float(day.weekday()) + 1)
    foreseen = foresee(history, [festival, make_up], is_working_day=works, weeks=4)
    assert (foreseen[festival][18], foreseen[make_up][18]) == (7.0, 1.0)


def test_a_forecast_never_looks_at_its_own_day_or_later() -> None:
    history = days(21, lambda day: 10.0)
    monday = MONDAY + timedelta(days=7)
    later = {day: calls if day < monday else [99.0] * SLOTS for day, calls in history.items()}
    assert foresee(later, [monday], is_working_day=a_weekend_off, weeks=8)[monday][18] == 10.0


def test_the_backtest_says_how_wrong_it_was() -> None:
    steady = backtest(days(28, lambda day: 10.0), is_working_day=a_weekend_off, weeks=4)
    assert steady is not None
    assert (steady.days, steady.calls, steady.by_day, steady.by_slot, steady.bias) == (7, 70, 0.0, 0.0, 0.0)
    doubled = backtest(
        days(28, lambda day: 20.0 if day >= MONDAY + timedelta(days=21) else 10.0),
        is_working_day=a_weekend_off,
        weeks=4,
    )
    assert doubled is not None
    assert (doubled.by_day, doubled.bias) == (pytest.approx(0.5), pytest.approx(-0.5))
    moved = days(28, lambda day: 10.0)
    for day in sorted(moved)[-7:]:
        moved[day][18], moved[day][19] = 0.0, 10.0
    shifted = backtest(moved, is_working_day=a_weekend_off, weeks=4)
    assert shifted is not None
    assert (shifted.by_day, shifted.by_slot) == (0.0, pytest.approx(2.0)), "right by day, wrong by half hour"


def test_too_little_history_has_no_error_to_show() -> None:
    assert backtest({}, is_working_day=a_weekend_off, weeks=4) is None
    assert backtest(days(7, lambda day: 10.0), is_working_day=a_weekend_off, weeks=4) is None
    assert backtest(days(28, lambda day: 0.0), is_working_day=a_weekend_off, weeks=4) is None


def test_the_plan_is_the_formula_for_each_half_hour() -> None:
    demand = Demand(calls_an_hour=0, handling_seconds=200)
    (plan,) = planned({MONDAY: [0.0, 15.0, *[3.0] * 46]}, demand, share=0.9, within_seconds=15)
    full = agents_needed(Demand(calls_an_hour=30, handling_seconds=200), share=0.9, within_seconds=15)
    light = agents_needed(Demand(calls_an_hour=6, handling_seconds=200), share=0.9, within_seconds=15)
    assert (full, light) == (4, 2)
    assert plan.agents == (1, 4, *[2] * 46), "the line is always open"
    assert (plan.most_agents, plan.hours_of_work) == (4, (1 + 4 + 92) / 2)
    joined = stretches([plan, plan])
    assert [(one.label, one.agents, one.calls) for one in joined] == [
        ("00:00–00:30", (1, 1), (0.0, 0.0)),
        ("00:30–01:00", (4, 4), (15.0, 15.0)),
        ("01:00–24:00", (2, 2), (3.0, 3.0)),
    ]
