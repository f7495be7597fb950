"""What is kept of a call's sound: its recordings and what was said on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.recordings import RecordingRow, SegmentRow


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedCall:
    """One call with its legs, its recordings and the segments of each."""

    call: CallRow
    legs: tuple[CallLegRow, ...]
    recordings: tuple[RecordingRow, ...]
    segments: tuple[SegmentRow, ...]

    @property
    def recording(self) -> RecordingRow | None:
        """The one to play: the conversation or voice mail with something on it, else the first there is."""
        playable = [one for one in self.recordings if one.path]
        return max(playable, key=lambda one: one.duration_ms or 0, default=None) or next(iter(self.recordings), None)

    @property
    def played_segments(self) -> tuple[SegmentRow, ...]:
        """What was said on the recording that is played, in the order it was said."""
        chosen = self.recording.id if self.recording else None
        return tuple(segment for segment in self.segments if segment.recording_id == chosen)


async def recorded_calls(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, RecordedCall]:
    calls = (await session.scalars(select(CallRow).where(CallRow.id.in_(call_ids)))).all()
    legs = (await session.scalars(select(CallLegRow).where(CallLegRow.call_id.in_(call_ids)))).all()
    recordings = (await session.scalars(select(RecordingRow).where(RecordingRow.call_id.in_(call_ids)))).all()
    said = select(SegmentRow).where(SegmentRow.call_id.in_(call_ids)).order_by(SegmentRow.start_ms, SegmentRow.end_ms)
    segments = (await session.scalars(said)).all()
    return {
        call.id: RecordedCall(
            call=call,
            legs=tuple(sorted((leg for leg in legs if leg.call_id == call.id), key=_began)),
            recordings=tuple(one for one in recordings if one.call_id == call.id),
            segments=tuple(one for one in segments if one.call_id == call.id),
        )
        for call in calls
    }


def _began(leg: CallLegRow) -> tuple[float, str]:
    at = leg.ringing_at or leg.initiated_at or leg.answered_at or leg.ended_at
    return at.timestamp() if at else 0.0, leg.leg_id
