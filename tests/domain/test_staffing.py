"""Erlang C and A against published figures, against each other, and against a simulation of the queue."""

import random
from math import exp, factorial, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.replay import Arrival, replay
from callcenter.domain.staffing import Demand, agents_needed, erlang_b, erlang_c, service

THIRTY = Demand(calls_an_hour=30, handling_seconds=200)


@pytest.mark.parametrize(("agents", "share"), [(3, 0.729), (4, 0.914), (5, 0.976)])
def test_the_vector_of_thirty_calls(agents: int, share: float) -> None:
    assert service(agents, THIRTY, 15).served_within == pytest.approx(share, abs=0.0005)


def textbook_c(agents: int, load: float) -> float:
    """The formula as textbooks have it: sound for few agents only."""
    top = load**agents / factorial(agents) * agents / (agents - load)
    return top / (sum(load**k / factorial(k) for k in range(agents)) + top)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_erlang_c_is_the_textbook_one(agents: int, occupancy: float) -> None:
    assert erlang_c(agents, agents * occupancy) == pytest.approx(textbook_c(agents, agents * occupancy), rel=1e-9)


def test_hundreds_of_agents() -> None:
    assert erlang_b(900, 900) == pytest.approx(0.0262, abs=0.0005)
    busy = Demand(calls_an_hour=15_000, handling_seconds=200)
    needed = agents_needed(busy, share=0.8, within_seconds=20)
    assert needed is not None
    assert busy.load == pytest.approx(833.33, abs=0.01)
    assert 834 < needed < 880
    assert service(needed, busy, 20).served_within >= 0.8 > service(needed - 1, busy, 20).served_within
    patient = Demand(calls_an_hour=15_000, handling_seconds=200, patience_seconds=180)
    fewer = agents_needed(patient, share=0.8, within_seconds=20)
    assert fewer is not None
    assert 740 < fewer < needed, "some leave: with 777 agents one in fifteen, after 12 s on average"


def test_too_few_agents_never_catch_up() -> None:
    found = service(1, THIRTY, 15)
    assert (found.served_within, found.mean_wait_seconds, found.occupancy) == (0.0, inf, 1.0)
    impatient = service(1, Demand(calls_an_hour=3000, handling_seconds=200, patience_seconds=600), 15)
    assert impatient.abandoned == pytest.approx(1 - 18 / 3000, abs=1e-6), "one agent serves 18 an hour, the rest leave"
    assert impatient.occupancy == pytest.approx(1)


@given(st.floats(0.5, 400), st.floats(30, 600), st.sampled_from([None, 60.0, 300.0]), st.integers(1, 30))
def test_one_more_agent_never_harms(calls: float, handling: float, patience: float | None, agents: int) -> None:
    demand = Demand(calls_an_hour=calls, handling_seconds=handling, patience_seconds=patience)
    few, more = service(agents, demand, 15), service(agents + 1, demand, 15)
    assert 0 <= few.served_within <= more.served_within + 1e-9 <= 1 + 2e-9
    assert more.mean_wait_seconds <= few.mean_wait_seconds + 1e-9
    assert 0 <= more.abandoned <= few.abandoned + 1e-9 <= 1 + 2e-9


@given(st.integers(2, 40), st.floats(0.1, 0.9))
def test_endless_patience_is_erlang_c(agents: int, occupancy: float) -> None:
    calls = agents * occupancy * 3600 / 200
    for seconds in (0.5, 15.0, 90.0):
        patient = service(agents, Demand(calls_an_hour=calls, handling_seconds=200, patience_seconds=1e9), seconds)
        endless = service(agents, Demand(calls_an_hour=calls, handling_seconds=200), seconds)
        assert patient.served_within == pytest.approx(endless.served_within, abs=1e-4)
        assert patient.mean_wait_seconds == pytest.approx(endless.mean_wait_seconds, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("agents", "calls", "patience"), [(3, 60, None), (3, 60, 90.0), (8, 170, 45.0), (2, 60, 60.0)])
def test_the_formulas_agree_with_a_simulation(agents: int, calls: float, patience: float | None) -> None:
    """A hundred thousand random calls through the event simulation, whose code shares nothing with the formulas."""
    dice = random.Random(7)
    at, arrivals = 0.0, []
    for _ in range(100_000):
        at += dice.expovariate(calls / 3600)
        waits = dice.expovariate(1 / patience) if patience else None
        arrivals.append(Arrival(at=at, handling_seconds=dice.expovariate(1 / 150), patience_seconds=waits))
    played = replay(arrivals, agents, within_seconds=15)
    demand = Demand(calls_an_hour=calls, handling_seconds=150, patience_seconds=patience)
    formula = service(agents, demand, 15)
    assert played.served_within == pytest.approx(formula.served_within, abs=0.012)
    assert played.abandoned == pytest.approx(formula.abandoned, abs=0.012)


def test_pick_up_time_is_added_to_the_wait() -> None:
    slow = Demand(calls_an_hour=30, handling_seconds=200, pick_ups=((6.0, 3), (20.0, 1)))
    waits = erlang_c(4, slow.load)
    expected = 0.75 * (1 - waits * exp(-(4 - slow.load) * 9 / 200))
    assert service(4, slow, 15).served_within == pytest.approx(expected)
    assert agents_needed(slow, share=0.65, within_seconds=15) == 4
    assert agents_needed(slow, share=0.8, within_seconds=15) is None, "a quarter of the pick-ups alone are too slow"


def test_the_fewest_agents_are_found() -> None:
    for share in (0.5, 0.8, 0.95, 0.999):
        needed = agents_needed(THIRTY, share=share, within_seconds=15)
        assert needed is not None
        assert service(needed, THIRTY, 15).served_within >= share
        assert service(needed - 1, THIRTY, 15).served_within < share
    assert agents_needed(Demand(calls_an_hour=0, handling_seconds=200), share=0.9, within_seconds=15) == 0


def test_a_replay_by_hand() -> None:
    """One agent: the second caller waits 50 s, the third hangs up after 30 s, the fourth finds the agent free."""
    arrivals = [
        Arrival(at=0, handling_seconds=60),
        Arrival(at=10, handling_seconds=60),
        Arrival(at=20, handling_seconds=60, patience_seconds=30),
        Arrival(at=130, handling_seconds=60),
    ]
    one = replay(arrivals, 1, within_seconds=15)
    assert (one.served_within, one.abandoned, one.mean_wait_seconds) == (0.5, 0.25, pytest.approx(50 / 3))
    assert one.longest_wait_seconds == 50
    two = replay(arrivals, 2, within_seconds=15)
    assert (two.served_within, two.abandoned) == (0.75, 0.25), "the third would still wait 40 s"
    three = replay(arrivals, 3, within_seconds=15)
    assert (three.served_within, three.abandoned, three.longest_wait_seconds) == (1.0, 0.0, 0.0)
    assert replay([], 1, within_seconds=15).served_within == 1.0


def test_a_replay_adds_the_pick_up() -> None:
    arrivals = [
        Arrival(at=0, handling_seconds=60, pick_up_seconds=14),
        Arrival(at=100, handling_seconds=60, pick_up_seconds=16),
    ]
    assert replay(arrivals, 1, within_seconds=15).served_within == 0.5
