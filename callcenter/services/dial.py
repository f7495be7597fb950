"""Makes one claimed call: rules checked, the attempt written, and only then the provider asked.

The attempt row is committed before the provider hears of it, so that a process that dies in between leaves a
trace: such a reminder is handed to a person and never redialled blindly.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.campaigns import CampaignRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.dialling import REFUSED_BY_PROVIDER, UNCERTAIN, Action, Decision, Reason, after_attempt
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.ticket_life import HistoryAction
from callcenter.domain.trunks import Trunk
from callcenter.ports import REMINDER, Clock, Dialler, DialRefused, DialUncertain, OutboundCall
from callcenter.services.call_speech import speech_for
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.lines import campaign_free_from, free_trunk
from callcenter.services.may_call import attempts_of_topic, decision_for, dialling_rules_for, planned_of
from callcenter.services.reminders import Claim, follow
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import take_turns

log = structlog.get_logger()

_OURS = (
    select(ReminderRow)
    .where(
        ReminderRow.id == bindparam("reminder"),
        ReminderRow.state == ReminderState.CLAIMED.value,
        ReminderRow.claimed_by == bindparam("claimer"),
        ReminderRow.claimed_at == bindparam("at"),
    )
    .with_for_update()
)
_ATTEMPTS = ReminderAttemptRow.metadata.tables["reminder_attempts"]
_PLACED = update(_ATTEMPTS).where(_ATTEMPTS.c.id == bindparam("attempt")).values(call_id=bindparam("placed_as"))

BUSY_LINES = timedelta(seconds=5)


class Dialled(StrEnum):
    """What became of a claim."""

    PLACED = "placed"
    NOT_OURS = "not_ours"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A call that is to be placed, its attempt already committed."""

    attempt_id: int
    call: OutboundCall


async def dial(database: Database, claim: Claim, *, clock: Clock, dialler: Dialler, rules: FollowUpRules) -> Dialled:
    """Makes the call of a claimed reminder, if the rules still allow it. No transaction is open while it dials."""
    begun = await _begin(database, claim, now=clock.now(), rules=rules)
    if not isinstance(begun, _Placed):
        return begun
    try:
        call_id = await dialler.place_call(begun.call)
    except DialRefused as error:
        log.warning("provider refused a call", reminder_id=claim.reminder_id, error=str(error))
        await _did_not_place(database, begun, REFUSED_BY_PROVIDER, now=clock.now(), rules=rules)
        return Dialled.REFUSED
    except DialUncertain as error:
        log.error("call may or may not have been placed", reminder_id=claim.reminder_id, error=str(error))
        await _did_not_place(database, begun, UNCERTAIN, now=clock.now(), rules=rules)
        return Dialled.UNCERTAIN
    async with database.write() as session:
        await session.execute(_PLACED, {"attempt": begun.attempt_id, "placed_as": call_id})
    log.info("call placed", reminder_id=claim.reminder_id, call_id=call_id)
    return Dialled.PLACED


async def _begin(database: Database, claim: Claim, *, now: datetime, rules: FollowUpRules) -> _Placed | Dialled:
    """Checks that the row is still ours and the call allowed, and writes the attempt, in one transaction."""
    async with database.write() as session:
        reminder = await _ours(session, claim)
        if reminder is None:
            return Dialled.NOT_OURS
        await take_turns(session, f"number:{reminder.to_number}")
        ticket = await session.get(TicketRow, reminder.ticket_id) if reminder.ticket_id is not None else None
        decision = await decision_for(session, reminder, ticket, now=now, rules=rules)
        trunk = None
        if decision.action is Action.CALL:
            decision, trunk = await _line_for(session, reminder, decision, now=now, rules=rules)
        if trunk is None:
            follow(reminder, decision, now=now)
            note_hand_over(session, reminder, decision, now=now)
            return Dialled.NOT_NOW
        return await _write_attempt(session, reminder, ticket, trunk, now=now, rules=rules)


