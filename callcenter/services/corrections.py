"""What agents corrected and confirmed, as a labelled set: calls with what a right draft would have said of them.

A row holds a resident's words, so the file is personal data; each row names the parts that are.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import PLACE_COLUMNS, UnreadableField, read_place, read_wanted
from callcenter.domain.tickets import Place
from callcenter.domain.transcript import Side
from callcenter.domain.understanding.labels import SLOTS
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_fields import BY_A_PERSON

SIDES = {Side.AGENT.value: "客服", Side.RESIDENT.value: "住户"}
SINGLE = {"request_type": "type", "category": "category", "urgency": "urgency", "responsibility": "responsibility"}
PERSONAL = frozenset({"text", "contact", "phone", *PLACE_COLUMNS})
_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectedCall:
    """One line of the export; `by` says of each slot whether a person corrected or confirmed it."""

    text: str
    expect: dict[str, Any]
    by: dict[str, str]
    heard_at: str
    ticket: str
    call_id: str
    personal: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"personal": list(self.personal)}


async def corrected_calls(
    database: Database, *, since: datetime | None, rules: FollowUpRules
) -> AsyncIterator[CorrectedCall]:
    """The first call of each ticket whose fields a person has looked at since then, the oldest ticket first."""
    last = 0
    while True:
        async with database.read() as session:
            tickets = await _tickets(session, after=last, since=since)
            found = [row for ticket in tickets if (row := await corrected_of(session, ticket, rules)) is not None]
        for row in found:
            yield row
        if len(tickets) < _AT_ONCE:
            return
        last = tickets[-1].id


async def _tickets(session: AsyncSession, *, after: int, since: datetime | None) -> Sequence[TicketRow]:
    looked_at = select(TicketFieldRow.ticket_id).where(TicketFieldRow.state.in_(sorted(BY_A_PERSON)))
    if since is not None:
        looked_at = looked_at.where(TicketFieldRow.corrected_at >= since)
    query = select(TicketRow).where(TicketRow.id > after, TicketRow.id.in_(looked_at), TicketRow.part_of.is_(None))
    return (await session.scalars(query.order_by(TicketRow.id).limit(_AT_ONCE))).all()


async def corrected_of(session: AsyncSession, ticket: TicketRow, rules: FollowUpRules) -> CorrectedCall | None:
    """None where nobody has looked at any field that its first call says something of."""
    text = await _text(session, ticket.first_call_id)
    rows = await session.scalars(select(TicketFieldRow).where(TicketFieldRow.ticket_id == ticket.id))
    expect: dict[str, Any] = {}
    by: dict[str, str] = {}
    for row in rows.all():
        if row.state in BY_A_PERSON and _is_of_call(row, ticket.first_call_id):
            slots = _slots(row, rules)
            expect |= slots
            by |= dict.fromkeys(slots, row.state)
    if not text or not expect:
        return None
    call = await session.get_one(CallRow, ticket.first_call_id)
    return CorrectedCall(
        text=text,
        expect={slot: expect[slot] for slot in SLOTS if slot in expect},
        by={slot: by[slot] for slot in SLOTS if slot in by},
        heard_at=(call.answered_at or call.started_at).astimezone(rules.zone).isoformat(),
        ticket=ticket.number,
        call_id=ticket.first_call_id,
        personal=tuple(sorted(PERSONAL & {"text", *expect})),
    )


def _is_of_call(row: TicketFieldRow, call_id: str) -> bool:
    """Heard on this call, or on none: a value that a later call brought says nothing about this one."""
    return all(one.get("call_id") in (call_id, None) for one in row.evidence)


async def _text(session: AsyncSession, call_id: str) -> str:
    """The turns of a call as the rules read them; a passage that a person put right counts as they wrote it."""
    recording = await session.scalar(
        select(RecordingRow.id)
        .where(RecordingRow.call_id == call_id, RecordingRow.state == RecordingState.TRANSCRIBED)
        .order_by(RecordingRow.ready_at)
        .limit(1)
    )
    query = select(SegmentRow).where(SegmentRow.recording_id == recording)
    rows = (await session.scalars(query.order_by(SegmentRow.start_ms, SegmentRow.number))).all()
    return "\n".join(f"{SIDES.get(row.side, '住户')}：{row.corrected_text or row.text}" for row in rows)


def _slots(row: TicketFieldRow, rules: FollowUpRules) -> Mapping[str, Any]:
    """What a field says in the slots of the set; nothing where its text cannot be read."""
    if row.field in SINGLE:
        return {SINGLE[row.field]: row.value}
    if row.field in ("contact", "phone"):
        return {row.field: row.value}
    try:
        if row.field == "place":
            return _place(row)
        if row.field == "wanted":
            wanted = read_wanted(row.value or "", rules.zone)
            return {"from": _iso(wanted.start), "to": _iso(wanted.end)}
    except UnreadableField:
        return {}
    return {}


def _place(row: TicketFieldRow) -> dict[str, str | None]:
    """The parts that were heard or that a person gave: one that only was heard must not be asserted."""
    given = read_place(row.value) if row.value else Place()
    heard = _read(row.heard)
    return {part: getattr(given, part) for part in PLACE_COLUMNS if getattr(given, part) or getattr(heard, part, None)}


def _read(text: str | None) -> Place:
    try:
        return read_place(text) if text else Place()
    except UnreadableField:
        return Place()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
