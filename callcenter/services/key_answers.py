"""What follows from the key that a resident pressed on a call of ours: written once, however often the call is told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.fees import FeeRow, FeeState
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import feedback_reply
from callcenter.domain.dialling import Action, Decision, Reason
from callcenter.domain.key_answer import KeyAnswer, next_day_of_month
from callcenter.domain.reminder_kind import KeyAction
from callcenter.domain.ticket_life import HistoryAction, TicketStatus
from callcenter.services.after_the_fix import FIRST, plan_second_satisfaction
from callcenter.services.deadlines import add_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import follow
from callcenter.services.ticket_history import SYSTEM, write_history
from callcenter.services.ticket_status import set_status

UNHAPPY = 2
"""This rating and below it is unhappy."""

SOLVED_OR_LATER = frozenset({TicketStatus.SOLVED, TicketStatus.VERIFIED, TicketStatus.CLOSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A resident's answer on the call of a reminder; `at` is when that call ended."""

    reminder: ReminderRow
    ticket: TicketRow | None
    answer: KeyAnswer
    call_id: str
    at: datetime


async def act_on_answer(session: AsyncSession, answered: Answered, *, now: datetime, rules: FollowUpRules) -> None:
    """Run once for each answer; `STOP` is acted on as soon as the key is known, not here."""
    ticket = answered.ticket
    if ticket is not None:
        data = {"kind": answered.reminder.kind, "answer": answered.answer.code, "call_id": answered.call_id}
        write_history(session, ticket.id, HistoryAction.RESIDENT_ANSWERED, at=now, data=data)
        ticket.version += 1
        ticket.updated_at = now
    match answered.answer.action:
        case KeyAction.CONFIRMED if ticket is not None:
            ticket.visit_confirmed_at = answered.at
        case KeyAction.WANTS_A_PERSON:
            hand_to_person(session, answered, now=now)
        case KeyAction.RATED if ticket is not None:
            await _rated(session, answered, ticket, now=now, rules=rules)
        case KeyAction.STILL_BROKEN if ticket is not None:
            if TicketStatus(ticket.status) in SOLVED_OR_LATER:
                await set_status(session, ticket, TicketStatus.REOPENED, actor=SYSTEM, now=now, rules=rules)
        case KeyAction.AGREED:
            await _agreed(session, answered, now=now, rules=rules)
        case _:
            return


def hand_to_person(session: AsyncSession, answered: Answered, *, now: datetime) -> None:
    """The resident was reached and wants a person: the reminder is on the list of what people must do."""
    follow(answered.reminder, Decision(action=Action.HAND_OVER, reason=Reason.WANTS_A_PERSON), now=now)
    if answered.ticket is not None:
        data = {"kind": answered.reminder.kind, "reason": Reason.WANTS_A_PERSON.value}
        write_history(session, answered.ticket.id, HistoryAction.HANDED_OVER, at=now, data=data)


async def _rated(
    session: AsyncSession, answered: Answered, ticket: TicketRow, *, now: datetime, rules: FollowUpRules
) -> None:
    """Satisfied: verified. Unhappy: the supervisor has half a working day to answer, and we ask once more later."""
    rating = int(answered.answer.digit)
    ticket.satisfaction, ticket.satisfaction_at = rating, answered.at
    if rating > UNHAPPY:
        if ticket.status == TicketStatus.SOLVED:
            await set_status(session, ticket, TicketStatus.VERIFIED, actor=SYSTEM, now=now, rules=rules)
        return
    limit = feedback_reply(at=now, calendar=rules.calendar_of(ticket.estate))
    add_deadlines(session, ticket.id, [limit])
    note = {"text": f"回访满意度 {rating} 分，请主管跟进", "for": "supervisor", "satisfaction": rating}
    write_history(session, ticket.id, HistoryAction.NOTE, at=now, data=note)
    if answered.reminder.kind == FIRST:
        await plan_second_satisfaction(session, ticket, answered.reminder, now=now, rules=rules)


async def _agreed(session: AsyncSession, answered: Answered, *, now: datetime, rules: FollowUpRules) -> None:
    """The date by which the resident pays; without one that can be read a person calls to agree it."""
    today = rules.calendar.local(answered.at).date()
    agreed_on = next_day_of_month(answered.answer.then, today=today)
    if agreed_on is None:
        hand_to_person(session, answered, now=now)
        return
    await session.execute(
        update(FeeRow)
        .where(FeeRow.reminder_id == answered.reminder.id, FeeRow.state != FeeState.PAID)
        .values(state=FeeState.AGREED.value, agreed_on=agreed_on, agreed_at=answered.at)
    )
