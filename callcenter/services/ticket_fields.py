"""Writes what was heard on a call into a ticket: its columns and the record of where each value came from."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import HeardField, written_problem
from callcenter.domain.tickets import Found, TicketDraft
from callcenter.services.evidence import evidence_rows

HEARD, UNSURE, CONFIRMED, CORRECTED = "heard", "unsure", "confirmed", "corrected"
BY_A_PERSON = frozenset({CONFIRMED, CORRECTED})
ONCE_A_CALL = (
    *("promise.", "category.", "urgency", "summary", "request_type"),
    *("amount.", "demand.", "problem.", "consent.", "call."),
)
"""Of the first call only: a repeat call has its own type, tone and promises."""


def field_row(ticket_id: int, field: HeardField, *, call_id: str, threshold: float) -> TicketFieldRow:
    sure = field.confidence >= threshold
    return TicketFieldRow(
        ticket_id=ticket_id,
        field=field.name,
        state=HEARD if sure else UNSURE,
        heard=field.text,
        value=field.text if sure else None,
        confidence=field.confidence,
        read_back=field.read_back,
        evidence=evidence_rows(field.evidence, call_id),
    )


def detail_fields(draft: TicketDraft, threshold: float) -> Iterator[HeardField]:
    """What has no column of its own: amounts, demands, further problems, leave to call. Sure values only."""
    texts: list[tuple[str, Found[Any], str]] = [
        *((f"amount.{n}", found, found.value.text) for n, found in enumerate(draft.amounts, 1)),
        *((f"demand.{n}", found, found.value) for n, found in enumerate(draft.demands, 1)),
        *((f"problem.{n}", found, written_problem(found.value)) for n, found in enumerate(draft.problems, 1)),
        *(
            (f"consent.{n}", found, f"{found.value.asked} {'yes' if found.value.given else 'no'}")
            for n, found in enumerate(draft.consents, 1)
        ),
    ]
    if draft.solved_on_call is not None:
        texts.append(("call.solved", draft.solved_on_call, "yes" if draft.solved_on_call.value else "no"))
    if draft.do_not_call is not None:
        texts.append(("call.do_not_call", draft.do_not_call, draft.do_not_call.value.number or "caller"))
    for name, found, text in texts:
        if found.confidence >= threshold:
            yield HeardField(
                name=name,
                text=text,
                confidence=found.confidence,
                evidence=found.evidence,
                read_back=found.read_back,
                columns={},
            )


def add_fields(
    session: AsyncSession, ticket_id: int, fields: Iterable[HeardField], *, call_id: str, threshold: float
) -> None:
    session.add_all(field_row(ticket_id, field, call_id=call_id, threshold=threshold) for field in fields)


async def fields_of(session: AsyncSession, ticket_id: int) -> dict[str, TicketFieldRow]:
    rows = await session.scalars(select(TicketFieldRow).where(TicketFieldRow.ticket_id == ticket_id))
    return {row.field: row for row in rows.all()}


async def fill_gaps(
    session: AsyncSession, ticket: TicketRow, fields: Iterable[HeardField], *, call_id: str, threshold: float
) -> list[str]:
    """Takes from a repeat call what the ticket does not have yet; what a person set is never touched."""
    known, filled = await fields_of(session, ticket.id), []
    for field in fields:
        row = known.get(field.name)
        if field.name.startswith(ONCE_A_CALL) or field.confidence < threshold or _is_set(ticket, field, row):
            continue
        for name, value in field.columns.items():
            setattr(ticket, name, value)
        await session.merge(field_row(ticket.id, field, call_id=call_id, threshold=threshold))
        filled.append(field.name)
    return filled


def _is_set(ticket: TicketRow, field: HeardField, row: TicketFieldRow | None) -> bool:
    if row is not None and row.state in BY_A_PERSON:
        return True
    return any(getattr(ticket, name) is not None for name in field.columns)
