"""What agents say is kept with its history, and what they are doing is known without asking on a call."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callcenter.db.agents import AgentStateChangeRow
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.domain.agent_states import AgentState, Available, Doing
from callcenter.services import agent_states
from callcenter.services.agent_states import AgentsOnDuty, say_state
from callcenter.services.news import News
from tests.conftest import SetClock

WRAP_UP = timedelta(seconds=30)


def duty(database: Database, clock: SetClock, news: News | None = None) -> AgentsOnDuty:
    return AgentsOnDuty(database, ("li", "zhao", "sun"), clock=clock, wrap_up=WRAP_UP, news=news or News())


async def say(database: Database, clock: SetClock, state: AgentState, agent: str = "li") -> bool:
    return await say_state(database, agent=agent, state=state, actor="lijia", now=clock.now())


async def call(database: Database, clock: SetClock, call_id: str, **columns: Any) -> None:
    row = {
        "provider": "twilio",
        "direction": "inbound",
        "started_at": clock.now(),
        "last_event_at": clock.now(),
        "disposition": "in_progress",
        "event_count": 1,
    }
    async with database.write() as session:
        session.add(CallRow(id=call_id, **(row | columns)))


async def phone(database: Database, call_id: str, agent: str, outcome: str = "ringing", **columns: Any) -> None:
    async with database.write() as session:
        session.add(CallLegRow(call_id=call_id, leg_id=f"{call_id}-{agent}", agent=agent, outcome=outcome, **columns))


async def test_every_change_is_kept_and_the_same_word_twice_is_none(database: Database, clock: SetClock) -> None:
    assert not await say(database, clock, AgentState.READY)
    assert await say(database, clock, AgentState.AWAY)
    clock.advance(minutes=3)
    assert not await say(database, clock, AgentState.AWAY)
    assert await say(database, clock, AgentState.READY)
    async with database.read() as session:
        rows = (await session.scalars(select(AgentStateChangeRow).order_by(AgentStateChangeRow.id))).all()
    assert [(row.before, row.state, row.actor) for row in rows] == [
        ("ready", "away", "lijia"),
        ("away", "ready", "lijia"),
    ]
    assert rows[1].at == clock.now()


async def test_two_words_at_once_leave_one_state_and_both_in_the_history(database: Database, clock: SetClock) -> None:
    await asyncio.gather(say(database, clock, AgentState.AWAY), say(database, clock, AgentState.BUSY))
    async with database.read() as session:
        rows = (await session.scalars(select(AgentStateChangeRow).order_by(AgentStateChangeRow.id))).all()
    assert {row.state for row in rows} == {"away", "busy"}
    assert rows[1].before == rows[0].state
    known = duty(database, clock)
    await known.look()
    now = known.doing("li")
    assert now is not None
    assert now.state.value == rows[1].state


async def test_phones_say_who_talks_who_rings_and_who_rests(database: Database, clock: SetClock) -> None:
    at = clock.now()
    await call(database, clock, "CA1", answered_at=at, disposition="answered")
    await phone(database, "CA1", "li", "answered", ringing_at=at, answered_at=at)
    await phone(database, "CA1", "sun", ringing_at=at)  # its end was not reported, but the call was answered
    await call(database, clock, "CA2")
    await phone(database, "CA2", "zhao", ringing_at=at)
    known = duty(database, clock)
    await known.look()
    doing = {agent: known.doing(agent) for agent in ("li", "zhao", "sun")}
    assert {agent: one and one.doing for agent, one in doing.items()} == {
        "li": Doing.TALKING,
        "zhao": Doing.RINGING,
        "sun": Doing.READY,
    }
    assert known.available() == Available(free=frozenset({"sun"}), ready=frozenset({"li", "zhao", "sun"}))


async def test_after_a_call_the_agent_rests_unless_they_say_otherwise(database: Database, clock: SetClock) -> None:
    at = clock.now()
    await call(database, clock, "CA1", answered_at=at, ended_at=at + timedelta(seconds=60), disposition="answered")
    await phone(database, "CA1", "li", "answered", ringing_at=at, answered_at=at, ended_at=at + timedelta(seconds=60))
    clock.advance(seconds=70)
    known = duty(database, clock)
    await known.look()
    resting = known.doing("li")
    assert resting is not None
    assert resting.doing is Doing.WRAP_UP
    clock.advance(seconds=20)
    await known.look()
    rested = known.doing("li")
    assert rested is not None
    assert rested.doing is Doing.READY


async def test_a_change_is_known_at_once_by_whoever_waits(database: Database, clock: SetClock) -> None:
    news = News()
    async with duty(database, clock, news) as known, asyncio.timeout(5):
        seen = await known.after(0)
        if known.doing("li") is None:
            seen = await known.after(seen)
        await say(database, clock, AgentState.BUSY)
        news.tell()
        await known.after(seen)
        now = known.doing("li")
    assert now is not None
    assert now.doing is Doing.BUSY


async def test_what_was_known_long_ago_counts_for_nothing(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = duty(database, clock)
    assert known.available() is None
    await say(database, clock, AgentState.AWAY)
    await known.look()
    found = known.available()
    assert found is not None
    assert "li" not in found.ready
    monkeypatch.setattr(agent_states, "FORGOTTEN_AFTER_SECONDS", -1.0)
    assert known.available() is None