async def _line_for(
    session: AsyncSession, reminder: ReminderRow, decision: Decision, *, now: datetime, rules: FollowUpRules
) -> tuple[Decision, Trunk | None]:
    """A free line for a call that may be made; without one it waits for a moment."""
    if reminder.campaign_id is not None:
        campaign = await session.get_one(CampaignRow, reminder.campaign_id)
        free_from = await campaign_free_from(session, campaign, now=now)
        if free_from > now:
            return Decision(action=Action.WAIT, reason=Reason.CAMPAIGN_PACE, at=free_from), None
    trunk = await free_trunk(session, rules.trunks, now=now)
    if trunk is None:
        return Decision(action=Action.WAIT, reason=Reason.ALL_LINES_BUSY, at=now + BUSY_LINES), None
    return decision, trunk


async def _ours(session: AsyncSession, claim: Claim) -> ReminderRow | None:
    values = {"reminder": claim.reminder_id, "claimer": claim.claimer, "at": claim.at}
    return (await session.execute(_OURS, values)).scalar_one_or_none()


async def _write_attempt(
    session: AsyncSession,
    reminder: ReminderRow,
    ticket: TicketRow | None,
    trunk: Trunk,
    *,
    now: datetime,
    rules: FollowUpRules,
) -> _Placed:
    speech = speech_for(reminder, ticket, now=now, rules=rules)
    kind = reminder_kinds()[reminder.kind]
    agent = (reminder.matter or {}).get("agent", "") if kind.ordered_by_agent else ""
    reminder.state, reminder.attempts = ReminderState.DIALLING.value, reminder.attempts + 1
    reminder.ordered_by = None
    attempt = ReminderAttemptRow(
        reminder_id=reminder.id,
        number=reminder.attempts,
        idempotency_key=f"reminder-{reminder.id}-{reminder.attempts}",
        to_number=reminder.to_number,
        at=now,
        speech=speech,
        trunk=trunk.name,
        campaign_id=reminder.campaign_id,
    )
    session.add(attempt)
    await session.flush()
    call = OutboundCall(
        idempotency_key=attempt.idempotency_key,
        purpose=f"{REMINDER}{reminder.id}",
        to_number=attempt.to_number,
        speech=attempt.speech,
        asks_key=bool(kind.keys),
        key_prompt=kind.key_prompt or None,
        kind=reminder.kind,
        from_number=trunk.from_number,
        agent=agent,
    )
    return _Placed(attempt_id=attempt.id, call=call)


async def _did_not_place(
    database: Database, placed: _Placed, outcome: str, *, now: datetime, rules: FollowUpRules
) -> None:
    """The provider refused, or nobody knows: the attempt ends; the reminder goes by the rules, unless it is over."""
    async with database.write() as session:
        reminder = await session.get_one(ReminderRow, placed.call.reminder_id, with_for_update=True)
        attempt = await session.get_one(ReminderAttemptRow, placed.attempt_id)
        if attempt.outcome is not None or reminder.state != ReminderState.DIALLING:
            return
        attempt.outcome, attempt.ended_at = outcome, now
        await session.flush()
        ticket = await session.get(TicketRow, reminder.ticket_id) if reminder.ticket_id is not None else None
        tries = await attempts_of_topic(session, reminder.topic)
        dialling = await dialling_rules_for(session, reminder, rules)
        planned = planned_of(reminder, ticket)
        decision = after_attempt(outcome, planned, at=now, rules=dialling, of_topic=tries)
        follow(reminder, decision, now=now)
        note_hand_over(session, reminder, decision, now=now)


def note_hand_over(session: AsyncSession, reminder: ReminderRow, decision: Decision, *, now: datetime) -> None:
    """A person must act: the ticket's history says so."""
    if reminder.ticket_id is not None and decision.action in (Action.HAND_OVER, Action.CANCEL):
        ended = decision.action is Action.HAND_OVER
        action = HistoryAction.HANDED_OVER if ended else HistoryAction.REMINDER_CANCELLED
        data = {"kind": reminder.kind, "reason": decision.reason.value}
        write_history(session, reminder.ticket_id, action, at=now, data=data)
