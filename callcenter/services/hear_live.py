"""A call heard while it goes on: words to the pages and into the database, danger to the alarm, a ticket at its end.

Nothing here may harm a call: whatever fails, the call loses its live words and its recording is transcribed as ever.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from callcenter.asr.live import Heard, Lost, Partial
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.db.live import LiveState
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.domain.understanding.live_danger import PartialDanger, danger_words, is_emergency
from callcenter.ports import Clock, LiveAudio, LiveRefused, StreamReport
from callcenter.services.live_board import LiveBoard, LiveLine
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.live_words import begin_live_call, end_live_call, write_segments

log = structlog.get_logger()

SIDES = (Side.RESIDENT, Side.AGENT)
LOOKED_BACK = 8
"""Danger is told in one breath, or in a question and its answer: a long call is not read anew for each sentence."""
WRITTEN_EVERY_SECONDS = 2.0
TICKET_TRIES, TICKET_PAUSE_SECONDS = 20, 0.25
"""The call's own events may come a little later than the end of its stream; after that the tick looks."""


class Recogniser(Protocol):
    """One call at the speech service."""

    @property
    def is_lost(self) -> bool: ...

    def hear(self, audio: LiveAudio) -> None: ...

    async def finish(self) -> bool: ...

    def drop(self) -> None: ...


class Recognises(Protocol):
    """The live speech service, as this use case needs it."""

    def open(self, sides: Iterable[Side], take: Callable[[Heard], None]) -> Recogniser: ...


@dataclass(kw_only=True)
class HearLive:
    """Use as the port LiveListener."""

    database: Database
    recognisers: Recognises
    board: LiveBoard
    tickets: LiveTickets
    clock: Clock
    other_numbers: frozenset[str] = frozenset()
    """Hotline numbers whose callers speak a language that these recognisers do not know: their recordings are heard."""

    async def begin(self, call_id: str, *, provider: str, stream_id: str) -> "HeardCall":
        """Raises LiveRefused."""
        call = HeardCall(call_id, database=self.database, board=self.board, tickets=self.tickets, clock=self.clock)
        recogniser: Recogniser | None = None
        refused: str | None = None
        try:
            started = await self._first_event(call_id)
            if started is None:
                raise LiveRefused("unknown_call")
            if started.data.get("to") in self.other_numbers:
                refused = "other_language"
            else:
                try:
                    recogniser = self.recognisers.open(SIDES, call.take)
                except LiveRefused as error:
                    refused = str(error)
            is_first = await self._write_down(call_id, provider, stream_id, refused)
        except (SQLAlchemyError, OSError) as error:
            log.warning("a stream cannot be taken without the database", call_id=call_id, error=repr(error))
            is_first, refused = False, "database_away"
        if recogniser is None or not is_first:
            if recogniser is not None:
                recogniser.drop()
            if is_first:
                self.board.begin(call_id)
                self.board.end(call_id, LiveState.REFUSED, refused)
            raise LiveRefused(refused or "second_stream")
        self.board.begin(call_id)
        call.start(recogniser)
        return call

    async def _write_down(self, call_id: str, provider: str, stream_id: str, refused: str | None) -> bool:
        """False where the call has, or had, a stream already."""
        now = self.clock.now()
        async with self.database.write() as session:
            return await begin_live_call(
                session, call_id, provider=provider, stream_id=stream_id, now=now, refused=refused
            )

    async def _first_event(self, call_id: str) -> CallEventRow | None:
        """It is stored before the provider is told to send us the call's sound."""
        async with self.database.read() as session:
            known = select(CallEventRow).where(CallEventRow.call_id == call_id)
            return await session.scalar(known.order_by(CallEventRow.id).limit(1))


