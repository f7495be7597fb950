"""From a recording that is ready to the ticket that it makes: fetch, transcribe, understand, open.

Each step may be repeated: a step that has been done changes nothing. Whatever fails for good, the ticket is opened
all the same and says that the call must be listened to.
"""

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, select, update

from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import EngineCrashed, SpeechError, TranscriptionTimedOut
from callcenter.asr.result import SideReport, Sides, TranscriptionResult
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import IMPORTED, RecordingRow, RecordingState, SegmentRow
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
from callcenter.services.waiting_recordings import Priority

log = structlog.get_logger()

MOST_ATTEMPTS = 3
PEAKS_PER_SECOND = 20


class Transcribes(Protocol):
    """The speech service, as this use case needs it."""

    async def transcribe(
        self, path: Path, *, engine: EngineSettings, sides: Sides, stated_seconds: float | None = None, rank: int = 0
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
    own_words: tuple[str, ...] = ()
    engines_of_numbers: Mapping[str, EngineSettings] = field(default_factory=dict)
    """Hotline numbers whose callers are heard by another model than `engine`."""

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
        if row.content == IMPORTED:
            await self._look_for_import(row)
            return
        if row.path is not None and await asyncio.to_thread(target.exists):
            return
        fetched = await self.fetcher.fetch(provider=row.provider, url=row.url, channels=row.channels, target=target)
        async with self.database.write() as session:
            await session.execute(
                update(RecordingRow)
                .where(RecordingRow.id == recording_id)
                .values(path=relative, size_bytes=fetched.size_bytes)
            )

    async def _look_for_import(self, row: RecordingRow) -> None:
        if row.path is None or not await asyncio.to_thread((self.recordings_dir / row.path).is_file):
            raise RecordingRejected("the imported file is no longer among the recordings: import its folder again")

    async def transcribe(self, recording_id: str, *, rank: int = Priority.CONVERSATION) -> None:
        """Raises SpeechError. A crash or a time-out of the recogniser is tried once more."""
        row = await self._recording(recording_id)
        if row.path is None:
            raise RecordingRejected("the recording was never fetched")
        path = self.recordings_dir / row.path
        transcribe = functools.partial(
            self.transcriber.transcribe,
            path,
            engine=await self._engine_of(row.call_id),
            sides=_sides(row),
            stated_seconds=row.stated_seconds,
            rank=Priority.IMPORT.value if row.content == IMPORTED else rank,
        )
        try:
            result = await transcribe()
        except (EngineCrashed, TranscriptionTimedOut) as error:
            log.warning("recogniser failed; trying once more", recording_id=recording_id, error=str(error))
            result = await transcribe()
        await self._keep(row, result)

    async def _engine_of(self, call_id: str) -> EngineSettings:
        """The engine of the hotline number that was called: its callers may speak another language."""
        if not self.engines_of_numbers:
            return self.engine
        async with self.database.read() as session:
            number = await session.scalar(select(CallRow.to_number).where(CallRow.id == call_id))
        return self.engines_of_numbers.get(number or "", self.engine)

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
                    silence_ms=result.talk.silence_ms,
                    longest_silence_ms=result.talk.longest_silence_ms,
                    cross_talk_ms=result.talk.cross_talk_ms,
                    warnings=list(result.warnings),
                    transcribed_at=self.clock.now(),
                )
            )

    async def open_ticket(self, recording_id: str) -> None:
        """Understands the transcript and opens the call's ticket, or joins it to the open one; then its language.

        An imported recording makes none: what was asked for years ago must not be promised now.
        """
        async with self.database.read() as session:
            row = await session.get_one(RecordingRow, recording_id)
            if row.content == IMPORTED:
                return
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
            own_words=self.own_words,
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
            if row.content == IMPORTED:
                return
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


def _sides(row: RecordingRow) -> Sides:
    if row.content == IMPORTED:
        return "any"
    return "stereo" if row.channels > 1 else (Side.RESIDENT if row.content == VOICE_MAIL else Side.UNKNOWN)


def _peaks(sides: Sequence[SideReport]) -> dict[str, list[int]]:
    return {side.side.value: list(side.peaks) for side in sides}


def _file_name(provider: str, recording_id: str) -> str:
    """A provider's id made safe as a file name."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in recording_id)
    return f"{provider}-{safe[:80]}"
