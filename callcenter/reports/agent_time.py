"""Agents' time on duty and how much of it they were occupied, by what they said and by their phones."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.agents import AgentStateChangeRow
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.domain.agent_states import AgentState, Said
from callcenter.domain.agent_time import AgentTime, Interval, agent_time
from callcenter.reports.call_scope import Scope

LONGEST_CALL = timedelta(days=1)
"""A call that began earlier is over, whatever was reported of it."""


async def read_agent_time(session: AsyncSession, scope: Scope, *, now: datetime) -> dict[str, AgentTime]:
    """By agent; only those who were on duty by their own word. Empty for the calls to one number: duty is for all."""
    end = min(scope.end, now)
    if scope.number is not None or end <= scope.start:
        return {}
    said = await _said(session, scope.start, end)
    talks = await _talks(session, scope.start, end, said) if said else {}
    found = {
        agent: agent_time(words, talks.get(agent, ()), start=scope.start, end=end) for agent, words in said.items()
    }
    return {agent: time for agent, time in sorted(found.items()) if time.on_duty_ms}


async def _said(session: AsyncSession, start: datetime, end: datetime) -> dict[str, list[Said]]:
    """Every agent's words until `end`, from the last one before `start` on."""
    row = AgentStateChangeRow
    last_before = select(func.max(row.id)).where(row.at < start).group_by(row.agent)
    query = (
        select(row.agent, row.at, row.state)
        .where(or_(row.id.in_(last_before), (row.at >= start) & (row.at < end)))
        .order_by(row.at, row.id)
    )
    said: dict[str, list[Said]] = defaultdict(list)
    for agent, at, state in await session.execute(query):
        said[agent].append(Said(state=AgentState(state), since=at))
    return said


async def _talks(
    session: AsyncSession, start: datetime, end: datetime, agents: Collection[str]
) -> Mapping[str, list[Interval]]:
    """Conversations of these agents that touch [start, end); one that goes on lasts until `end`."""
    leg = CallLegRow
    query = (
        select(leg.agent, leg.answered_at, leg.ended_at, CallRow.ended_at)
        .join(CallRow, CallRow.id == leg.call_id)
        .where(
            leg.agent.in_(agents),
            leg.answered_at < end,
            CallRow.started_at >= start - LONGEST_CALL,
            CallRow.started_at < end,
        )
    )
    talks: dict[str, list[Interval]] = defaultdict(list)
    for agent, answered_at, leg_ended, call_ended in await session.execute(query):
        if agent is not None and answered_at is not None:
            talks[agent].append((answered_at, leg_ended or call_ended or end))
    return talks
