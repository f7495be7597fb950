"""Calls that are heard while they go on: which ones a person may follow, and what was heard of one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow, LiveSegmentRow, LiveState
from callcenter.domain.calls import Direction

MOST_SHOWN = 20
_UNSETTLED = text("live_calls.settled_at IS NULL")  # as the partial index says it


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveWords:
    """A call's stream and what was heard of it, in the order in which it was said."""

    live: LiveCallRow
    segments: tuple[LiveSegmentRow, ...]


async def live_words(session: AsyncSession, call_id: str) -> LiveWords | None:
    live = await session.get(LiveCallRow, call_id)
    if live is None:
        return None
    query = select(LiveSegmentRow).where(LiveSegmentRow.call_id == call_id).order_by(LiveSegmentRow.number)
    return LiveWords(live=live, segments=tuple((await session.scalars(query)).all()))


async def is_anybody_on_the_line(database: Database, *, since: datetime) -> bool:
    """Whether a call that began after `since` goes on, heard live or not."""
    query = select(CallRow.id).where(CallRow.ended_at.is_(None), CallRow.started_at > since).limit(1)
    async with database.read() as session:
        return (await session.execute(query)).first() is not None


async def first_answered_call(database: Database) -> CallRow | None:
    """The hotline's first call that somebody answered."""
    query = select(CallRow).where(CallRow.answered_by.is_not(None), CallRow.direction == Direction.INBOUND.value)
    async with database.read() as session:
        return (await session.scalars(query.order_by(CallRow.started_at).limit(1))).first()


async def calls_on_the_line(database: Database, *, agent_id: str | None, all_calls: bool) -> tuple[CallRow, ...]:
    """Calls that go on and are heard, the newest first: everybody's, or those that rang this agent's phone."""
    query = (
        select(CallRow)
        .join(LiveCallRow, LiveCallRow.call_id == CallRow.id)
        .where(_UNSETTLED, LiveCallRow.state == LiveState.RUNNING.value, CallRow.ended_at.is_(None))
        .order_by(CallRow.started_at.desc())
        .limit(MOST_SHOWN)
    )
    if not all_calls:
        query = query.where(exists().where(CallLegRow.call_id == CallRow.id, CallLegRow.agent == agent_id))
    async with database.read() as session:
        return tuple((await session.scalars(query)).all())
