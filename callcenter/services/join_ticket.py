"""Recognises a resident who calls again about the same thing, and joins the call to the open ticket (催办)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.deadlines import DeadlineKind, deadlines_of_ticket, feedback_reply
from callcenter.domain.heard_fields import HeardField, may_be_emergency, sure_columns
from callcenter.domain.phone_numbers import dialable, ways_to_write
from callcenter.domain.ticket_life import JOINABLE, HistoryAction, TicketStatus, higher, raised
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services.after_the_fix import cancel_satisfaction
from callcenter.services.deadlines import add_deadlines, look_again, open_deadlines, resume_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.ticket_fields import fill_gaps
from callcenter.services.ticket_history import write_history

REPEAT = "repeat"


async def find_open_ticket(
    session: AsyncSession, call: CallRow, columns: dict[str, Any]
) -> tuple[TicketRow, str] | None:
    """The open ticket that the call is about, and why we think so. `columns` are the call's sure values."""
    category, asks_progress = columns.get("category"), columns.get("request_type") == RequestType.PROGRESS
    if category is None and not asks_progress:
        return None
    candidates = await _candidates(session, call, columns)
    fitting = [ticket for ticket in candidates if category is None or ticket.category == category]
    if not fitting:
        return None
    ticket = fitting[0]
    who = "same_number" if _has_number(ticket, _numbers(call, columns)) else "same_place"
    return ticket, f"{who}+{'same_category' if category is not None else 'asks_progress'}"


async def _candidates(session: AsyncSession, call: CallRow, columns: dict[str, Any]) -> Sequence[TicketRow]:
    """Open tickets of the same person or the same home, the newest first."""
    numbers = _numbers(call, columns)
    same: list[Any] = []
    if numbers:
        same.append(or_(TicketRow.caller_number.in_(numbers), TicketRow.phone.in_(numbers)))
    if columns.get("room") is not None:
        home = [getattr(TicketRow, name) == columns.get(name) for name in ("building", "room")]
        home += [_agrees(name, columns.get(name)) for name in ("estate", "phase", "lane", "unit")]
        same.append(and_(*home))
    if not same:
        return []
    states = [status.value for status in JOINABLE]
    query = select(TicketRow).where(TicketRow.status.in_(states), TicketRow.no_action_reason.is_(None), or_(*same))
    return (await session.scalars(query.order_by(TicketRow.id.desc()).with_for_update(key_share=True))).all()


def _agrees(name: str, value: str | None) -> Any:
    """Equal, or not said on one of the two calls."""
    column = getattr(TicketRow, name)
    return or_(column == value, column.is_(None)) if value is not None else True


def _numbers(call: CallRow, columns: dict[str, Any]) -> set[str]:
    dialled = (dialable(number) for number in (call.from_number, columns.get("phone")))
    return {way for number in dialled if number is not None for way in ways_to_write(number)}


def _has_number(ticket: TicketRow, numbers: set[str]) -> bool:
    return ticket.caller_number in numbers or ticket.phone in numbers


async def join(
    session: AsyncSession,
    ticket: TicketRow,
    call: CallRow,
    fields: Sequence[HeardField],
    *,
    reason: str,
    urgency: Urgency | None,
    now: datetime,
    rules: FollowUpRules,
    heard_live: bool = False,
    counts_from: datetime | None = None,
) -> None:
    """Counts the call, raises the urgency a step, reopens what was thought solved, and takes what was missing.

    `counts_from`: when an emergency's time begins, if not with the call.
    """
    before = ticket.urgency
    ticket.call_count += 1
    ticket.urgency = higher(raised(Urgency(before) if before else None), urgency).value
    unsure = may_be_emergency(fields, rules.threshold)
    await _run_clocks(
        session, ticket, call, urgency, unsure=unsure, counts_from=counts_from or call.started_at, rules=rules
    )
    if ticket.status == TicketStatus.REOPENED:
        await cancel_satisfaction(session, ticket, now=now)
    ticket.updated_at = now
    ticket.version += 1
    link = TicketCallRow(ticket_id=ticket.id, call_id=call.id, relation=REPEAT, reason=reason, heard_live=heard_live)
    session.add(link)
    filled = await fill_gaps(session, ticket, fields, call_id=call.id, threshold=rules.threshold)
    data = {
        "call_id": call.id,
        "reason": reason,
        "call_count": ticket.call_count,
        "urgency": [before, ticket.urgency],
        "filled": filled,
    }
    actor = call.answered_by or "system"
    write_history(session, ticket.id, HistoryAction.REPEAT_CALL, at=now, actor=actor, data=data)


async def hear_repeat_again(
    session: AsyncSession,
    ticket: TicketRow,
    call: CallRow,
    fields: Sequence[HeardField],
    *,
    now: datetime,
    rules: FollowUpRules,
) -> list[str]:
    """A call that was joined while it went on: what is heard better fills further gaps, and may be an emergency."""
    filled = await fill_gaps(session, ticket, fields, call_id=call.id, threshold=rules.threshold)
    said = sure_columns(fields, rules.threshold).get("urgency")
    urgency, unsure = (Urgency(said) if said else None), may_be_emergency(fields, rules.threshold)
    if urgency is Urgency.EMERGENCY or unsure:
        ticket.urgency = higher(Urgency(ticket.urgency) if ticket.urgency else Urgency.NORMAL, urgency).value
        await _run_clocks(session, ticket, call, urgency, unsure=unsure, counts_from=call.started_at, rules=rules)
    if filled:
        ticket.updated_at, ticket.version = now, ticket.version + 1
    return filled


async def _run_clocks(
    session: AsyncSession,
    ticket: TicketRow,
    call: CallRow,
    urgency: Urgency | None,
    *,
    unsure: bool,
    counts_from: datetime,
    rules: FollowUpRules,
) -> None:
    """An emergency heard on this call (or perhaps heard) starts its 3 minutes, unless they run already.

    What was thought solved is reopened, with half a working day to answer; who phones us is not waited for any more.
    """
    if urgency is Urgency.EMERGENCY or unsure:
        limits = deadlines_of_ticket(
            reported_at=counts_from,
            request_type=None,
            urgency=urgency,
            unsure_emergency=unsure,
            rules=rules.deadlines,
            calendar=rules.calendar,
        )
        on_site = [limit for limit in limits if limit.kind is DeadlineKind.ON_SITE]
        if not await open_deadlines(session, ticket.id, [DeadlineKind.ON_SITE]):
            add_deadlines(session, ticket.id, on_site, call_id=call.id)
    if ticket.status == TicketStatus.SOLVED:
        ticket.status, ticket.solved_at = TicketStatus.REOPENED.value, None
        answer = feedback_reply(at=call.started_at, calendar=rules.calendar_of(ticket.estate))
        add_deadlines(session, ticket.id, [answer], call_id=call.id)
    elif ticket.status == TicketStatus.WAITING:
        ticket.status = TicketStatus.IN_PROGRESS.value
        await resume_deadlines(session, ticket, at=call.started_at, rules=rules)
    await session.flush()
    await look_again(session, ticket.id)
