"""Plays recorded arrivals again with another number of agents: what if there had been one more, or one fewer."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A recorded call, in seconds from any moment on: when it came, how long an agent was busy with it (pick-up
    included), how long the caller would wait (None: nobody knows, longer than it took), the agent's pick-up.
    """

    at: float
    handling_seconds: float
    patience_seconds: float | None = None
    pick_up_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """`mean_wait_seconds` and `longest_wait_seconds` are of those who were served, until an agent was free for them."""

    agents: int
    served_within: float
    abandoned: float
    mean_wait_seconds: float
    longest_wait_seconds: float


def replay(arrivals: Iterable[Arrival], agents: int, *, within_seconds: float) -> Replayed:
    """First come, first served. A caller out of patience leaves before an agent is free; the agent's time is kept.

    Raises ValueError without an agent.
    """
    if agents < 1:
        raise ValueError("nobody answers without an agent")
    calls = sorted(arrivals, key=lambda call: call.at)
    free_at = [calls[0].at if calls else 0.0] * agents
    waits: list[float] = []
    in_time = left = 0
    for call in calls:
        wait = max(0.0, free_at[0] - call.at)
        if call.patience_seconds is not None and wait > call.patience_seconds:
            left += 1
            continue
        heapq.heapreplace(free_at, call.at + wait + call.handling_seconds)
        waits.append(wait)
        in_time += wait + call.pick_up_seconds <= within_seconds
    whole = len(calls)
    return Replayed(
        agents=agents,
        served_within=in_time / whole if whole else 1.0,
        abandoned=left / whole if whole else 0.0,
        mean_wait_seconds=sum(waits) / len(waits) if waits else 0.0,
        longest_wait_seconds=max(waits, default=0.0),
    )
