"""How a call of ours to a resident ended, written onto its reminder and ticket when its events tell."""

from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.deadlines import KEPT_BY_PHONE, DeadlineKind
from callcenter.domain.dialling import REFUSED_BY_PROVIDER, UNCERTAIN, Action, Decision, Reason, after_attempt
from callcenter.domain.key_answer import KeyAnswer, understood
from callcenter.domain.reminder_kind import KeyAction
from callcenter.domain.reminder_kinds import kinds_served_by_another_call, reminder_kinds
from callcenter.domain.ticket_life import HistoryAction
from callcenter.services.deadlines import meet_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.key_answers import Answered, act_on_answer
from callcenter.services.may_call import attempts_of_topic, dialling_rules_for, planned_of
from callcenter.services.promised_calls import ONE_CALL_SERVES
from callcenter.services.reminders import follow, pending_reminders, stop_calling
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import insert_if_absent

OURS = "call_back"
NOT_KNOWN = frozenset({None, UNCERTAIN, OutboundOutcome.UNKNOWN.value})
"""Outcomes that better news may still replace."""

_OF_CALL = select(ReminderAttemptRow).where(ReminderAttemptRow.call_id == bindparam("of_call"))
_WITHOUT_CALL = (
    select(ReminderAttemptRow)
    .where(
        ReminderAttemptRow.reminder_id == bindparam("of_reminder"),
        ReminderAttemptRow.call_id.is_(None),
        or_(ReminderAttemptRow.outcome.is_(None), ReminderAttemptRow.outcome != REFUSED_BY_PROVIDER),
    )
    .order_by(ReminderAttemptRow.number.desc())
    .limit(1)
)
_TICKET_OF = select(ReminderRow.ticket_id).where(ReminderRow.id == bindparam("of_reminder"))
_TICKET = select(TicketRow).where(TicketRow.id == bindparam("ticket")).with_for_update(key_share=True)
_REMINDER = select(ReminderRow).where(ReminderRow.id == bindparam("reminder")).with_for_update()
"""Built once, and read anew where the session has them: somebody else may have held the lock."""

_ANEW = {"populate_existing": True}


async def record_outcome(session: AsyncSession, call: CallRow, now: datetime, *, rules: FollowUpRules) -> None:
    """Run whenever an outbound call is written; running it again changes nothing.

    A call not over yet does nothing but tie itself to its attempt; only key 9, which stops all calls to the number,
    is heeded at once. The other keys are acted on when the call is over, each answer once.
    """
    if call.direction != Direction.OUTBOUND:
        return
    attempt = await _attempt_of(session, call)
    if attempt is None:
        return
    attempt.call_id = call.id
    if call.ended_at is None and not call.keys:
        return
    reminder, ticket = await _locked(session, attempt.reminder_id)
    answer = understood(reminder_kinds()[reminder.kind], call.keys)
    attempt.keys = ",".join(str(digits) for _, digits in call.keys) or attempt.keys
    if answer is not None and answer.action is KeyAction.STOP and attempt.answer != answer.code:
        await stop_calling(session, attempt.to_number, reason=f"key {answer.digit} on call {call.id}", now=now)
    if call.ended_at is None or call.outbound_outcome is None:
        return
    outcome = _outcome(call, answer)
    if attempt.outcome in NOT_KNOWN and attempt.outcome != outcome:
        attempt.outcome, attempt.ended_at = outcome, call.ended_at
        await session.flush()
        await _follow_reminder(session, call, attempt, reminder, ticket, now=now, rules=rules)
    if answer is not None:
        await _act_once(session, call, attempt, reminder, ticket, answer, now=now, rules=rules)


async def _locked(session: AsyncSession, reminder_id: int) -> tuple[ReminderRow, TicketRow | None]:
    """The ticket first, then its reminder: the order in which people's changes on the console lock them."""
    ticket_id = await session.scalar(_TICKET_OF, {"of_reminder": reminder_id})
    ticket = await _lock_ticket(session, ticket_id)
    locked = await session.execute(_REMINDER, {"reminder": reminder_id}, execution_options=_ANEW)
    reminder = locked.scalar_one()
    if reminder.ticket_id != ticket_id:  # merged in between
        ticket = await _lock_ticket(session, reminder.ticket_id)
    return reminder, ticket


async def _lock_ticket(session: AsyncSession, ticket_id: int | None) -> TicketRow | None:
    if ticket_id is None:
        return None
    return await session.scalar(_TICKET, {"ticket": ticket_id}, execution_options=_ANEW)


