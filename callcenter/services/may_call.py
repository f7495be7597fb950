"""What the rules say about a reminder at this moment, from what the database knows of its number and topic."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.reminders import DoNotCallRow, ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.dialling import Action, Attempt, Decision, DiallingRules, Obstacles, Planned, Reason, decide
from callcenter.domain.phone_numbers import ways_to_write
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.reminder_kinds.complaint_first_reply import KIND as FIRST_REPLY_KIND
from callcenter.domain.rings import Disposition
from callcenter.domain.ticket_life import FINISHED, TicketStatus
from callcenter.domain.tickets import Urgency
from callcenter.services.deadlines import open_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.resident_wishes import has_open_complaint, wishes_of

ATTEMPTS_OF_LATE = timedelta(days=2)
"""How far back tries at a number are looked at: a local day and more, in any time zone."""

NOBODY_FREE_WAIT = timedelta(seconds=15)
LONGEST_CALL = timedelta(hours=2)
UNDERSTOOD_AFTER = timedelta(minutes=15)
"""So long after a resident's call we wait for its ticket, which may settle what we are about to phone for."""


_OF_NUMBER = select(ReminderAttemptRow.at, ReminderAttemptRow.outcome).where(
    ReminderAttemptRow.to_number == bindparam("number"), ReminderAttemptRow.at > bindparam("since")
)
_OF_TOPIC = (
    select(ReminderAttemptRow.at, ReminderAttemptRow.outcome)
    .join(ReminderRow, ReminderRow.id == ReminderAttemptRow.reminder_id)
    .where(ReminderRow.topic == bindparam("topic"))
    .order_by(ReminderAttemptRow.at, ReminderAttemptRow.id)
)
_REFUSED = select(DoNotCallRow.number).where(DoNotCallRow.number == bindparam("number"))
_LAST_WRONG = select(func.max(ReminderAttemptRow.at)).where(
    ReminderAttemptRow.to_number == bindparam("number"),
    ReminderAttemptRow.outcome == OutboundOutcome.WRONG_NUMBER.value,
)
_CALLED_SINCE = (
    select(CallRow.id)
    .where(
        CallRow.from_number.in_(bindparam("ways", expanding=True)),
        CallRow.direction == Direction.INBOUND.value,
        CallRow.started_at > bindparam("since"),
    )
    .limit(1)
)
_TICKETED = (
    select(TicketCallRow.call_id)
    .where(TicketCallRow.call_id == CallRow.id, TicketCallRow.heard_live.is_(False))
    .exists()
)
_JUST_CALLED = (
    select(CallRow.id)
    .where(
        CallRow.from_number.in_(bindparam("ways", expanding=True)),
        CallRow.direction == Direction.INBOUND.value,
        or_(
            and_(CallRow.ended_at.is_(None), CallRow.started_at > bindparam("started_after")),
            and_(
                CallRow.disposition == Disposition.ANSWERED.value,
                CallRow.ended_at > bindparam("ended_after"),
                ~_TICKETED,
            ),
        ),
    )
    .limit(1)
)
"""Built once, since every call asks them all: that takes longer than carrying them out."""


async def decision_for(
    session: AsyncSession, reminder: ReminderRow, ticket: TicketRow | None, *, now: datetime, rules: FollowUpRules
) -> Decision:
    """Whether this call may leave now."""
    if ticket is not None and TicketStatus(ticket.status) in FINISHED:
        return Decision(action=Action.CANCEL, reason=Reason.TICKET_FINISHED)
    kind, number = reminder_kinds()[reminder.kind], reminder.to_number
    if kind.connects_agents and now >= reminder.due_at and not rules.somebody_is_free():
        return Decision(action=Action.WAIT, reason=Reason.NOBODY_FREE, at=now + NOBODY_FREE_WAIT)
    wishes = await wishes_of(session, number)
    recent = await session.execute(_OF_NUMBER, {"number": number, "since": now - ATTEMPTS_OF_LATE})
    obstacles = Obstacles(
        do_not_call=await session.scalar(_REFUSED, {"number": number}) is not None,
        not_agreed=kind.needs_consent and not wishes.greetings,
        wrong_number=await _known_as_wrong(session, number),
        open_complaint=kind.not_during_a_complaint and await has_open_complaint(session, number),
        resident_just_called=await _just_called(session, number, now=now),
    )
    return decide(
        replace(planned_of(reminder, ticket), owed_by=await _owed_by(session, reminder)),
        now=now,
        rules=replace(rules.dialling_of(reminder.kind), avoided=wishes.avoided),
        of_topic=await attempts_of_topic(session, reminder.topic),
        of_number=[Attempt(at=at, outcome=outcome) for at, outcome in recent],
        obstacles=obstacles,
    )


async def dialling_rules_for(session: AsyncSession, reminder: ReminderRow, rules: FollowUpRules) -> DiallingRules:
    """The rules of the reminder's kind, less the times of day that its number does not want."""
    wishes = await wishes_of(session, reminder.to_number)
    return replace(rules.dialling_of(reminder.kind), avoided=wishes.avoided)


def planned_of(reminder: ReminderRow, ticket: TicketRow | None) -> Planned:
    kind = reminder_kinds()[reminder.kind]
    return Planned(
        due_at=reminder.due_at,
        promised_for=reminder.promised_for,
        expires_at=reminder.expires_at,
        may_go_outside_decent_hours=kind.may_go_outside_decent_hours,
        is_emergency=ticket is not None and ticket.urgency == Urgency.EMERGENCY,
        ordered=reminder.ordered_by is not None,
        goes_to_a_person=kind.goes_to_a_person,
    )


async def _owed_by(session: AsyncSession, reminder: ReminderRow) -> datetime | None:
    """The time limit that this call is to meet: a complaint's first reply."""
    if reminder.kind != FIRST_REPLY_KIND.name or reminder.ticket_id is None:
        return None
    limits = await open_deadlines(session, reminder.ticket_id, [DeadlineKind.FIRST_REPLY])
    return limits[0].due_at if limits else None


async def attempts_of_topic(session: AsyncSession, topic: str) -> list[Attempt]:
    tries = await session.execute(_OF_TOPIC, {"topic": topic})
    return [Attempt(at=at, outcome=outcome) for at, outcome in tries]


async def _known_as_wrong(session: AsyncSession, number: str) -> bool:
    """The network said that there is no such number, and nobody has phoned us from it since."""
    at = await session.scalar(_LAST_WRONG, {"number": number})
    if at is None:
        return False
    return await session.scalar(_CALLED_SINCE, {"ways": list(ways_to_write(number)), "since": at}) is None


async def _just_called(session: AsyncSession, number: str, *, now: datetime) -> bool:
    """The resident is on the line with us, or was a moment ago and nobody knows yet about what."""
    values = {
        "ways": list(ways_to_write(number)),
        "started_after": now - LONGEST_CALL,
        "ended_after": now - UNDERSTOOD_AFTER,
    }
    return await session.scalar(_JUST_CALLED, values) is not None
