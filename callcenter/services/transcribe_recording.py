"""From a recording that is ready to the ticket that it makes: fetch, transcribe, understand, open.

Each step may be repeated: a step that has been done changes nothing. Whatever fails for good, the ticket is opened
all the same and says that the call must be listened to.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import and_, case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import EngineCrashed, SpeechError, TranscriptionTimedOut
from callcenter.asr.result import SideReport, Sides, TranscriptionResult
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.tickets import TicketCallRow
from callcenter.domain.folding import VOICE_MAIL
from callcenter.domain.tickets import RequestType, TicketDraft
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.domain.understanding.rules_files import RuleFolder
from callcenter.ports import Clock, RecordingFetcher, RecordingRejected
from callcenter.services.check_language import LanguageChecker
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_words import heard_to_the_end
from callcenter.services.open_ticket import open_ticket
from callcenter.services.register import KnownRegister
from callcenter.services.transcripts import transcript_of
from callcenter.services.understand_call import CallReader

log = structlog.get_logger()

MOST_ATTEMPTS = 3
PEAKS_PER_SECOND = 20


class Transcribes(Protocol):
    """The speech service, as this use case needs it."""

    async def transcribe(
        self, path: Path, *, engine: EngineSettings, sides: Sides, stated_seconds: float | None = None
    ) -> TranscriptionResult: ...


class UnknownRecording(Exception):
    """There is no recording with this id."""


@dataclass(frozen=True, kw_only=True)
class TranscribeRecording:
    """The use case with everything it needs."""

    database: Database
    fetcher: RecordingFetcher
    transcriber: Transcribes
    engine: EngineSettings
    clock: Clock
    recordings_dir: Path
    zone: ZoneInfo
    rules: FollowUpRules
    register: KnownRegister = field(default_factory=KnownRegister)
    wording: RuleFolder = field(default_factory=RuleFolder)
    area_code: str | None = None
    menu_choices: Mapping[str, RequestType] = field(default_factory=dict)
    language: LanguageChecker | None = None

    async def begin(self, recording_id: str) -> bool:
        """Counts an attempt. False where there is nothing left to do, or where the attempts are used up."""
        async with self.database.write() as session:
            row = await session.get(RecordingRow, recording_id)
            if row is None:
                raise UnknownRecording(recording_id)
            if row.state == RecordingState.FAILED:
                return False
            if row.state == RecordingState.TRANSCRIBED:
                return True
            if row.attempts < MOST_ATTEMPTS:
                row.attempts += 1
                row.state = RecordingState.RUNNING
                return True
        await self.give_up(recording_id, f"转写 {MOST_ATTEMPTS} 次都没有完成")
        return False

    async def fetch(self, recording_id: str) -> None:
        """Raises RecordingRejected, RecordingUnavailable."""
        row = await self._recording(recording_id)
        relative = f"{row.ready_at:%Y-%m-%d}/{_file_name(row.provider, recording_id)}.wav"
        target = self.recordings_dir / relative
        if row.path is not None and await asyncio.to_thread(target.exists):
            return
        fetched = await self.fetcher.fetch(provider=row.provider, url=row.url, channels=row.channels, target=target)
        async with self.database.write() as session:
            await session.execute(
                update(RecordingRow)
                .where(RecordingRow.id == recording_id)
                .values(path=relative, size_bytes=fetched.size_bytes)
            )

    async def transcribe(self, recording_id: str) -> None:
        """Raises SpeechError. A crash or a time-out of the recogniser is tried once more."""
        row = await self._recording(recording_id)
        if row.path is None:
            raise RecordingRejected("the recording was never fetched")
        path = self.recordings_dir / row.path
        sides: Sides = "stereo" if row.channels > 1 else (Side.RESIDENT if row.content == VOICE_MAIL else Side.UNKNOWN)
        try:
            result = await self._transcribe(path, sides, row.stated_seconds)
        except (EngineCrashed, TranscriptionTimedOut) as error:
            log.warning("recogniser failed; trying once more", recording_id=recording_id, error=str(error))
            result = await self._transcribe(path, sides, row.stated_seconds)
        await self._keep(row, result)

    async def _transcribe(self, path: Path, sides: Sides, stated_seconds: float | None) -> TranscriptionResult:
        return await self.transcriber.transcribe(path, engine=self.engine, sides=sides, stated_seconds=stated_seconds)

    async def _keep(self, row: RecordingRow, result: TranscriptionResult) -> None:
        async with self.database.write() as session:
            await session.execute(delete(SegmentRow).where(SegmentRow.recording_id == row.id))
            session.add_all(
                _segment_row(row, number, segment) for number, segment in enumerate(result.transcript.segments)
            )
            await session.execute(
                update(RecordingRow)
                .where(RecordingRow.id == row.id)
                .values(
                    state=RecordingState.TRANSCRIBED,
                    error=None,
                    duration_ms=result.duration_ms,
                    peaks=_peaks(result.sides),
                    peaks_per_second=PEAKS_PER_SECOND,
                    warnings=list(result.warnings),
                    transcribed_at=self.clock.now(),
                )
            )

    async def open_ticket(self, recording_id: str) -> None:
        """Understands the transcript and opens the call's ticket, or joins it to the open one; then its language."""
        async with self.database.read() as session:
            row = await session.get_one(RecordingRow, recording_id)
            call = await session.get_one(CallRow, row.call_id)
            found = await session.execute(
                select(SegmentRow).where(SegmentRow.recording_id == recording_id).order_by(SegmentRow.number)
            )
            transcript = transcript_of(list(found.scalars()), row.duration_ms or 0)
        draft = await self._reader.draft(self.database, call, transcript)
        await self._open(row.call_id, transcript, draft, failure=None)
        if self.language is not None:
            await self.language.check(self.database, row.call_id, now=self.clock.now())

    @property
    def _reader(self) -> CallReader:
        return CallReader(
            zone=self.zone,
            register=self.register,
            wording=self.wording,
            area_code=self.area_code,
            menu_choices=self.menu_choices,
        )

    async def give_up(self, recording_id: str, reason: str) -> None:
        """Marks the recording as failed and opens a ticket that says that it must be listened to.

        Where the call was heard live to its end, those words stand in for the recording's.
        """
        log.error("recording not transcribed", recording_id=recording_id, reason=reason)
        async with self.database.write() as session:
            row = await session.get_one(RecordingRow, recording_id)
            if row.state != RecordingState.TRANSCRIBED:
                row.state = RecordingState.FAILED
                row.error = reason
            call = await session.get_one(CallRow, row.call_id)
            transcript = await heard_to_the_end(session, row.call_id)
        draft = TicketDraft(must_listen=True)
        if transcript is not None:
            draft = await self._reader.draft(self.database, call, transcript)
        await self._open(call.id, transcript, draft, failure=reason)

    async def _open(
        self, call_id: str, transcript: Transcript | None, draft: TicketDraft, *, failure: str | None
    ) -> None:
        async with self.database.write() as session:
            call = await session.get_one(CallRow, call_id)
            opened = await open_ticket(
                session,
                call=call,
                transcript=transcript,
                draft=draft,
                now=self.clock.now(),
                rules=self.rules,
                failure=failure,
            )
        log.info("ticket opened", call_id=call_id, ticket=opened.number, joined=opened.joined)

    async def _recording(self, recording_id: str) -> RecordingRow:
        async with self.database.read() as session:
            row = await session.get(RecordingRow, recording_id)
        if row is None:
            raise UnknownRecording(recording_id)
        return row


