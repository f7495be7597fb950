"""What a person makes of a ticket's fields: corrected, confirmed, and whether anything is left to review."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import (
    PLACE_COLUMNS,
    UnreadableField,
    missing_essentials,
    place_columns,
    read_place,
    read_wanted,
)
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.tickets import Place, RequestType, Responsibility, Urgency
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_fields import CONFIRMED, CORRECTED, UNSURE, fields_of

LONGEST = 500
FEWEST_DIGITS = 3

_CHOICES: Mapping[str, type[StrEnum]] = {
    "request_type": RequestType,
    "urgency": Urgency,
    "responsibility": Responsibility,
}


async def set_field(
    session: AsyncSession, ticket: TicketRow, field: str, value: str, *, actor: str, at: datetime, rules: FollowUpRules
) -> str | None:
    """Writes the value that a person gave; the one before it. Raises UnreadableField."""
    value = value.strip()
    columns = columns_of(field, value, rules)
    rows = await fields_of(session, ticket.id)
    row = rows.get(field)
    if row is None:
        row = TicketFieldRow(ticket_id=ticket.id, field=field, state=CORRECTED, confidence=1.0, evidence=[])
        session.add(row)
        rows[field] = row
    before, row.value = row.value, value or None
    row.state = CONFIRMED if value and value == row.heard else CORRECTED
    row.corrected_by, row.corrected_at = actor, at
    _apply(ticket, columns)
    ticket.needs_review = still_to_review(ticket, rows)
    return before


async def confirm_fields(
    session: AsyncSession, ticket: TicketRow, *, actor: str, at: datetime, rules: FollowUpRules
) -> list[str]:
    """Confirms every field as it was heard, unsure ones included; the names. What a person set stays as it is.

    An unsure promise is left as it is: the agent makes it anew, so that its time is the one that was meant.
    """
    confirmed = []
    for name, row in (await fields_of(session, ticket.id)).items():
        if row.state in (CONFIRMED, CORRECTED) or (row.state == UNSURE and name.startswith("promise.")):
            continue
        if row.state == UNSURE and row.heard is not None and "." not in name:
            _apply(ticket, columns_of(name, row.heard, rules))
        row.state, row.value = CONFIRMED, row.value or row.heard
        row.corrected_by, row.corrected_at = actor, at
        confirmed.append(name)
    return confirmed


def columns_of(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    """What a field's text sets on the ticket. Raises UnreadableField, also for a field that there is not."""
    reader = _READERS.get(field)
    if reader is None:
        raise UnreadableField(f"field {field!r}: there is no such field, or it cannot be corrected")
    if len(value) > LONGEST:
        raise UnreadableField(f"{field}: more than {LONGEST} characters")
    return reader(field, value, rules)


def _text(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    return {field: value or None}


def _choice(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    known = [choice.value for choice in _CHOICES[field]]
    if value and value not in known:
        raise UnreadableField(f"{field} {value!r}: use one of {', '.join(known)}")
    return {field: value or None}


def _phone(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    if value and sum(char.isdigit() for char in value) < FEWEST_DIGITS:
        raise UnreadableField(f"phone {value!r}: write it with digits, like 13912344471 or 0571-87654321")
    return {field: value or None}


def _place(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    return {**place_columns(read_place(value) if value else Place())}


def _wanted(field: str, value: str, rules: FollowUpRules) -> dict[str, Any]:
    wanted = read_wanted(value, rules.zone)
    return {"wanted_from": wanted.start, "wanted_to": wanted.end}


_Reader = Callable[[str, str, FollowUpRules], dict[str, Any]]
_READERS: Mapping[str, _Reader] = {
    "request_type": _choice,
    "urgency": _choice,
    "responsibility": _choice,
    "category": _text,
    "contact": _text,
    "summary": _text,
    "phone": _phone,
    "place": _place,
    "wanted": _wanted,
}


def _apply(ticket: TicketRow, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(ticket, name, value)


def still_to_review(ticket: TicketRow, rows: Mapping[str, TicketFieldRow]) -> bool:
    columns = {name: getattr(ticket, name) for name in ("request_type", "category", "phone", *PLACE_COLUMNS)}
    unsure = {name for name, row in rows.items() if row.state == UNSURE}
    has_number = dialable(ticket.caller_number) is not None
    return ticket.must_listen or bool(missing_essentials(columns, unsure, has_caller_number=has_number))
