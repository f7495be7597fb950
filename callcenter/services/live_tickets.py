"""Tickets from what is heard while a call goes on: of an emergency at once, of any other call when it is over.

Whatever comes first, these or the recording's, a call has one ticket; what was promised is planned only when the
recording has been heard, or when there will be none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow, LiveState
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.tickets import TicketCallRow
from callcenter.domain.calls import Direction
from callcenter.domain.heard_fields import HeardField, heard_fields
from callcenter.domain.rings import Disposition
from callcenter.domain.tickets import TicketDraft
from callcenter.domain.transcript import Transcript
from callcenter.ports import Clock
from callcenter.services.close_gaps import RECORDING_MINUTES
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_words import live_transcript
from callcenter.services.open_ticket import OpenedTicket, open_ticket
from callcenter.services.understand_call import CallReader

log = structlog.get_logger()

TALKED = (Disposition.ANSWERED.value, Disposition.VOICE_MAIL.value)
A_ROUND = 50
FORGOTTEN_AFTER = timedelta(minutes=1)
"""A stream still running so long after its call's end was a server's that died: its words are not the whole call's."""


@dataclass(frozen=True, kw_only=True)
class LiveTickets:
    """The use case with everything it needs."""

    database: Database
    clock: Clock
    rules: FollowUpRules
    reader: CallReader

    async def alarm(self, call_id: str, transcript: Transcript) -> OpenedTicket | None:
        """An emergency was heard on a call that goes on: its ticket, whose time on site runs from now.

        Again with more words: puts the ticket right. None where the call's events are not folded yet.
        """
        async with self.database.read() as session:
            call = await session.get(CallRow, call_id)
        if call is None:
            return None
        draft = await self.reader.draft(self.database, call, transcript)
        async with self.database.write() as session:
            now = self.clock.now()
            opened = await self._open(session, call_id, transcript, draft, counts_from=now)
            first = await session.execute(
                update(LiveCallRow)
                .where(LiveCallRow.call_id == call_id, LiveCallRow.emergency_at.is_(None))
                .values(emergency_at=now)
                .returning(LiveCallRow.call_id)
            )
            is_first = first.first() is not None
        if is_first:
            log.warning("emergency heard while the call goes on", call_id=call_id, ticket=opened.number)
        return opened

    async def heard_so_far(self, call_id: str, transcript: Transcript) -> tuple[HeardField, ...]:
        """What a ticket would say if the call ended here; empty where the call's events are not folded yet."""
        async with self.database.read() as session:
            call = await session.get(CallRow, call_id)
        if call is None or transcript.is_empty:
            return ()
        draft = await self.reader.draft(self.database, call, transcript)
        return heard_fields(draft, zone=self.rules.zone)

    async def take(self, call_id: str, transcript: Transcript) -> OpenedTicket | None:
        """The agent takes it up while the call goes on: its ticket now, from what was said so far.

        The rest of the call and its recording put right what no person has touched. None where nothing was said or
        the call's events are not folded yet.
        """
        async with self.database.read() as session:
            call = await session.get(CallRow, call_id)
        if call is None or transcript.is_empty:
            return None
        draft = await self.reader.draft(self.database, call, transcript)
        async with self.database.write() as session:
            opened = await self._open(session, call_id, transcript, draft)
        log.info("ticket taken up while the call goes on", call_id=call_id, ticket=opened.number)
        return opened

    async def open(self, call_id: str) -> OpenedTicket | None:
        """The call's stream is over: its ticket, or None where it has none or has to wait for the call's events."""
        async with self.database.read() as session:
            live = await session.get(LiveCallRow, call_id)
            call = await session.get(CallRow, call_id)
            transcript = await live_transcript(session, call_id)
        if (
            call is None
            or live is None
            or live.settled_at is not None
            or live.state not in (LiveState.ENDED, LiveState.BROKEN)
        ):
            return None
        has_talk = call.direction == Direction.INBOUND and call.disposition in TALKED and not transcript.is_empty
        is_over = call.ended_at is not None or live.state == LiveState.ENDED
        if not (has_talk and is_over) and not live.emergency_at:
            if call.ended_at is not None:
                await self._settle(call_id)
            return None
        draft = await self.reader.draft(self.database, call, transcript)
        async with self.database.write() as session:
            opened = await self._open(session, call_id, transcript, draft)
            await self._mark(session, call_id)
        log.info("ticket opened from live words", call_id=call_id, ticket=opened.number, joined=opened.joined)
        return opened

    async def tick(self) -> int:
        """What was left behind: streams whose call's end came later, servers that died, recordings that never came."""
        now = self.clock.now()
        waiting = await self._waiting(now)
        for call_id in waiting:
            await self.open(call_id)
        unrecorded = await self._without_recording(now)
        for call_id in unrecorded:
            await self._do_without_recording(call_id)
        return len(waiting) + len(unrecorded)

    async def _open(
        self,
        session: AsyncSession,
        call_id: str,
        transcript: Transcript,
        draft: TicketDraft,
        *,
        counts_from: datetime | None = None,
        without_recording: str | None = None,
    ) -> OpenedTicket:
        call = await session.get_one(CallRow, call_id)
        return await open_ticket(
            session,
            call=call,
            transcript=transcript,
            draft=draft,
            now=self.clock.now(),
            rules=self.rules,
            heard_live=without_recording is None,
            failure=without_recording,
            counts_from=counts_from,
        )

    async def _settle(self, call_id: str) -> None:
        async with self.database.write() as session:
            await self._mark(session, call_id)

    async def _mark(self, session: AsyncSession, call_id: str) -> None:
        await session.execute(
            update(LiveCallRow).where(LiveCallRow.call_id == call_id).values(settled_at=self.clock.now())
        )

    async def _waiting(self, now: datetime) -> Sequence[str]:
        """Streams that are over without a ticket; first those that nobody hears any more are called lost."""
        query = (
            select(LiveCallRow.call_id, LiveCallRow.state)
            .join(CallRow, CallRow.id == LiveCallRow.call_id)
            .where(
                LiveCallRow.settled_at.is_(None),
                CallRow.ended_at.is_not(None),
                or_(LiveCallRow.state != LiveState.RUNNING.value, CallRow.ended_at < now - FORGOTTEN_AFTER),
            )
            .limit(A_ROUND)
        )
        async with self.database.read() as session:
            found = (await session.execute(query)).all()
        forgotten = [row.call_id for row in found if row.state == LiveState.RUNNING]
        if forgotten:
            async with self.database.write() as session:
                await session.execute(
                    update(LiveCallRow)
                    .where(LiveCallRow.call_id.in_(forgotten), LiveCallRow.state == LiveState.RUNNING.value)
                    .values(state=LiveState.LOST.value, reason="server_died", ended_at=now, settled_at=now)
                )
        return [row.call_id for row in found if row.state != LiveState.RUNNING]

    async def _without_recording(self, now: datetime) -> Sequence[str]:
        recorded = select(RecordingRow.id).where(
            RecordingRow.call_id == CallRow.id, RecordingRow.state != RecordingState.FAILED
        )
        query = (
            select(TicketCallRow.call_id)
            .join(CallRow, CallRow.id == TicketCallRow.call_id)
            .where(
                TicketCallRow.heard_live.is_(True),
                CallRow.ended_at < now - timedelta(minutes=RECORDING_MINUTES),
                ~recorded.exists(),
            )
            .limit(A_ROUND)
        )
        async with self.database.read() as session:
            return (await session.scalars(query)).all()

    async def _do_without_recording(self, call_id: str) -> None:
        async with self.database.read() as session:
            call = await session.get_one(CallRow, call_id)
            transcript = await live_transcript(session, call_id)
        draft = await self.reader.draft(self.database, call, transcript)
        async with self.database.write() as session:
            reason = "没有收到录音，工单只依据实时文字，请人工核实"
            opened = await self._open(session, call_id, transcript, draft, without_recording=reason)
        log.warning("ticket stays as heard live: no recording came", call_id=call_id, ticket=opened.number)
