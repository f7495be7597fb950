"""Which recordings wait for their transcription, in which order, and whose job has died."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow
from callcenter.db.recordings import IMPORTED, RecordingRow, RecordingState
from callcenter.db.tickets import TicketCallRow
from callcenter.domain.folding import VOICE_MAIL

AT_A_TIME = 50


class Priority(IntEnum):
    """Which waiting recording is transcribed first: danger, what was said to nobody yet, what an agent has heard, the
    years before.

    EMERGENCY is told before any word of the recording is: by the key that the resident pressed in the menu, or by
    what was heard while the call went on.
    """

    EMERGENCY = 1
    VOICE_MAIL = 2
    CONVERSATION = 3
    IMPORT = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingRecording:
    """A recording that waits for its job number `job_number`."""

    id: str
    job_number: int
    priority: Priority


async def pending_recordings(
    database: Database, *, emergency_keys: Collection[str] = (), limit: int = AT_A_TIME
) -> Sequence[PendingRecording]:
    """The first that wait for a job, by priority and age, and beside them the first imports."""
    rank = _rank(emergency_keys)
    waiting: Select[str, int, int] = (
        select(RecordingRow.id, RecordingRow.job_number, rank)
        .join(CallRow, CallRow.id == RecordingRow.call_id)
        .outerjoin(LiveCallRow, LiveCallRow.call_id == RecordingRow.call_id)
        .where(RecordingRow.state == RecordingState.PENDING, RecordingRow.content != IMPORTED)
        .order_by(rank, RecordingRow.ready_at, RecordingRow.id)
        .limit(limit)
    )
    imports = (
        select(RecordingRow.id, RecordingRow.job_number)
        .where(RecordingRow.state == RecordingState.PENDING, RecordingRow.content == IMPORTED)
        .order_by(RecordingRow.ready_at, RecordingRow.id)
        .limit(limit)
    )
    async with database.read() as session:
        first = [(id_, job, Priority(found)) for id_, job, found in await session.execute(waiting)]
        then = [(id_, job, Priority.IMPORT) for id_, job in await session.execute(imports)]
    return [PendingRecording(id=id_, job_number=job, priority=rank_) for id_, job, rank_ in (*first, *then)]


def _rank(emergency_keys: Collection[str]) -> ColumnElement[int]:
    pressed = cast(CallRow.keys, String)
    danger = or_(
        LiveCallRow.emergency_at.is_not(None),
        *(pressed.contains(f'["menu", "{key}"]', autoescape=True) for key in sorted(emergency_keys)),
    )
    return case(
        (danger, Priority.EMERGENCY.value),
        (RecordingRow.content == VOICE_MAIL, Priority.VOICE_MAIL.value),
        else_=Priority.CONVERSATION.value,
    )


async def unfinished_recordings(
    database: Database, *, enqueued: Collection[str] = ()
) -> Sequence[tuple[str, int, bool]]:
    """Recordings without an end or a ticket whose job may have died: (id, number of the job, whether it was begun).

    `enqueued`: those among the waiting ones that have a job at all.
    """
    link = select(TicketCallRow.call_id).where(TicketCallRow.call_id == RecordingRow.call_id)
    ticketed = link.where(TicketCallRow.heard_live.is_(False)).exists()
    without_ticket = and_(RecordingRow.content != IMPORTED, ~ticketed)
    async with database.read() as session:
        found = await session.execute(
            select(RecordingRow.id, RecordingRow.job_number, RecordingRow.state).where(
                or_(
                    RecordingRow.state == RecordingState.RUNNING,
                    and_(RecordingRow.state == RecordingState.PENDING, RecordingRow.id.in_(enqueued)),
                    and_(RecordingRow.state == RecordingState.TRANSCRIBED, without_ticket),
                )
            )
        )
        return [(row.id, row.job_number, row.state != RecordingState.PENDING) for row in found]


async def put_back(database: Database, recording_id: str, job_number: int) -> None:
    """A job that died leaves its recording to a new one."""
    async with database.write() as session:
        await session.execute(
            update(RecordingRow)
            .where(RecordingRow.id == recording_id, RecordingRow.job_number == job_number)
            .values(state=RecordingState.PENDING, job_number=job_number + 1)
        )


async def transcribe_again(session: AsyncSession, recording_id: str) -> None:
    """A person asks for a new transcription; the attempts start anew."""
    await session.execute(
        update(RecordingRow)
        .where(RecordingRow.id == recording_id)
        .values(state=RecordingState.PENDING, attempts=0, error=None, job_number=RecordingRow.job_number + 1)
    )
