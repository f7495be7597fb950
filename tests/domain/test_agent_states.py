"""Only who is ready is rung; the phone says more than a word; a round needs no memory of the call."""

from datetime import UTC, datetime, timedelta

from callcenter.domain.agent_states import (
    PHONES_IN_USE,
    AgentNow,
    AgentState,
    Available,
    Doing,
    OpenLeg,
    Said,
    agent_now,
    available,
    next_round,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def stands(
    said: Said | None = None, *legs: OpenLeg, talked_until: datetime | None = None, wrap_up: timedelta = timedelta(0)
) -> AgentNow:
    return agent_now("li", said=said, legs=legs, talked_until=talked_until, now=NOW, wrap_up=wrap_up)


def leg(call_id: str, *, ringing: datetime, answered: datetime | None = None) -> OpenLeg:
    return OpenLeg(agent="li", call_id=call_id, ringing_at=ringing, answered_at=answered)


def test_who_never_said_anything_is_ready() -> None:
    assert stands() == AgentNow(agent="li", doing=Doing.READY, since=None, state=AgentState.READY)


def test_the_phone_says_more_than_the_word() -> None:
    away = Said(state=AgentState.AWAY, since=NOW - MINUTE)
    ringing, talking = leg("CA2", ringing=NOW), leg("CA1", ringing=NOW - MINUTE, answered=NOW - MINUTE / 2)
    one = stands(away, ringing, talking)
    assert (one.doing, one.call_id, one.since, one.state) == (Doing.TALKING, "CA1", NOW - MINUTE / 2, AgentState.AWAY)
    assert stands(away, ringing).doing is Doing.RINGING
    assert stands(away).doing is Doing.AWAY


def test_a_pause_after_a_call_ends_by_itself_or_by_a_word() -> None:
    ended = NOW - timedelta(seconds=20)
    resting = stands(talked_until=ended, wrap_up=timedelta(seconds=30))
    assert (resting.doing, resting.since) == (Doing.WRAP_UP, ended)
    assert stands(talked_until=ended, wrap_up=timedelta(seconds=20)).doing is Doing.READY
    ready_since = Said(state=AgentState.READY, since=NOW - timedelta(seconds=5))
    assert stands(ready_since, talked_until=ended, wrap_up=timedelta(seconds=30)).doing is Doing.READY
    away = Said(state=AgentState.AWAY, since=NOW - MINUTE)
    assert stands(away, talked_until=ended, wrap_up=timedelta(seconds=30)).doing is Doing.AWAY


def test_available_are_those_who_said_so_and_free_those_whose_phone_is_down() -> None:
    doing = [
        AgentNow(agent="a", doing=Doing.READY, since=None, state=AgentState.READY),
        AgentNow(agent="b", doing=Doing.TALKING, since=NOW, state=AgentState.READY),
        AgentNow(agent="c", doing=Doing.TALKING, since=NOW, state=AgentState.AWAY),
        AgentNow(agent="d", doing=Doing.WRAP_UP, since=NOW, state=AgentState.WRAP_UP),
    ]
    assert available(doing) == Available(free=frozenset("a"), ready=frozenset("ab"))


def test_rounds_pass_over_who_is_not_ready_and_go_on_behind_the_last() -> None:
    order = tuple("abcdef")
    some = Available(free=frozenset("bdf"), ready=frozenset("abdf"))
    first = next_round(order, some, start=0, at_once=2)
    assert first is not None
    assert (first.agents, first.number) == (("b", "d"), 3)
    second = next_round(order, some, start=first.number + 1, at_once=2)
    assert second is not None
    assert second.agents == ("f",)
    assert next_round(order, some, start=second.number + 1, at_once=2) is None


def test_where_all_who_are_ready_are_on_the_phone_the_phones_decide() -> None:
    order = tuple("abcd")
    busy = Available(free=frozenset(), ready=frozenset("bd"))
    first = next_round(order, busy, start=0, at_once=1)
    assert first is not None
    assert (first.agents, first.number) == (("b",), PHONES_IN_USE + 1)
    second = next_round(order, busy, start=first.number + 1, at_once=1)
    assert second is not None
    assert second.agents == ("d",)
    assert next_round(order, busy, start=second.number + 1, at_once=1) is None


def test_where_nobody_knows_everybody_is_rung() -> None:
    everybody = next_round(tuple("ab"), None, start=0, at_once=10)
    assert everybody is not None
    assert everybody.agents == ("a", "b")
    nobody = Available(free=frozenset(), ready=frozenset())
    assert next_round(tuple("ab"), nobody, start=0, at_once=10) is None
