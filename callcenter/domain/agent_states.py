"""What an agent is doing: what they said themselves, and what their phone says at this moment.

Only who is ready is rung. Whoever never said anything is ready, as a desk phone is that nobody has logged in at.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AgentState(StrEnum):
    """What an agent said: ready for calls, at other work, finishing the last call's notes, not at the desk."""

    READY = "ready"
    BUSY = "busy"
    WRAP_UP = "wrap_up"
    AWAY = "away"


class Doing(StrEnum):
    """What an agent is doing: their phone first, else what they said."""

    TALKING = "talking"
    RINGING = "ringing"
    READY = "ready"
    BUSY = "busy"
    WRAP_UP = "wrap_up"
    AWAY = "away"


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What an agent said last, and when."""

    state: AgentState
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLeg:
    """An agent's phone on a call that goes on, which rings (since `ringing_at`) or was answered."""

    agent: str
    call_id: str
    ringing_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentNow:
    """`state` is what holds once the phone is down; `call_id` the call that rings or goes on."""

    agent: str
    doing: Doing
    since: datetime | None
    state: AgentState
    call_id: str | None = None


def agent_now(
    agent: str,
    *,
    said: Said | None,
    legs: Iterable[OpenLeg],
    talked_until: datetime | None,
    now: datetime,
    wrap_up: timedelta,
) -> AgentNow:
    """`talked_until`: when the agent's last conversation ended; `wrap_up` afterwards nobody is rung unasked.

    Saying anything after the conversation ends the pause at once.
    """
    resting = (
        talked_until is not None
        and now < talked_until + wrap_up
        and (said is None or (said.state is AgentState.READY and said.since < talked_until))
    )
    if said is None or (resting and talked_until is not None):
        state = AgentState.WRAP_UP if resting else AgentState.READY
        since = talked_until if resting else None
    else:
        state, since = said.state, said.since
    on_phone = sorted(legs, key=lambda leg: (leg.answered_at is None, leg.ringing_at))
    if not on_phone:
        return AgentNow(agent=agent, doing=Doing(state), since=since, state=state)
    leg = on_phone[0]
    return AgentNow(
        agent=agent,
        doing=Doing.TALKING if leg.answered_at else Doing.RINGING,
        since=leg.answered_at or leg.ringing_at,
        state=state,
        call_id=leg.call_id,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Available:
    """Who may be rung: `free` are ready and not on the phone, `ready` includes those who are on it."""

    free: frozenset[str]
    ready: frozenset[str]


def available(agents: Collection[AgentNow]) -> Available:
    ready = [one for one in agents if one.state is AgentState.READY]
    return Available(
        free=frozenset(one.agent for one in ready if one.doing is Doing.READY),
        ready=frozenset(one.agent for one in ready),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """Who is rung next; `number` goes back in the question that follows when nobody answers."""

    agents: tuple[str, ...]
    number: int


PHONES_IN_USE = 500
"""Rounds from here on ring those who were all on the phone when the call came in: a phone may take a second call."""


CYCLE = 1000
"""Rounds are counted on from a multiple of this each time a caller has waited in line: a phone may ring again."""


def next_round(
    order: Sequence[str], available: Available | None, *, start: int, at_once: int, alone: str | None = None
) -> Round | None:
    """The next `at_once` agents in this order who may be rung, from place `start` on; None where nobody is left.

    A round's number is the place of its last agent, so that a call needs no memory: it goes on behind that place,
    whoever has come or gone meanwhile. Without `available` (it is not known) everybody is rung. `alone` is rung by
    themselves, however many are rung at once.
    """
    cycle, start = divmod(start, CYCLE)
    if start == 0 and available is not None and not available.free:
        start = PHONES_IN_USE
    base = PHONES_IN_USE if start >= PHONES_IN_USE else 0
    may = frozenset(order) if available is None else (available.ready if base else available.free)
    places = [place for place, agent in enumerate(order) if place >= start - base and agent in may][:at_once]
    if places and order[places[0]] == alone:
        places = places[:1]
    if not places:
        return None
    return Round(agents=tuple(order[place] for place in places), number=cycle * CYCLE + base + places[-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Serves:
    """An agent, and the estates that are theirs before others'; none: all alike."""

    agent: str
    estates: frozenset[str] = frozenset()


def ring_order(
    agents: Sequence[Serves],
    *,
    owner: str | None = None,
    estate: str | None = None,
    talked_until: Mapping[str, datetime] | None = None,
) -> tuple[str, ...]:
    """Who is rung before whom: the open ticket's owner, the estate's own agents, those of every estate, all others.

    `talked_until`: among equals the longest idle first, before them who has not talked; None: in the order given.
    """

    def rank(one: Serves) -> tuple[bool, int, float]:
        stranger = 0 if estate is None or estate in one.estates else 1 if not one.estates else 2
        talked = talked_until.get(one.agent) if talked_until is not None else None
        return one.agent != owner, stranger, talked.timestamp() if talked else 0.0

    return tuple(one.agent for one in sorted(agents, key=rank))


def by_agent(legs: Iterable[OpenLeg]) -> Mapping[str, tuple[OpenLeg, ...]]:
    grouped: dict[str, tuple[OpenLeg, ...]] = {}
    for leg in legs:
        grouped[leg.agent] = (*grouped.get(leg.agent, ()), leg)
    return grouped
