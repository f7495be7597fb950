"""How many agents it takes: Erlang C (callers wait without end) and Erlang A (they hang up when out of patience).

Both take arrivals as random (Poisson) and handling times as exponential about their mean. A caller is served within a
time when the wait for a free agent and the agent's own pick-up time together are shorter. Sources: Erlang 1917; Palm
1946 and Garnett, Mandelbaum, Reiman 2002 for patience. Recurrences are used that stay exact for hundreds of agents,
where factorials and powers would overflow.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, lgamma, log, sqrt

MOST_AGENTS = 2000
NO_PICK_UP = ((0.0, 1),)
_TINY, _HUGE = 1e-13, 1e200


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What comes in: calls an hour, how long an agent is busy with one (pick-up, talk and work after it), and how long
    callers wait before they hang up (mean; None: for ever).

    `pick_ups` are (seconds, how many) of measured pick-ups: from the phone's first ring to the answer.
    """

    calls_an_hour: float
    handling_seconds: float
    patience_seconds: float | None = None
    pick_ups: Sequence[tuple[float, int]] = NO_PICK_UP

    @property
    def load(self) -> float:
        """Erlangs: how many agents are busy on average when nobody is turned away."""
        return self.calls_an_hour * self.handling_seconds / 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What so many agents do for a demand. `mean_wait_seconds` is inf where the queue would grow without end."""

    agents: int
    served_within: float
    mean_wait_seconds: float
    abandoned: float
    occupancy: float


def erlang_b(agents: int, load: float) -> float:
    """The share of time in which all of so many agents are busy when nobody may wait."""
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(agents: int, load: float) -> float:
    """The share of callers who have to wait; 1 where the agents cannot keep up."""
    if load <= 0:
        return 0.0
    if agents <= load:
        return 1.0
    blocked = erlang_b(agents, load)
    return agents * blocked / (agents - load * (1 - blocked))


def service(agents: int, demand: Demand, within_seconds: float) -> Service:
    """What `agents` do for this demand; `served_within` is the share of all callers."""
    if demand.load <= 0:
        return Service(agents=agents, served_within=1.0, mean_wait_seconds=0.0, abandoned=0.0, occupancy=0.0)
    if demand.patience_seconds is not None:
        return _with_patience(agents, demand, demand.patience_seconds, within_seconds)
    load, handling = demand.load, demand.handling_seconds
    if agents <= load:
        return Service(agents=agents, served_within=0.0, mean_wait_seconds=inf, abandoned=0.0, occupancy=1.0)
    waits = erlang_c(agents, load)
    served = _over_pick_ups(
        demand.pick_ups, within_seconds, lambda left: 1 - waits * exp(-(agents - load) * left / handling)
    )
    return Service(
        agents=agents,
        served_within=served,
        mean_wait_seconds=waits * handling / (agents - load),
        abandoned=0.0,
        occupancy=load / agents,
    )


def agents_needed(demand: Demand, *, share: float, within_seconds: float) -> int | None:
    """The fewest agents that serve this share of the callers in time; None where no number of them can.

    None happens where the pick-up itself takes longer than the time promised, for too many of the calls.
    """
    if demand.load <= 0:
        return 0
    if _over_pick_ups(demand.pick_ups, within_seconds, lambda _: 1.0) < share:
        return None
    fewest = 1 if demand.patience_seconds is not None else max(1, ceil(demand.load))
    below, enough = fewest - 1, fewest
    while service(enough, demand, within_seconds).served_within < share:
        below, enough = enough, enough * 2
        if enough > MOST_AGENTS:
            return None
    while enough - below > 1:
        middle = (below + enough) // 2
        if service(middle, demand, within_seconds).served_within < share:
            below = middle
        else:
            enough = middle
    return enough


def _over_pick_ups(
    pick_ups: Iterable[tuple[float, int]], within_seconds: float, served_in: Callable[[float], float]
) -> float:
    """The share served in time, averaged over the measured pick-ups: each leaves that much less time to wait."""
    total = served = 0.0
    for seconds, count in pick_ups:
        total += count
        if seconds < within_seconds:
            served += count * served_in(within_seconds - seconds)
    return served / total if total else served_in(within_seconds)


def _with_patience(agents: int, demand: Demand, patience: float, within_seconds: float) -> Service:
    """Erlang A. State n + k: all n agents are busy and k callers wait; the states below it add up to 1 / Erlang B."""
    arrive, serve, leave = demand.calls_an_hour / 3600, 1 / demand.handling_seconds, 1 / patience
    queue, below = _queue(agents, demand.load, arrive=arrive, serve=serve, leave=leave)
    whole = below + sum(queue) - queue[0]
    waiting = sum(number * weight for number, weight in enumerate(queue)) / whole
    abandoned = leave * waiting / arrive
    at_once = (below - queue[0]) / whole
    jumps = _Jumps(queue, busy=agents * serve, leave=leave, seconds=within_seconds)

    def served_in(left: float) -> float:
        return at_once + jumps.served_in(left) / whole

    return Service(
        agents=agents,
        served_within=min(1.0, _over_pick_ups(demand.pick_ups, within_seconds, served_in)),
        mean_wait_seconds=waiting / arrive,
        abandoned=min(1.0, abandoned),
        occupancy=min(1.0, demand.load * (1 - abandoned) / agents),
    )


def _queue(agents: int, load: float, *, arrive: float, serve: float, leave: float) -> tuple[list[float], float]:
    """Weights of the states with 0, 1, 2 ... waiting and all agents busy, and of all states up to the first of them."""
    blocked = erlang_b(agents, load)
    if blocked < 1 / _HUGE:
        return [0.0], 1.0
    weights, below = [blocked], 1.0
    while weights[-1] > _TINY * (below + max(weights)) or len(weights) * leave + agents * serve < arrive:
        weights.append(weights[-1] * arrive / (agents * serve + len(weights) * leave))
        if weights[-1] > _HUGE:
            weights, below = [weight / _HUGE for weight in weights], below / _HUGE
    return weights, below


class _Jumps:
    """The chance of those who found all agents busy to be served within a time, weighted by how many were waiting.

    Each of those ahead goes when an agent is free or when out of patience, and so may the caller. Uniformization of
    that chain has no step size to choose: within a time there is a Poisson number of jumps, each one place forward,
    out, or none. What the jumps lead to does not depend on the time and is worked out once.
    """

    def __init__(self, weights: Sequence[float], *, busy: float, leave: float, seconds: float) -> None:
        self._rate = busy + (len(weights) + 1) * leave
        moves = [(busy + number * leave) / self._rate for number in range(len(weights))]
        stays = [1 - move - leave / self._rate for move in moves]
        chances = [0.0] * len(weights)
        self._served: list[float] = []
        for _ in range(_most_jumps(self._rate * seconds)):
            self._served.append(sum(weight * chance for weight, chance in zip(weights, chances, strict=True)))
            ahead = 1.0
            for number, (move, stay) in enumerate(zip(moves, stays, strict=True)):
                chances[number], ahead = move * ahead + stay * chances[number], chances[number]

    def served_in(self, seconds: float) -> float:
        expected = self._rate * seconds
        logs = (jump * log(expected) - expected - lgamma(jump + 1) for jump in range(len(self._served)))
        return sum(exp(chance) * served for chance, served in zip(logs, self._served, strict=True))


def _most_jumps(expected: float) -> int:
    """More happen with a chance of less than one in a thousand million."""
    return ceil(expected + 7 * sqrt(expected) + 20)
