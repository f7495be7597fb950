"""Checks the agent's side of a transcribed call, and keeps what was found; what people said about it stays."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.service_language import (
    CheckContext,
    Finding,
    LanguageCheck,
    LanguageRuleFile,
    LanguageRules,
    check_language,
)
from callcenter.domain.tickets import RequestType
from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.rules_files import RuleFolder, default_rules
from callcenter.services.transcripts import transcript_of

log = structlog.get_logger()

SAME_PLACE_MS = 2000
"""A finding of the same kind so near to an old one is the old one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckableCall:
    """A call with its two sides apart, as the checks need it."""

    call: CallRow
    transcript: Transcript
    is_complaint: bool


@dataclass(frozen=True, kw_only=True)
class LanguageChecker:
    """The use case; the rules are looked up anew for each call."""

    zone: ZoneInfo
    company: str = ""
    wording: RuleFolder = field(default_factory=RuleFolder)
    rule_file: LanguageRuleFile = field(default_factory=LanguageRuleFile)

    async def check(self, database: Database, call_id: str, *, now: datetime) -> bool:
        """Checks a call by the rules as they stand. False where it cannot be checked: one channel, or no recording."""
        async with database.read() as session:
            found = await checkable_calls(session, [call_id])
        if not found:
            return False
        rules = await asyncio.to_thread(self.rules)
        checked = await asyncio.to_thread(self.checked, found[0], rules)
        if checked is None:
            return False
        async with database.write() as session:
            await _keep(session, found[0].call, checked, now=now)
        return True

    def rules(self) -> LanguageRules:
        """A mistake in an operator's file never stops a call; it is logged."""
        rules = self.rule_file.current()
        if self.rule_file.problem is not None:
            log.error("rule file not taken; going on with the rules before it", problem=str(self.rule_file.problem))
        return rules

    def checked(self, call: CheckableCall, rules: LanguageRules) -> LanguageCheck | None:
        context = CheckContext(
            heard_at=(call.call.answered_at or call.call.started_at).astimezone(self.zone),
            understanding=self._surnames(),
            is_complaint=call.is_complaint,
            company=self.company,
        )
        return check_language(call.transcript, rules=rules, context=context)

    def _surnames(self) -> Rules:
        try:
            return self.wording.current()
        except RuleFileError:
            return default_rules()


async def checkable_calls(session: AsyncSession, call_ids: Sequence[str]) -> list[CheckableCall]:
    """Answered calls of residents whose conversation was recorded in two channels and transcribed."""
    recordings = select(RecordingRow).where(
        RecordingRow.call_id.in_(call_ids),
        RecordingRow.state == RecordingState.TRANSCRIBED,
        RecordingRow.content == "conversation",
        RecordingRow.channels > 1,
    )
    by_call = {row.call_id: row for row in await session.scalars(recordings)}
    inbound = select(CallRow).where(CallRow.id.in_(by_call), CallRow.direction == "inbound")
    calls = (await session.scalars(inbound.order_by(CallRow.started_at))).all()
    said = select(SegmentRow).where(SegmentRow.recording_id.in_(row.id for row in by_call.values()))
    segments: dict[str, list[SegmentRow]] = {}
    for segment in await session.scalars(said.order_by(SegmentRow.recording_id, SegmentRow.number)):
        segments.setdefault(segment.recording_id, []).append(segment)
    complaints = set(await session.scalars(_complaints(list(by_call))))
    return [
        CheckableCall(
            call=call,
            transcript=transcript_of(segments.get(by_call[call.id].id, []), by_call[call.id].duration_ms or 0),
            is_complaint=call.id in complaints,
        )
        for call in calls
    ]


def _complaints(call_ids: Sequence[str]) -> Select[str]:
    linked = select(TicketCallRow.call_id).join(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
    return linked.where(TicketCallRow.call_id.in_(call_ids), TicketRow.request_type == RequestType.COMPLAINT)


async def _keep(session: AsyncSession, call: CallRow, checked: LanguageCheck, *, now: datetime) -> None:
    measures = checked.measures
    await session.merge(
        LanguageCheckRow(
            call_id=call.id,
            agent=call.answered_by,
            heard_at=call.started_at,
            checked_at=now,
            rules_version=checked.rules_version,
            judged=dict(checked.judged),
            resident_ms=measures.resident_ms,
            agent_ms=measures.agent_ms,
            letters=measures.letters,
            interruptions=measures.interruptions,
            silences=measures.silences,
            longest_silence_ms=measures.longest_silence_ms,
        )
    )
    known = await session.scalars(
        select(LanguageFindingRow).where(LanguageFindingRow.call_id == call.id).with_for_update()
    )
    left = list(known)
    for finding in checked.findings:
        row = next((row for row in left if _is_same(row, finding)), None)
        if row is None:
            row = LanguageFindingRow(call_id=call.id, kind=finding.check, found_at=now)
            session.add(row)
        else:
            left.remove(row)
        row.words, row.start_ms, row.end_ms = finding.words, finding.start_ms, finding.end_ms
        row.amount, row.rules_version, row.gone_at = finding.amount, checked.rules_version, None
    for row in left:
        if row.contested_at or row.decided_at:
            row.gone_at = row.gone_at or now
    unspoken = [row.id for row in left if not (row.contested_at or row.decided_at)]
    await session.execute(delete(LanguageFindingRow).where(LanguageFindingRow.id.in_(unspoken)))


def _is_same(row: LanguageFindingRow, finding: Finding) -> bool:
    return row.kind == finding.check and abs(row.start_ms - finding.start_ms) <= SAME_PLACE_MS
