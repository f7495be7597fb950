"""One round of the alarms: every emergency phones the on-call people, one after the other, until one acknowledges.

The attempt is committed, with the moment of the next one, before the provider is asked: two schedulers never make
the same call, and a process that dies in between leaves a trace. No attempt is ever made again; where nobody knows
what became of it, the next person is phoned. These calls are bound to no decent hours and to nobody's wishes.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.alarm_texts import ON_CALL_PROMPT, ON_CALL_TIMES, on_call_speech
from callcenter.domain.deadlines import UNSURE_EMERGENCY, DeadlineKind
from callcenter.domain.dialling import REFUSED_BY_PROVIDER, UNCERTAIN
from callcenter.domain.escalation import Cause, Level, Telling
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.on_call import AlarmEnd, AlarmState, NextCall, OnCallRules, Tried, next_call
from callcenter.domain.ticket_life import HistoryAction
from callcenter.domain.tickets import Place
from callcenter.ports import ON_CALL, Clock, Dialler, DialRefused, DialUncertain, OutboundCall
from callcenter.services.escalations import Matter, end_topic, raise_level
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import insert_if_absent, is_postgresql

log = structlog.get_logger()

A_ROUND = 20
CLOCK_SLACK = timedelta(seconds=5)
"""A next call further ahead than the time to answer and this: the clock was set back, and nobody waits for that."""
_OPEN_DEADLINE = text("met_at IS NULL AND cancelled_at IS NULL")  # as the partial index says it
_OPEN_ALARM = text("on_call_alarms.ended_at IS NULL")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A call that is to be placed, its attempt already committed."""

    attempt_id: int
    call: OutboundCall


def alarm_topic(alarm_id: int) -> str:
    """Under which an alarm escalates."""
    return f"alarm:{alarm_id}"


async def sound_alarms(database: Database, *, clock: Clock, dialler: Dialler, rules: OnCallRules, company: str) -> int:
    """Raises new alarms, ends those that are over, and phones whoever is next; how many calls were tried."""
    await raise_alarms(database, now=clock.now())
    placed = await _next_calls(database, now=clock.now(), rules=rules, company=company)
    calls = (_place(database, one, clock=clock, dialler=dialler) for one in placed)
    results = await asyncio.gather(*calls, return_exceptions=True)
    for one, result in zip(placed, results, strict=True):
        if isinstance(result, BaseException):
            log.error("on-call call failed", attempt_id=one.attempt_id, exc_info=result)
    return len(placed)


async def raise_alarms(database: Database, *, now: datetime) -> int:
    """One alarm for each on-site deadline that runs and has none yet; how many were raised."""
    has_one = select(OnCallAlarmRow.id).where(OnCallAlarmRow.deadline_id == TicketDeadlineRow.id).exists()
    query = select(TicketDeadlineRow.id, TicketDeadlineRow.ticket_id, TicketDeadlineRow.basis).where(
        _OPEN_DEADLINE, TicketDeadlineRow.kind == DeadlineKind.ON_SITE.value, ~has_one
    )
    async with database.read() as session:
        missing = (await session.execute(query.limit(A_ROUND))).all()
    raised = 0
    for deadline_id, ticket_id, basis in missing:
        values = {
            "ticket_id": ticket_id,
            "deadline_id": deadline_id,
            "unsure": basis == UNSURE_EMERGENCY,
            "raised_at": now,
            "state": AlarmState.RINGING.value,
            "next_at": now,
        }
        async with database.write() as session:
            raised += await insert_if_absent(session, OnCallAlarmRow, values, "deadline_id")
    return raised


async def _next_calls(database: Database, *, now: datetime, rules: OnCallRules, company: str) -> list[_Placed]:
    done = or_(TicketDeadlineRow.met_at.is_not(None), TicketDeadlineRow.cancelled_at.is_not(None))
    turn = or_(OnCallAlarmRow.next_at <= now, OnCallAlarmRow.next_at > now + rules.answer + CLOCK_SLACK)
    rings = and_(OnCallAlarmRow.state == AlarmState.RINGING.value, turn)
    query = (
        select(OnCallAlarmRow, TicketDeadlineRow, TicketRow)
        .join(TicketDeadlineRow, TicketDeadlineRow.id == OnCallAlarmRow.deadline_id)
        .join(TicketRow, TicketRow.id == OnCallAlarmRow.ticket_id)
        .where(_OPEN_ALARM, or_(done, rings))
        .limit(A_ROUND)
    )
    async with database.read() as session:
        if (await session.execute(query.limit(1))).first() is None:
            return []
    async with database.write() as session:
        if is_postgresql(session):
            query = query.with_for_update(skip_locked=True, of=OnCallAlarmRow)
        placed = []
        for alarm, deadline, ticket in (await session.execute(query)).all():
            if deadline.met_at is not None or deadline.cancelled_at is not None:
                await _end(session, alarm, arrived=deadline.met_at is not None, now=now)
                continue
            one = await _phone_next(session, alarm, ticket, now=now, rules=rules, company=company)
            if one is not None:
                placed.append(one)
        return placed


async def _end(session: AsyncSession, alarm: OnCallAlarmRow, *, arrived: bool, now: datetime) -> None:
    alarm.state, alarm.ended_at = AlarmState.ENDED.value, now
    alarm.reason = (AlarmEnd.ARRIVED if arrived else AlarmEnd.NO_EMERGENCY).value
    await end_topic(session, alarm_topic(alarm.id), now=now)


