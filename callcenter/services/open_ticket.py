"""From a call and what was heard on it to a ticket: a new one, or joined to the open one about the same thing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import Direction
from callcenter.domain.deadlines import deadlines_of_promises
from callcenter.domain.heard_fields import HeardField, heard_fields, may_be_emergency, missing_essentials, sure_columns
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.rings import Disposition
from callcenter.domain.ticket_life import HistoryAction, TicketStatus
from callcenter.domain.tickets import RequestType, TicketDraft, Urgency
from callcenter.domain.transcript import Transcript
from callcenter.services.called_in import cancel_what_was_settled
from callcenter.services.deadlines import add_deadlines, ticket_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.hear_again import hear_again, heard_on_the_recording
from callcenter.services.join_ticket import find_open_ticket, hear_repeat_again, join
from callcenter.services.missed_calls import cancel_missed_calls, link_missed_call
from callcenter.services.promised_calls import plan_first_reply, plan_promised_calls
from callcenter.services.reminders import stop_calling
from callcenter.services.ticket_fields import add_fields, detail_fields, fill_gaps
from callcenter.services.ticket_history import SYSTEM, write_history
from callcenter.services.ticket_numbers import next_ticket_number
from callcenter.services.transactions import take_turns

FIRST = "first"
NOTHING_SAID = "nothing_said"
NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedTicket:
    """The ticket of a call; `joined` when the call was joined to a ticket that was open already.

    `heard_live`: it has not been compared with the call's recording yet.
    """

    number: str
    ticket_id: int
    joined: bool
    heard_live: bool = False


async def open_ticket(
    session: AsyncSession,
    *,
    call: CallRow,
    transcript: Transcript | None,
    draft: TicketDraft,
    now: datetime,
    rules: FollowUpRules,
    failure: str | None = None,
    may_join: bool = True,
    heard_live: bool = False,
    counts_from: datetime | None = None,
) -> OpenedTicket:
    """Opens the call's ticket, or (unless a person said otherwise) joins the call to an open one.

    Running it again changes nothing. `failure` says why there is no transcript: the ticket is opened all the same
    and must be listened to. `heard_live`: from what was heard while the call went on; the recording will put it right,
    and what was promised is planned only then. `counts_from`: when the limits begin, if not with the call.
    Runs inside the caller's writing transaction.
    """
    await take_turns(session, "open ticket")
    known = await ticket_of_call(session, call.id)
    fields = (*heard_fields(draft, zone=rules.zone), *detail_fields(draft, rules.threshold))
    must_listen = _must_listen(transcript, draft, failure)
    if known is not None:
        if known.heard_live:
            said = transcript is not None and not transcript.is_empty
            again = fields if said else None
            await _put_right(
                session, known, call, again, draft, must_listen=must_listen, live=heard_live, now=now, rules=rules
            )
        elif not heard_live and failure is None and transcript is not None and not transcript.is_empty:
            await _hear_more(session, known, call, fields, draft, now=now, rules=rules)
        return known
    columns = sure_columns(fields, rules.threshold)
    found = await find_open_ticket(session, call, columns) if may_join and failure is None else None
    if found is not None:
        ticket, reason = found
        urgency = Urgency(columns["urgency"]) if columns.get("urgency") else None
        await join(
            session,
            ticket,
            call,
            fields,
            reason=reason,
            urgency=urgency,
            now=now,
            rules=rules,
            heard_live=heard_live,
            counts_from=counts_from,
        )
    else:
        ticket = await _new_ticket(
            session,
            call,
            fields,
            columns,
            must_listen=must_listen,
            now=now,
            rules=rules,
            heard_live=heard_live,
            counts_from=counts_from,
        )
    if not heard_live:
        await _follow_up(session, ticket, call, draft, now=now, rules=rules)
        await _stop_calls(session, ticket, call, draft, now=now, rules=rules)
    return OpenedTicket(number=ticket.number, ticket_id=ticket.id, joined=found is not None, heard_live=heard_live)


async def _put_right(
    session: AsyncSession,
    known: OpenedTicket,
    call: CallRow,
    fields: tuple[HeardField, ...] | None,
    draft: TicketDraft,
    *,
    must_listen: str | None,
    live: bool,
    now: datetime,
    rules: FollowUpRules,
) -> None:
    """What the ticket knows of this call was heard live: heard again now, and for good unless `live`.

    `fields` is None where nothing can be heard on the recording: what was heard live stands, and a person must listen.
    """
    ticket = await session.get_one(TicketRow, known.ticket_id, with_for_update={"key_share": True})
    changed: list[str] = []
    if fields is None:
        ticket.must_listen, ticket.must_listen_reason, ticket.needs_review = True, must_listen, True
    elif ticket.first_call_id == call.id:
        changed = await hear_again(session, ticket, call, fields, must_listen=must_listen, now=now, rules=rules)
    else:
        changed = await hear_repeat_again(session, ticket, call, fields, now=now, rules=rules)
    if live:
        return
    link = await session.get_one(TicketCallRow, (ticket.id, call.id))
    link.heard_live = False
    await heard_on_the_recording(session, ticket, call, changed, now=now)
    await _follow_up(session, ticket, call, draft, now=now, rules=rules)
    await _stop_calls(session, ticket, call, draft, now=now, rules=rules)


async def _hear_more(
    session: AsyncSession,
    known: OpenedTicket,
    call: CallRow,
    fields: tuple[HeardField, ...],
    draft: TicketDraft,
    *,
    now: datetime,
    rules: FollowUpRules,
) -> None:
    """A further recording of the call, or one transcribed again: what it adds is taken, what stands stays."""
    ticket = await session.get_one(TicketRow, known.ticket_id, with_for_update={"key_share": True})
    filled = await fill_gaps(session, ticket, fields, call_id=call.id, threshold=rules.threshold)
    nothing_heard = ticket.must_listen and not draft.must_listen
    if not filled and not nothing_heard:
        return
    if nothing_heard:
        ticket.must_listen, ticket.must_listen_reason = False, None
        await _follow_up(session, ticket, call, draft, now=now, rules=rules)
        await _stop_calls(session, ticket, call, draft, now=now, rules=rules)
    ticket.updated_at, ticket.version = now, ticket.version + 1
    data = {"text": "又转写了这通来电的录音", "call_id": call.id, "filled": filled}
    write_history(session, ticket.id, HistoryAction.NOTE, at=now, data=data)


async def ticket_of_call(session: AsyncSession, call_id: str) -> OpenedTicket | None:
    """The ticket that a call belongs to, if it has one."""
    query = (
        select(TicketRow.number, TicketRow.id, TicketRow.first_call_id, TicketCallRow.heard_live)
        .join(TicketCallRow, TicketCallRow.ticket_id == TicketRow.id)
        .where(TicketCallRow.call_id == call_id)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    joined = row.first_call_id != call_id
    return OpenedTicket(number=row.number, ticket_id=row.id, joined=joined, heard_live=row.heard_live)


def _must_listen(transcript: Transcript | None, draft: TicketDraft, failure: str | None) -> str | None:
    """Why a person must listen to the recording, or None."""
    if failure is not None:
        return failure
    if transcript is None or transcript.is_empty:
        return NOTHING_SAID
    return "; ".join(draft.notes) or NOT_UNDERSTOOD if draft.must_listen else None


async def _new_ticket(
    session: AsyncSession,
    call: CallRow,
    fields: tuple[HeardField, ...],
    columns: dict[str, Any],
    *,
    must_listen: str | None,
    now: datetime,
    rules: FollowUpRules,
    heard_live: bool,
    counts_from: datetime | None,
) -> TicketRow:
    promised = any(field.name.startswith("promise.") for field in fields)
    is_praise = columns.get("request_type") == RequestType.PRAISE and not promised and not heard_live
    unsure = {field.name for field in fields if field.confidence < rules.threshold}
    may_be = may_be_emergency(fields, rules.threshold)
    missing = missing_essentials(columns, unsure, has_caller_number=dialable(call.from_number) is not None)
    ticket = TicketRow(
        number=await next_ticket_number(session, rules.calendar.local(call.started_at).date()),
        first_call_id=call.id,
        status=(TicketStatus.CLOSED if is_praise else TicketStatus.OPEN).value,
        caller_number=call.from_number,
        owner=call.answered_by,
        must_listen=must_listen is not None,
        must_listen_reason=must_listen,
        needs_review=bool(missing) or must_listen is not None or may_be,
        no_action_reason=RequestType.PRAISE.value if is_praise else None,
        created_at=now,
        updated_at=now,
        closed_at=now if is_praise else None,
        **columns,
    )
    session.add(ticket)
    await session.flush()
    session.add(TicketCallRow(ticket_id=ticket.id, call_id=call.id, relation=FIRST, heard_live=heard_live))
    add_fields(session, ticket.id, fields, call_id=call.id, threshold=rules.threshold)
    data = {"call_id": call.id, "missing": list(missing), "must_listen": must_listen, "heard_live": heard_live}
    write_history(session, ticket.id, HistoryAction.OPENED, at=now, actor=call.answered_by or SYSTEM, data=data)
    limits = ticket_deadlines(ticket, counts_from or call.started_at, rules=rules, unsure_emergency=may_be)
    add_deadlines(session, ticket.id, limits)
    return ticket


async def _follow_up(
    session: AsyncSession, ticket: TicketRow, call: CallRow, draft: TicketDraft, *, now: datetime, rules: FollowUpRules
) -> None:
    """Deadlines and calls from what was promised on this call; a missed call of this number is settled or linked."""
    sure = [
        (f"{call.id}:{number}", found)
        for number, found in enumerate(draft.promises, 1)
        if found.confidence >= rules.threshold
    ]
    await cancel_what_was_settled(session, call, ticket, now=now)
    add_deadlines(
        session,
        ticket.id,
        deadlines_of_promises((found for _, found in sure), made_at=call.started_at),
        call_id=call.id,
    )
    await session.flush()
    await plan_promised_calls(session, ticket, [(name, found.value) for name, found in sure], now=now, rules=rules)
    await plan_first_reply(session, ticket, now=now, rules=rules)
    number = dialable(call.from_number)
    if call.disposition == Disposition.ANSWERED and number is not None:
        await cancel_missed_calls(session, call, number, now=now)
    else:
        await link_missed_call(session, call, ticket)


async def _stop_calls(
    session: AsyncSession, ticket: TicketRow, call: CallRow, draft: TicketDraft, *, now: datetime, rules: FollowUpRules
) -> None:
    """The resident asked on this call not to be phoned: also what was planned a moment ago is dropped."""
    asked = draft.do_not_call
    if asked is None or asked.confidence < rules.threshold:
        return
    numbers = _numbers_to_stop(call, draft, asked.value.number)
    if not numbers:
        return
    await session.flush()
    for number in sorted(numbers):
        await stop_calling(session, number, reason=f"asked for on call {call.id}", now=now)
    data = {"text": "住户要求不再来电，已停止向该号码拨打", "call_id": call.id}
    write_history(session, ticket.id, HistoryAction.NOTE, at=now, data=data)


def _numbers_to_stop(call: CallRow, draft: TicketDraft, named: str | None) -> set[str]:
    """The number that the resident named, else the one on the line and the one given on this call to call back on."""
    if named is not None:
        return {named}
    on_the_line = call.to_number if call.direction == Direction.OUTBOUND else call.from_number
    given = draft.phone.value if draft.phone is not None else None
    return {number for written in (on_the_line, given) if (number := dialable(written)) is not None}