def _outcome(call: CallRow, answer: KeyAnswer | None) -> str | None:
    """Who presses a key of ours is no machine, whatever the provider took them for."""
    if answer is not None and call.outbound_outcome == OutboundOutcome.MACHINE:
        return OutboundOutcome.REACHED.value
    return call.outbound_outcome


async def _act_once(
    session: AsyncSession,
    call: CallRow,
    attempt: ReminderAttemptRow,
    reminder: ReminderRow,
    ticket: TicketRow | None,
    answer: KeyAnswer,
    *,
    now: datetime,
    rules: FollowUpRules,
) -> None:
    if attempt.answer == answer.code:
        return
    attempt.answer = answer.code
    at = call.ended_at or now
    answered = Answered(reminder=reminder, ticket=ticket, answer=answer, call_id=call.id, at=at)
    await act_on_answer(session, answered, now=now, rules=rules)


async def _attempt_of(session: AsyncSession, call: CallRow) -> ReminderAttemptRow | None:
    """By the call's id; else the try of its reminder that has no call yet (its id may be written later)."""
    known = await session.scalar(_OF_CALL, {"of_call": call.id})
    if known is not None or call.reminder_id is None:
        return known
    return await session.scalar(_WITHOUT_CALL, {"of_reminder": call.reminder_id})


async def _follow_reminder(
    session: AsyncSession,
    call: CallRow,
    attempt: ReminderAttemptRow,
    reminder: ReminderRow,
    ticket: TicketRow | None,
    *,
    now: datetime,
    rules: FollowUpRules,
) -> None:
    ended = call.ended_at or now
    tries = await attempts_of_topic(session, reminder.topic)
    dialling = await dialling_rules_for(session, reminder, rules)
    decision = after_attempt(
        attempt.outcome or "", planned_of(reminder, ticket), at=ended, rules=dialling, of_topic=tries
    )
    late_success = decision.action is Action.DONE and reminder.state == ReminderState.HANDED_OVER
    if reminder.state == ReminderState.DIALLING or late_success:
        follow(reminder, decision, now=now)
    if ticket is not None:
        await _write_on_ticket(session, ticket, reminder, call, attempt, decision, now=now)
    if decision.action is Action.DONE and ticket is not None:
        await _serve_others(session, ticket, reminder, at=call.answered_at or ended, now=now)


async def _write_on_ticket(
    session: AsyncSession,
    ticket: TicketRow,
    reminder: ReminderRow,
    call: CallRow,
    attempt: ReminderAttemptRow,
    decision: Decision,
    *,
    now: datetime,
) -> None:
    values = {"ticket_id": ticket.id, "call_id": call.id, "relation": OURS, "reason": reminder.kind}
    await insert_if_absent(session, TicketCallRow, values, "call_id")
    data = {
        "kind": reminder.kind,
        "call_id": call.id,
        "attempt": attempt.number,
        "outcome": attempt.outcome,
        "keys": attempt.keys,
        "next": decision.action.value,
        "reason": decision.reason.value,
        "due_at": decision.at.isoformat() if decision.at else None,
    }
    write_history(session, ticket.id, HistoryAction.RESIDENT_CALLED, at=now, data=data)
    if decision.action is Action.HAND_OVER:
        data = {"kind": reminder.kind, "reason": decision.reason.value}
        write_history(session, ticket.id, HistoryAction.HANDED_OVER, at=now, data=data)


async def _serve_others(
    session: AsyncSession, ticket: TicketRow, reminder: ReminderRow, *, at: datetime, now: datetime
) -> None:
    """The resident has heard from us: the promise and the first reply are kept, and need no second call."""
    await meet_deadlines(session, ticket.id, [DeadlineKind.FIRST_REPLY, DeadlineKind.FEEDBACK_REPLY], at=at)
    kept_until = (reminder.promised_for or at) + ONE_CALL_SERVES
    await meet_deadlines(
        session,
        ticket.id,
        [DeadlineKind.PROMISE],
        at=at,
        due_until=kept_until,
        bases=[kind.value for kind in KEPT_BY_PHONE],
    )
    served = [
        other
        for other in await pending_reminders(
            session,
            ReminderRow.ticket_id == ticket.id,
            ReminderRow.id != reminder.id,
            ReminderRow.kind.in_(kinds_served_by_another_call()),
        )
        if other.promised_for is None or other.promised_for <= kept_until
    ]
    for other in served:
        follow(other, Decision(action=Action.DONE, reason=Reason.ANOTHER_CALL_SERVED), now=now)
