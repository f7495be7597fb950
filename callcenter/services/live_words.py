"""What was heard of a call while it went on, as rows: begun, written down, ended, read again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.live import LiveCallRow, LiveSegmentRow, LiveState
from callcenter.domain.transcript import Segment, Side, Transcript, Word
from callcenter.ports import StreamReport
from callcenter.services.transactions import insert_if_absent


async def begin_live_call(
    session: AsyncSession, call_id: str, *, provider: str, stream_id: str, now: datetime, refused: str | None = None
) -> bool:
    """False where the call has, or had, a stream already. `refused` says why this one is not heard."""
    values = {
        "call_id": call_id,
        "provider": provider,
        "stream_id": stream_id,
        "state": (LiveState.REFUSED if refused else LiveState.RUNNING).value,
        "reason": refused,
        "started_at": now,
        "ended_at": now if refused else None,
        "settled_at": now if refused else None,
        "lost_frames": 0,
        "late_frames": 0,
        "bad_messages": 0,
    }
    return await insert_if_absent(session, LiveCallRow, values, "call_id")


async def write_segments(session: AsyncSession, segments: Sequence[tuple[str, int, Segment]]) -> None:
    """Each with its call and its number there, in the order in which they were heard."""
    rows = [
        {
            "call_id": call_id,
            "number": number,
            "side": segment.side.value,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
            "text": segment.text,
            "words": [[word.text, word.start_ms, word.end_ms, round(word.confidence, 3)] for word in segment.words],
            "alternatives": list(segment.alternatives),
        }
        for call_id, number, segment in segments
    ]
    await session.execute(insert(LiveSegmentRow), rows)


async def end_live_call(
    session: AsyncSession, call_id: str, state: LiveState, *, report: StreamReport, reason: str | None, now: datetime
) -> None:
    """A call that was lost or refused has nothing to follow from it: its recording is waited for."""
    await session.execute(
        update(LiveCallRow)
        .where(LiveCallRow.call_id == call_id, LiveCallRow.state == LiveState.RUNNING.value)
        .values(
            state=state.value,
            reason=reason,
            ended_at=now,
            settled_at=None if state in (LiveState.ENDED, LiveState.BROKEN) else now,
            lost_frames=report.lost_frames,
            late_frames=report.late_frames,
            bad_messages=report.bad_messages,
        )
    )


async def live_transcript(session: AsyncSession, call_id: str) -> Transcript:
    query = select(LiveSegmentRow).where(LiveSegmentRow.call_id == call_id)
    rows = (await session.scalars(query.order_by(LiveSegmentRow.start_ms, LiveSegmentRow.number))).all()
    segments = (
        Segment(
            side=Side(row.side),
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            text=row.text,
            words=tuple(Word(text=w[0], start_ms=w[1], end_ms=w[2], confidence=w[3]) for w in row.words),
            alternatives=tuple(row.alternatives),
        )
        for row in rows
    )
    return Transcript.of(segments, duration_ms=max((row.end_ms for row in rows), default=0))


async def heard_to_the_end(session: AsyncSession, call_id: str) -> Transcript | None:
    """What was said, where the call was heard from the beginning of its stream to its end; else None."""
    state = await session.scalar(select(LiveCallRow.state).where(LiveCallRow.call_id == call_id))
    if state not in (LiveState.ENDED, LiveState.BROKEN):
        return None
    transcript = await live_transcript(session, call_id)
    return None if transcript.is_empty else transcript


async def running_calls(session: AsyncSession) -> int:
    """How many calls are heard now, on all servers."""
    query = select(func.count()).select_from(LiveCallRow).where(LiveCallRow.state == LiveState.RUNNING.value)
    return (await session.execute(query)).scalar_one()
