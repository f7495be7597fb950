"""The work after a call ends when its agent says something else: an event of the call, as if the line had told it."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.agents import AgentStateChangeRow
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.events import event_values, insert_events
from callcenter.domain.calls import CallEvent, Direction, EventKind
from callcenter.domain.moments import Clock, Moment

SAID_WITHIN = timedelta(minutes=2)
"""Who says so later than this after a conversation is finishing something else."""


async def end_wrap_up(session: AsyncSession, *, agent: str, said_at: datetime, now: datetime) -> bool:
    """Writes the end of the work after the agent's last call; they said at `said_at` that they were at it.

    False where it belongs to no call: none ended shortly before, another word came between, or the next call is on.
    """
    leg = CallLegRow
    ended = func.coalesce(leg.ended_at, CallRow.ended_at)
    query = (
        select(leg.call_id, CallRow.provider, ended.label("ended"))
        .join(CallRow, CallRow.id == leg.call_id)
        .where(
            leg.agent == agent,
            leg.answered_at.is_not(None),
            leg.answered_at.between(said_at - timedelta(days=1), now),
            CallRow.direction == Direction.INBOUND.value,
        )
        .order_by(leg.answered_at.desc())
        .limit(1)
    )
    last = (await session.execute(query)).one_or_none()
    if last is None or last.ended is None or not said_at - SAID_WITHIN <= last.ended <= now:
        return False
    change = AgentStateChangeRow
    between = select(change.id).where(change.agent == agent, change.at > last.ended, change.at < said_at).limit(1)
    if await session.scalar(between) is not None:
        return False
    event = CallEvent(
        event_id=f"wrap-up:{agent}:{last.call_id}",
        provider=last.provider,
        call_id=last.call_id,
        kind=EventKind.WRAP_UP_ENDED,
        at=Moment.exactly(now, Clock.OURS),
        data={"agent": agent},
    )
    await insert_events(await session.connection(), [event_values(event, now)])
    return True
