"""A ticket whose call was heard live is put right by what is heard better: later on the call, or on its recording.

What a person has set or confirmed stays, and so does what another call brought. An emergency that was heard is not
taken back by a machine: a person says that it is none.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import PLACE_COLUMNS, HeardField, may_be_emergency
from callcenter.domain.ticket_life import HistoryAction, TicketStatus, higher
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services.correct_field import still_to_review
from callcenter.services.deadlines import refresh_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_fields import BY_A_PERSON, field_row, fields_of
from callcenter.services.ticket_history import write_history

_COLUMNS = {"place": PLACE_COLUMNS, "wanted": ("wanted_from", "wanted_to")}
_SIMPLE = ("request_type", "urgency", "responsibility", "contact", "phone", "summary", "category")


async def hear_again(
    session: AsyncSession,
    ticket: TicketRow,
    call: CallRow,
    fields: Iterable[HeardField],
    *,
    must_listen: str | None,
    now: datetime,
    rules: FollowUpRules,
) -> list[str]:
    """Sets what this call says anew; the names of the fields that changed. `must_listen` says why, or is None."""
    fields = tuple(fields)
    before = (ticket.owner, ticket.must_listen_reason, ticket.status)
    changed = await _set_fields(session, ticket, call, fields, rules.threshold)
    await session.flush()
    ticket.owner = ticket.owner or call.answered_by
    ticket.must_listen, ticket.must_listen_reason = must_listen is not None, must_listen
    rows = await fields_of(session, ticket.id)
    kept_emergency = Urgency.EMERGENCY in (ticket.urgency, ticket.request_type) and not _said_now(fields)
    unsure = may_be_emergency(fields, rules.threshold)
    ticket.needs_review = still_to_review(ticket, rows) or unsure or kept_emergency
    if changed or (ticket.owner, ticket.must_listen_reason, ticket.status) != before:
        ticket.updated_at, ticket.version = now, ticket.version + 1
    await refresh_deadlines(session, ticket, now=now, rules=rules)
    return changed


async def heard_on_the_recording(
    session: AsyncSession, ticket: TicketRow, call: CallRow, changed: list[str], *, now: datetime
) -> None:
    """The last word on what the call was: praise alone needs nothing more, as if it had never been heard live."""
    rows = await fields_of(session, ticket.id)
    touched = any(row.state in BY_A_PERSON for row in rows.values())
    promised = any(name.startswith("promise.") for name in rows)
    if ticket.request_type == RequestType.PRAISE and ticket.status == TicketStatus.OPEN and not (touched or promised):
        ticket.status, ticket.closed_at = TicketStatus.CLOSED.value, now
        ticket.no_action_reason = RequestType.PRAISE.value
    ticket.updated_at, ticket.version = now, ticket.version + 1
    data = {"text": "录音转写完，已按录音核对实时文字开出的工单", "call_id": call.id, "changed": changed}
    write_history(session, ticket.id, HistoryAction.NOTE, at=now, data=data)


async def _set_fields(
    session: AsyncSession, ticket: TicketRow, call: CallRow, fields: tuple[HeardField, ...], threshold: float
) -> list[str]:
    rows = await fields_of(session, ticket.id)
    own = {name for name, row in rows.items() if row.state not in BY_A_PERSON and _is_from(row, call.id)}
    heard = {field.name for field in fields}
    changed = []
    for name in sorted(own - heard):
        if not _is_emergency(rows[name]):
            await session.delete(rows[name])
            _empty(ticket, name)
            changed.append(name)
    for field in fields:
        row = rows.get(field.name)
        if row is not None and (field.name not in own or (_is_emergency(row) and field.text != Urgency.EMERGENCY)):
            continue
        wanted = field_row(ticket.id, field, call_id=call.id, threshold=threshold)
        if row is None or (row.value, row.heard, row.state) != (wanted.value, wanted.heard, wanted.state):
            changed.append(field.name)
        _write_columns(ticket, field, is_sure=field.confidence >= threshold)
        await session.merge(wanted)
    return changed


def _write_columns(ticket: TicketRow, field: HeardField, *, is_sure: bool) -> None:
    for name, value in field.columns.items():
        if name == "urgency" and ticket.call_count > 1 and ticket.urgency is not None:
            value = higher(Urgency(ticket.urgency), Urgency(value) if is_sure else None).value
            setattr(ticket, name, value)
        else:
            setattr(ticket, name, value if is_sure else None)


def _empty(ticket: TicketRow, field: str) -> None:
    for name in _COLUMNS.get(field, (field,) if field in _SIMPLE else ()):
        setattr(ticket, name, None)


def _is_from(row: TicketFieldRow, call_id: str) -> bool:
    """Heard on this call, or derived from no words at all (a key of the menu, a known number)."""
    return all(one.get("call_id") in (call_id, None) for one in row.evidence)


def _is_emergency(row: TicketFieldRow) -> bool:
    return row.field in ("urgency", "request_type") and row.heard == Urgency.EMERGENCY.value


def _said_now(fields: tuple[HeardField, ...]) -> bool:
    return any(field.name in ("urgency", "request_type") and field.text == Urgency.EMERGENCY.value for field in fields)
