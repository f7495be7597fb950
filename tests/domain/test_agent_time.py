"""On duty is who says so; occupied is who talks or finishes notes meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.domain.agent_states import AgentState, Said
from callcenter.domain.agent_time import AgentTime, agent_time

NINE = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MINUTE_MS = 60_000


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def said(*words: tuple[float, str]) -> list[Said]:
    return [Said(state=AgentState(state), since=at(minutes)) for minutes, state in words]


def minutes_of(time: AgentTime) -> tuple[float, float, float]:
    return time.on_duty_ms / MINUTE_MS, time.talk_ms / MINUTE_MS, time.wrap_up_ms / MINUTE_MS


@pytest.mark.parametrize(
    ("words", "talks", "expected"),
    [
        ([(0, "ready")], [], (60, 0, 0)),
        ([(0, "ready")], [(10, 25)], (60, 15, 0)),
        ([(0, "ready")], [(50, 90)], (60, 10, 0)),  # what lies beyond the hour is another hour's
        ([(0, "ready")], [(10, 25), (20, 30), (40, 41)], (60, 21, 0)),  # two calls at once are one time
        ([(0, "ready"), (25, "wrap_up"), (30, "ready")], [(10, 25)], (60, 15, 5)),
        ([(0, "ready"), (20, "wrap_up"), (30, "ready")], [(10, 25)], (60, 15, 5)),  # said while still talking
        ([(0, "ready"), (30, "away")], [(10, 20), (40, 50)], (30, 10, 0)),
        ([(0, "busy"), (30, "ready")], [(10, 20)], (30, 0, 0)),
        ([(-30, "ready"), (-5, "away")], [(10, 20)], (0, 0, 0)),
        ([(-30, "away"), (-5, "ready"), (15, "away")], [(-2, 3)], (15, 3, 0)),
        ([(20, "ready")], [(0, 10), (30, 40)], (40, 10, 0)),  # before the first word nothing is known
        ([], [(0, 10)], (0, 0, 0)),
    ],
)
def test_time_on_duty(
    words: list[tuple[float, str]], talks: list[tuple[float, float]], expected: tuple[float, float, float]
) -> None:
    found = agent_time(said(*words), [(at(a), at(b)) for a, b in talks], start=NINE, end=at(60))
    assert minutes_of(found) == expected
    on_duty, talk, wrap_up = expected
    assert found.occupancy == (pytest.approx((talk + wrap_up) / on_duty) if on_duty else None)


def test_two_halves_are_the_whole() -> None:
    words, talks = (
        said((-10, "ready"), (20, "wrap_up"), (33, "ready"), (45, "away")),
        [(at(5), at(21)), (at(29), at(50))],
    )
    halves = [agent_time(words, talks, start=at(a), end=at(b)) for a, b in ((0, 31), (31, 60))]
    assert sum(halves, AgentTime()) == agent_time(words, talks, start=NINE, end=at(60))
