"""What agents said last, and what their phones are doing: the few rows of calls that go on."""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.agents import AgentStateRow
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.domain.agent_states import AgentState, OpenLeg, Said


async def said_by_agents(session: AsyncSession) -> dict[str, Said]:
    rows = (await session.scalars(select(AgentStateRow))).all()
    return {row.agent: Said(state=AgentState(row.state), since=row.since) for row in rows}


async def open_legs(session: AsyncSession) -> tuple[OpenLeg, ...]:
    """Phones that ring or talk on calls without an end. A phone still ringing on an answered call is not counted."""
    leg, call = CallLegRow, CallRow
    since = func.coalesce(leg.ringing_at, leg.initiated_at, leg.answered_at)
    query = (
        select(leg.agent, leg.call_id, since, leg.answered_at)
        .join(call, call.id == leg.call_id)
        .where(
            call.ended_at.is_(None),
            leg.ended_at.is_(None),
            leg.agent.is_not(None),
            or_(leg.answered_at.is_not(None), call.answered_at.is_(None)),
        )
        .order_by(leg.call_id, leg.leg_id)
    )
    return tuple(
        OpenLeg(agent=agent, call_id=call_id, ringing_at=ringing_at, answered_at=answered_at)
        for agent, call_id, ringing_at, answered_at in (await session.execute(query)).all()
        if agent is not None and ringing_at is not None
    )


async def conversations_since(session: AsyncSession, since: datetime) -> dict[str, datetime]:
    """When each agent's last conversation that ended after `since` was over.

    Put together here: asked to do it, SQLite goes through all the calls there are, agent by agent.
    """
    leg = CallLegRow
    query = (
        select(leg.agent, leg.ended_at)
        .join(CallRow, CallRow.id == leg.call_id)
        .where(CallRow.ended_at >= since, leg.answered_at.is_not(None), leg.ended_at >= since)
    )
    last: dict[str, datetime] = {}
    for agent, at in await session.execute(query):
        if agent is not None and at is not None:
            last[agent] = max(at, last.get(agent, at))
    return last
