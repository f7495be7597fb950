"""The words that agents put right, as a regression set: what was heard, what was said, and the slots of the ticket.

Each corrected passage stands in a row of its call. A row holds a resident's words: the file is personal data.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.services.corrections import SIDES, CorrectedCall, corrected_of
from callcenter.services.follow_up_rules import FollowUpRules

_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectedSpeech:
    """`segments`: all of the call as it was heard (the form of `evaluate understanding`); `passages`: what a person
    put right, [heard, said, other readings]; `expect` and `by` as in the set of corrected fields, where there are any.
    """

    text: str
    segments: list[list[Any]]
    passages: list[list[Any]]
    call_id: str
    expect: dict[str, Any] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    heard_at: str | None = None
    personal: tuple[str, ...] = ("text", "segments", "passages", "expect")

    def as_json(self) -> dict[str, Any]:
        told = asdict(self) | {"personal": list(self.personal)}
        return {name: value for name, value in told.items() if value is not None}


async def corrected_speech(
    database: Database, *, since: datetime | None, rules: FollowUpRules
) -> AsyncIterator[CorrectedSpeech]:
    """Every recording with a passage that a person has put right since then, in the order of their ids."""
    last = ""
    while True:
        query = (
            select(SegmentRow.recording_id)
            .where(SegmentRow.corrected_text.is_not(None), SegmentRow.recording_id > last)
            .distinct()
            .order_by(SegmentRow.recording_id)
            .limit(_AT_ONCE)
        )
        if since is not None:
            lately = select(AuditRow.subject).where(AuditRow.action == "transcript_corrected", AuditRow.at >= since)
            query = query.where(("call:" + SegmentRow.call_id).in_(lately))
        async with database.read() as session:
            found = list(await session.scalars(query))
        for recording_id in found:
            yield await _corrected(database, recording_id, rules)
        if len(found) < _AT_ONCE:
            return
        last = found[-1]


async def _corrected(database: Database, recording_id: str, rules: FollowUpRules) -> CorrectedSpeech:
    query = select(SegmentRow).where(SegmentRow.recording_id == recording_id)
    async with database.read() as session:
        rows = (await session.scalars(query.order_by(SegmentRow.start_ms, SegmentRow.number))).all()
        call_id = rows[0].call_id
        ticket = await session.scalar(
            select(TicketRow)
            .join(TicketCallRow, TicketCallRow.ticket_id == TicketRow.id)
            .where(TicketCallRow.call_id == call_id, TicketRow.first_call_id == call_id)
            .order_by(TicketRow.id)
            .limit(1)
        )
        fields: CorrectedCall | None = await corrected_of(session, ticket, rules) if ticket is not None else None
    return CorrectedSpeech(
        text="\n".join(f"{SIDES.get(row.side, '住户')}：{row.corrected_text or row.text}" for row in rows),
        segments=[[row.side, row.start_ms, row.end_ms, row.text, row.words, row.alternatives] for row in rows],
        passages=[[row.text, row.corrected_text, row.alternatives] for row in rows if row.corrected_text],
        call_id=call_id,
        expect=fields.expect if fields is not None else {},
        by=fields.by if fields is not None else {},
        heard_at=fields.heard_at if fields is not None else None,
    )