def reason_of(error: Exception) -> str:
    """What a reviewer reads on the ticket."""
    if isinstance(error, SpeechError | RecordingRejected):
        return str(error)
    return f"{type(error).__name__}: {error}"


class Priority(IntEnum):
    """Which waiting recording is transcribed first: what was said to nobody yet, then what an agent has heard."""

    VOICE_MAIL = 1
    CONVERSATION = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingRecording:
    """A recording that waits for its job number `job_number`."""

    id: str
    job_number: int
    priority: Priority


async def pending_recordings(database: Database, limit: int = 50) -> Sequence[PendingRecording]:
    """The first that wait for a job, by priority and age."""
    priority = case((RecordingRow.content == VOICE_MAIL, Priority.VOICE_MAIL.value), else_=Priority.CONVERSATION.value)
    async with database.read() as session:
        found = await session.execute(
            select(RecordingRow.id, RecordingRow.job_number, priority)
            .where(RecordingRow.state == RecordingState.PENDING)
            .order_by(priority, RecordingRow.ready_at, RecordingRow.id)
            .limit(limit)
        )
        return [PendingRecording(id=id_, job_number=job, priority=Priority(rank)) for id_, job, rank in found]


async def unfinished_recordings(database: Database) -> Sequence[tuple[str, int, bool]]:
    """Recordings without an end or a ticket: (id, number of the job, whether the job was begun)."""
    link = select(TicketCallRow.call_id).where(TicketCallRow.call_id == RecordingRow.call_id)
    ticketed = link.where(TicketCallRow.heard_live.is_(False)).exists()
    async with database.read() as session:
        found = await session.execute(
            select(RecordingRow.id, RecordingRow.job_number, RecordingRow.state).where(
                or_(
                    RecordingRow.state.in_((RecordingState.PENDING, RecordingState.RUNNING)),
                    and_(RecordingRow.state == RecordingState.TRANSCRIBED, ~ticketed),
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


def _segment_row(row: RecordingRow, number: int, segment: Segment) -> SegmentRow:
    return SegmentRow(
        recording_id=row.id,
        number=number,
        call_id=row.call_id,
        side=segment.side.value,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        text=segment.text,
        words=[[word.text, word.start_ms, word.end_ms, round(word.confidence, 3)] for word in segment.words],
        alternatives=list(segment.alternatives),
    )


def _peaks(sides: Sequence[SideReport]) -> dict[str, list[int]]:
    return {side.side.value: list(side.peaks) for side in sides}


def _file_name(provider: str, recording_id: str) -> str:
    """A provider's id made safe as a file name."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in recording_id)
    return f"{provider}-{safe[:80]}"