class HeardCall:
    """The port LiveEar: one call. Words come in on the event loop and are worked on in a task of their own."""

    def __init__(
        self, call_id: str, *, database: Database, board: LiveBoard, tickets: LiveTickets, clock: Clock
    ) -> None:
        self._call_id = call_id
        self._database = database
        self._board = board
        self._tickets = tickets
        self._clock = clock
        self._recogniser: Recogniser | None = None
        self._words: asyncio.Queue[Segment | str | None] = asyncio.Queue()
        self._segments: list[Segment] = []
        self._written = 0
        self._written_at = 0.0
        self._lost: str | None = None
        self._emergency = False
        self._partial_danger = PartialDanger()
        self._work: asyncio.Task[None] | None = None

    def start(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._work = asyncio.create_task(self._work_on(), name=f"live words of {self._call_id}")

    @property
    def is_lost(self) -> bool:
        return self._lost is not None

    def hear(self, audio: LiveAudio) -> None:
        if self._recogniser is not None:
            self._recogniser.hear(audio)

    def take(self, heard: Heard) -> None:
        """What the recogniser has heard; on the event loop, so nothing here waits."""
        match heard:
            case Partial(side=side, text=text):
                self._board.partial(self._call_id, side, text)
                if side is Side.RESIDENT and not self._emergency:
                    self._words.put_nowait(text)
            case Segment():
                self._words.put_nowait(heard)
            case Lost(reason=reason):
                self._lost = reason
                self._board.end(self._call_id, LiveState.LOST, reason)
                log.error("live words lost; the recording is waited for", call_id=self._call_id, reason=reason)

    async def end(self, report: StreamReport) -> None:
        """Raises nothing: what fails here is left to the recording."""
        assert self._recogniser is not None
        assert self._work is not None
        await self._recogniser.finish()
        self._words.put_nowait(None)
        await asyncio.gather(self._work, return_exceptions=True)
        self._lost = self._lost or report.closed_for
        state = LiveState.LOST if self._lost else LiveState.ENDED if report.whole else LiveState.BROKEN
        try:
            await self._write()
            async with self._database.write() as session:
                await end_live_call(
                    session, self._call_id, state, report=report, reason=self._lost, now=self._clock.now()
                )
            self._board.end(self._call_id, state, self._lost)
            if state is LiveState.ENDED:
                await self._open_ticket()
        except (SQLAlchemyError, OSError) as error:
            log.warning("end of live words not stored; the recording is waited for", error=repr(error))

    async def _open_ticket(self) -> None:
        for _ in range(TICKET_TRIES):
            if await self._tickets.open(self._call_id) is not None:
                return
            if not self._segments:
                return
            await asyncio.sleep(TICKET_PAUSE_SECONDS)

    async def _work_on(self) -> None:
        """Everything in the order in which it was heard; several words that wait are written together."""
        while (word := await self._words.get()) is not None:
            try:
                await self._work_on_one(word)
            except (SQLAlchemyError, OSError) as error:
                log.warning("live words not stored yet", call_id=self._call_id, error=repr(error))
            except Exception:
                log.exception("live words failed; going on with the next ones", call_id=self._call_id)

    async def _work_on_one(self, word: Segment | str) -> None:
        rules = self._tickets.reader.rules()
        if isinstance(word, str):
            if not self._emergency and self._partial_danger.is_stable(word, rules):
                await self._look_for_danger(partial=word)
            return
        if word.side is Side.RESIDENT:
            self._partial_danger.forget()
        danger = danger_words(word.text, rules) if word.side is Side.RESIDENT else ()
        line = LiveLine(side=word.side, start_ms=word.start_ms, text=word.text, danger=danger, segment=word)
        self._board.line(self._call_id, line)
        self._segments.append(word)
        if self._emergency or word.side is Side.RESIDENT:
            await self._look_for_danger()
        if asyncio.get_running_loop().time() - self._written_at > WRITTEN_EVERY_SECONDS:
            await self._write()

    async def _write(self) -> None:
        fresh = [
            (self._call_id, number, self._segments[number]) for number in range(self._written, len(self._segments))
        ]
        if fresh:
            async with self._database.write() as session:
                await write_segments(session, fresh)
            self._written = len(self._segments)
        self._written_at = asyncio.get_running_loop().time()

    async def _look_for_danger(self, partial: str | None = None) -> None:
        """The alarm is raised once; what is said after it puts its ticket right (the place, the name)."""
        if not self._emergency:
            rules, lately = self._tickets.reader.rules(), self._transcript(partial, last=LOOKED_BACK)
            if not await asyncio.to_thread(is_emergency, lately, rules):
                return
        transcript = self._transcript(partial)
        if await self._tickets.alarm(self._call_id, transcript) is not None and not self._emergency:
            self._emergency = True
            self._board.emergency(self._call_id)

    def _transcript(self, partial: str | None, *, last: int | None = None) -> Transcript:
        """All that stands so far, or the last stretches of it, and the words that may still change."""
        end_ms = max((segment.end_ms for segment in self._segments), default=0)
        segments = self._segments[-last:] if last else list(self._segments)
        if partial is not None:
            segments.append(Segment(side=Side.RESIDENT, start_ms=end_ms, end_ms=end_ms, text=partial))
        return Transcript.of(segments, duration_ms=end_ms)