async def _phone_next(
    session: AsyncSession, alarm: OnCallAlarmRow, ticket: TicketRow, *, now: datetime, rules: OnCallRules, company: str
) -> _Placed | None:
    attempts = (
        await session.scalars(
            select(OnCallAttemptRow).where(OnCallAttemptRow.alarm_id == alarm.id).order_by(OnCallAttemptRow.number)
        )
    ).all()
    for attempt in attempts:
        if attempt.call_id is None and attempt.outcome is None:
            attempt.outcome, attempt.ended_at = UNCERTAIN, now
            log.error("on-call call left unfinished", alarm_id=alarm.id, attempt_id=attempt.id)
    tried = [Tried(phone=one.to_number, at=one.at) for one in attempts]
    chosen = next_call(tried, now=now, estate=ticket.estate, rules=rules)
    if chosen is None:
        await _fall_silent(session, alarm, anybody=bool(attempts), now=now)
        return None
    if chosen.at > now:
        alarm.next_at = chosen.at
        return None
    alarm.next_at = now + rules.answer
    return await _write_attempt(session, alarm, ticket, chosen, len(attempts) + 1, now=now, company=company)


async def _fall_silent(session: AsyncSession, alarm: OnCallAlarmRow, *, anybody: bool, now: datetime) -> None:
    """Everybody was phoned as often as the rules say (or there is nobody): the supervisor is told at once."""
    alarm.state = AlarmState.SILENT.value
    alarm.reason = (AlarmEnd.NOBODY_ACKNOWLEDGED if anybody else AlarmEnd.NOBODY_ON_CALL).value
    matter = Matter(topic=alarm_topic(alarm.id), ticket_id=alarm.ticket_id, deadline_id=alarm.deadline_id)
    await raise_level(session, matter, Telling(level=Level.SUPERVISOR, at=now, cause=Cause.ON_CALL_SILENT), now=now)
    data = {"reason": alarm.reason}
    write_history(session, alarm.ticket_id, HistoryAction.ON_CALL_SILENT, at=now, data=data)
    log.error("nobody on call acknowledged", alarm_id=alarm.id, reason=alarm.reason)


async def _write_attempt(
    session: AsyncSession,
    alarm: OnCallAlarmRow,
    ticket: TicketRow,
    chosen: NextCall,
    number: int,
    *,
    now: datetime,
    company: str,
) -> _Placed:
    attempt = OnCallAttemptRow(
        alarm_id=alarm.id,
        number=number,
        person=chosen.person.name,
        to_number=chosen.person.phone,
        idempotency_key=f"on-call-{alarm.id}-{number}",
        at=now,
        speech=on_call_speech(
            company=company,
            reported=ticket.summary,
            place=Place(**{name: getattr(ticket, name) for name in PLACE_COLUMNS}),
            ticket_number=ticket.number,
            unsure=alarm.unsure,
        ),
    )
    session.add(attempt)
    await session.flush()
    data = {"person": attempt.person, "attempt": number, "unsure": alarm.unsure}
    write_history(session, ticket.id, HistoryAction.ON_CALL_PHONED, at=now, data=data)
    call = OutboundCall(
        idempotency_key=attempt.idempotency_key,
        purpose=f"{ON_CALL}{attempt.id}",
        to_number=attempt.to_number,
        speech=attempt.speech,
        asks_key=True,
        key_prompt=ON_CALL_PROMPT,
        times=ON_CALL_TIMES,
    )
    return _Placed(attempt_id=attempt.id, call=call)


async def _place(database: Database, placed: _Placed, *, clock: Clock, dialler: Dialler) -> None:
    """No transaction is open while it dials. A refusal, or no clear answer: the next person at once."""
    try:
        call_id = await dialler.place_call(placed.call)
    except (DialRefused, DialUncertain) as error:
        outcome = REFUSED_BY_PROVIDER if isinstance(error, DialRefused) else UNCERTAIN
        log.error("on-call call not placed", attempt_id=placed.attempt_id, outcome=outcome, error=str(error))
        async with database.write() as session:
            await attempt_failed(session, placed.attempt_id, outcome, now=clock.now())
        return
    async with database.write() as session:
        await session.execute(
            update(OnCallAttemptRow).where(OnCallAttemptRow.id == placed.attempt_id).values(call_id=call_id)
        )
    log.info("on-call call placed", attempt_id=placed.attempt_id, call_id=call_id)


async def attempt_failed(session: AsyncSession, attempt_id: int, outcome: str, *, now: datetime) -> None:
    """The call ended without an acknowledgement: where it was the newest one, the next person is phoned at once."""
    attempt = await session.get_one(OnCallAttemptRow, attempt_id)
    alarm = await session.get_one(OnCallAlarmRow, attempt.alarm_id, with_for_update=True)
    await session.refresh(attempt)
    if attempt.outcome not in (None, UNCERTAIN):
        return
    attempt.outcome, attempt.ended_at = outcome, now
    newer = select(OnCallAttemptRow.id).where(
        OnCallAttemptRow.alarm_id == attempt.alarm_id, OnCallAttemptRow.number > attempt.number
    )
    if alarm.state == AlarmState.RINGING and await session.scalar(newer.limit(1)) is None:
        alarm.next_at = now
