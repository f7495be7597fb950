"""What on-call people answer: key 1 acknowledges, key 2 (or phoning in and keying 1) says that they are on site."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.on_call import ACKNOWLEDGE_KEY, ARRIVED_KEY, AlarmState
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.ticket_life import HistoryAction
from callcenter.ports import ON_CALL
from callcenter.services.arrivals import arrive_by_phone
from callcenter.services.escalations import end_topic
from callcenter.services.on_call import alarm_topic, attempt_failed
from callcenter.services.ticket_history import write_history

ANSWER, ARRIVED = "answer", "arrived"
"""The purposes of key presses: on a call of ours, and on one of somebody on call who phones in."""


class NoSuchAlarm(Exception):
    """There is no alarm with this id."""


async def record_on_call(session: AsyncSession, call: CallRow, now: datetime) -> None:
    """Run whenever a call is written; running it again changes nothing."""
    if call.direction == Direction.INBOUND:
        await _phoned_in(session, call, now)
        return
    attempt = await _attempt_of(session, call)
    if attempt is None:
        return
    alarm = await session.get_one(OnCallAlarmRow, attempt.alarm_id, with_for_update=True)
    attempt.call_id = call.id
    await session.flush()
    keys = _keys(call, ANSWER)
    if keys:
        await _heed_keys(session, call, alarm, attempt, keys, now=now)
    if call.ended_at is not None and call.outbound_outcome is not None and not keys:
        await attempt_failed(session, attempt.id, call.outbound_outcome, now=now)
    elif call.ended_at is not None and attempt.outcome is None:
        attempt.outcome, attempt.ended_at = call.outbound_outcome or OutboundOutcome.UNKNOWN.value, call.ended_at


async def _attempt_of(session: AsyncSession, call: CallRow) -> OnCallAttemptRow | None:
    """By what the call was made for; else by its id, where only a lookup told of it."""
    number = (call.purpose or "").removeprefix(ON_CALL)
    if (call.purpose or "").startswith(ON_CALL) and number.isascii() and number.isdigit():
        return await session.get(OnCallAttemptRow, int(number))
    if call.purpose is not None:
        return None
    return await session.scalar(select(OnCallAttemptRow).where(OnCallAttemptRow.call_id == call.id))


def _keys(call: CallRow, purpose: str) -> str:
    return "".join(str(digits) for kind, digits in call.keys if kind == purpose)


async def _heed_keys(
    session: AsyncSession,
    call: CallRow,
    alarm: OnCallAlarmRow,
    attempt: OnCallAttemptRow,
    keys: str,
    *,
    now: datetime,
) -> None:
    if keys == attempt.keys:
        return
    attempt.keys = keys
    await session.flush()
    if keys[-1] not in (ACKNOWLEDGE_KEY, ARRIVED_KEY):
        await attempt_failed(session, attempt.id, OutboundOutcome.REACHED.value, now=now)
        return
    await _acknowledge(session, alarm, attempt.person, at=call.answered_at or now, now=now, call_id=call.id)
    if keys[-1] == ARRIVED_KEY:
        ticket = await session.get_one(TicketRow, alarm.ticket_id, with_for_update={"key_share": True})
        await arrive_by_phone(session, ticket, person=attempt.person, call_id=call.id, at=call.ended_at or now, now=now)


async def _acknowledge(
    session: AsyncSession, alarm: OnCallAlarmRow, person: str, *, at: datetime, now: datetime, call_id: str | None
) -> bool:
    """Nobody else is phoned; also after the alarm had fallen silent. The first one to acknowledge stays."""
    if alarm.acknowledged_at is not None or alarm.ended_at is not None:
        return False
    alarm.state, alarm.acknowledged_by, alarm.acknowledged_at = AlarmState.ACKNOWLEDGED.value, person, at
    await end_topic(session, alarm_topic(alarm.id), now=now)
    data = {"call_id": call_id} if call_id else {}
    write_history(session, alarm.ticket_id, HistoryAction.ON_CALL_ACKNOWLEDGED, at=now, actor=person, data=data)
    return True


async def acknowledge_alarm(database: Database, alarm_id: int, *, actor: str, now: datetime) -> bool:
    """On the console: somebody has it in hand. False where it was acknowledged or over. Raises NoSuchAlarm."""
    async with database.write() as session:
        alarm = await session.get(OnCallAlarmRow, alarm_id, with_for_update=True)
        if alarm is None:
            raise NoSuchAlarm(alarm_id)
        return await _acknowledge(session, alarm, actor, at=now, now=now, call_id=None)


async def _phoned_in(session: AsyncSession, call: CallRow, now: datetime) -> None:
    """Somebody on call has phoned and keyed that they are on site: it ends the clock of the alarm they were told of.

    Where they were phoned about several, it is the newest one that they acknowledged, else the newest one.
    """
    number = dialable(call.from_number)
    if number is None or _keys(call, ARRIVED)[-1:] != ACKNOWLEDGE_KEY:
        return
    query = (
        select(OnCallAlarmRow, OnCallAttemptRow.person)
        .join(OnCallAttemptRow, OnCallAttemptRow.alarm_id == OnCallAlarmRow.id)
        .where(
            OnCallAttemptRow.to_number == number,
            OnCallAlarmRow.ended_at.is_(None),
            OnCallAlarmRow.raised_at <= call.last_event_at,
        )
        .order_by(OnCallAlarmRow.id.desc(), OnCallAttemptRow.number.desc())
    )
    found = (await session.execute(query)).all()
    if not found:
        return
    alarm, person = next(((one, name) for one, name in found if one.acknowledged_by == name), found[0])
    await _acknowledge(session, alarm, person, at=now, now=now, call_id=call.id)
    ticket = await session.get_one(TicketRow, alarm.ticket_id, with_for_update={"key_share": True})
    await arrive_by_phone(session, ticket, person=person, call_id=call.id, at=call.ended_at or now, now=now)
