"""A call that was joined to the wrong ticket gets a ticket of its own. Merging the new one back undoes it."""

import asyncio
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.ticket_life import HistoryAction
from callcenter.domain.tickets import TicketDraft
from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding import CallContext, understand
from callcenter.services.deadlines import open_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.merge_tickets import STILL_OWED
from callcenter.services.open_ticket import OpenedTicket, open_ticket
from callcenter.services.promised_calls import topic_of_promise
from callcenter.services.ticket_history import write_history
from callcenter.services.tickets import Change, NoSuchTicket, check_version
from callcenter.services.transcripts import transcript_of


class SplitRefused(Exception):
    """The call cannot be taken out of the ticket; the message says why."""


async def split_ticket(database: Database, change: Change, *, call_id: str, rules: FollowUpRules) -> OpenedTicket:
    """Takes a later call out of the ticket that `change` names, and opens a ticket of its own for it.

    What was promised on that call, and the call-back if it was missed, go along. The first call stays.
    Raises SplitRefused, StaleTicket, NoSuchTicket.
    """
    transcript = await _what_was_said(database, call_id)
    draft = await _understood(database, call_id, transcript, rules)
    async with database.write() as session:
        ticket = await session.scalar(
            select(TicketRow).where(TicketRow.number == change.number).with_for_update(key_share=True)
        )
        if ticket is None:
            raise NoSuchTicket(change.number)
        await check_version(session, ticket, change)
        call = await _take_out(session, ticket, call_id)
        opened = await open_ticket(
            session,
            call=call,
            transcript=transcript,
            draft=replace(draft, promises=()),
            now=change.now,
            rules=rules,
            may_join=False,
        )
        await _take_along(session, ticket, call_id, opened.ticket_id)
        ticket.call_count -= 1
        ticket.version += 1
        ticket.updated_at = change.now
        data = {"call_id": call_id, "into": opened.number}
        write_history(session, ticket.id, HistoryAction.SPLIT, at=change.now, actor=change.actor, data=data)
        data = {"call_id": call_id, "from": ticket.number}
        write_history(session, opened.ticket_id, HistoryAction.SPLIT, at=change.now, actor=change.actor, data=data)
        audited = {"action": HistoryAction.SPLIT.value, "into": opened.number}
        row = AuditRow(at=change.now, login=change.actor, action="ticket_changed", subject=ticket.number, data=audited)
        session.add(row)
    return opened


async def _take_out(session: AsyncSession, ticket: TicketRow, call_id: str) -> CallRow:
    link = await session.get(TicketCallRow, (ticket.id, call_id))
    if link is None:
        raise SplitRefused(f"the call does not belong to {ticket.number}")
    first_of = await session.scalar(
        select(TicketRow.number).where(TicketRow.first_call_id == call_id, TicketRow.part_of.is_(None))
    )
    if first_of == ticket.number:
        raise SplitRefused("the first call of a ticket stays with it")
    if first_of is not None:
        raise SplitRefused(f"the call came with {first_of}, which was merged: undo that instead")
    await session.delete(link)
    await session.flush()
    return await session.get_one(CallRow, call_id)


async def _take_along(session: AsyncSession, ticket: TicketRow, call_id: str, to: int) -> None:
    for deadline in await open_deadlines(session, ticket.id):
        if deadline.evidence and all(one.get("call_id") == call_id for one in deadline.evidence):
            deadline.ticket_id = to
    promised = ReminderRow.topic.startswith(topic_of_promise(ticket.id, f"{call_id}:"), autoescape=True)
    await session.execute(
        update(ReminderRow)
        .where(
            ReminderRow.ticket_id == ticket.id,
            ReminderRow.state.in_(STILL_OWED),
            promised | (ReminderRow.call_id == call_id),
        )
        .values(ticket_id=to)
    )


async def _what_was_said(database: Database, call_id: str) -> Transcript | None:
    """None where no recording of the call was transcribed."""
    async with database.read() as session:
        recording = await session.scalar(
            select(RecordingRow)
            .where(RecordingRow.call_id == call_id, RecordingRow.state == RecordingState.TRANSCRIBED)
            .order_by(RecordingRow.ready_at)
            .limit(1)
        )
        if recording is None:
            return None
        segments = select(SegmentRow).where(SegmentRow.recording_id == recording.id).order_by(SegmentRow.number)
        return transcript_of(list((await session.scalars(segments)).all()), recording.duration_ms or 0)


async def _understood(
    database: Database, call_id: str, transcript: Transcript | None, rules: FollowUpRules
) -> TicketDraft:
    async with database.read() as session:
        call = await session.get(CallRow, call_id)
    if transcript is None or call is None:
        return TicketDraft(must_listen=True)
    context = CallContext(
        heard_at=(call.answered_at or call.started_at).astimezone(rules.zone), caller_number=call.from_number
    )
    return await asyncio.to_thread(understand, transcript, context=context)
