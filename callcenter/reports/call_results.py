"""What came of each call of a resident: how it was answered, its ticket, the calls that we owed and made."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.recordings import RecordingRow
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import Direction
from callcenter.domain.tickets import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class TryResult:
    """One try to reach the resident; `outcome` None while it is under way."""

    at: datetime
    to_number: str
    speech: str
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CallBackResult:
    """A call that we owe a resident, and every try at it."""

    kind: str
    state: str
    reason: str | None
    due_at: datetime
    tries: tuple[TryResult, ...]

    @property
    def last(self) -> TryResult | None:
        return self.tries[-1] if self.tries else None


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketResult:
    """The call's ticket. `relation`: first, or repeat for a call that joined it; `place` as it is written."""

    id: int
    number: str
    relation: str
    type: str | None
    category: str | None
    urgency: str | None
    place: str | None
    phone: str | None
    contact: str | None
    summary: str | None
    call_count: int
    must_listen: bool
    no_action_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OnCallResult:
    """The alarm of an emergency: everybody who was phoned, and who acknowledged when."""

    state: str
    reason: str | None
    unsure: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    tries: tuple[TryResult, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallResult:
    """One inbound call. `rings`: fewest and most that the resident can have heard; `recordings`: the state of each."""

    id: str
    from_number: str | None
    started_at: datetime
    ended_at: datetime | None
    disposition: str
    rings: tuple[int, int] | None
    ring_ms: tuple[int, int] | None
    verdict: str | None
    answered_by: str | None
    closed_unknown: bool
    recordings: tuple[str, ...]
    ticket: TicketResult | None
    call_backs: tuple[CallBackResult, ...]
    on_call: OnCallResult | None = None


async def call_results(session: AsyncSession) -> list[CallResult]:
    """All inbound calls, the earliest first."""
    calls = (
        await session.scalars(
            select(CallRow).where(CallRow.direction == Direction.INBOUND).order_by(CallRow.started_at, CallRow.id)
        )
    ).all()
    tickets = await _tickets(session)
    recordings = (
        await session.execute(select(RecordingRow.call_id, RecordingRow.state).order_by(RecordingRow.id))
    ).all()
    call_backs, alarms = await _call_backs(session), await _alarms(session)
    return [
        _result(
            call,
            ticket=tickets.get(call.id),
            recordings=tuple(state for call_id, state in recordings if call_id == call.id),
            call_backs=call_backs,
            alarms=alarms,
        )
        for call in calls
    ]


async def _tickets(session: AsyncSession) -> dict[str, TicketResult]:
    query = select(TicketCallRow, TicketRow).join(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
    return {link.call_id: _ticket(ticket, link.relation) for link, ticket in (await session.execute(query)).all()}


def _ticket(row: TicketRow, relation: str) -> TicketResult:
    place = Place(
        estate=row.estate,
        phase=row.phase,
        lane=row.lane,
        building=row.building,
        unit=row.unit,
        floor=row.floor,
        room=row.room,
    )
    return TicketResult(
        id=row.id,
        number=row.number,
        relation=relation,
        type=row.request_type,
        category=row.category,
        urgency=row.urgency,
        place=place.written() or None,
        phone=row.phone,
        contact=row.contact,
        summary=row.summary,
        call_count=row.call_count,
        must_listen=row.must_listen,
        no_action_reason=row.no_action_reason,
    )


async def _call_backs(session: AsyncSession) -> list[tuple[ReminderRow, CallBackResult]]:
    reminders = (await session.scalars(select(ReminderRow).order_by(ReminderRow.id))).all()
    attempts = (await session.scalars(select(ReminderAttemptRow).order_by(ReminderAttemptRow.number))).all()
    by_reminder: dict[int, list[TryResult]] = defaultdict(list)
    for row in attempts:
        made = TryResult(at=row.at, to_number=row.to_number, speech=row.speech, outcome=row.outcome)
        by_reminder[row.reminder_id].append(made)
    return [(reminder, _call_back(reminder, tuple(by_reminder[reminder.id]))) for reminder in reminders]


async def _alarms(session: AsyncSession) -> dict[int, OnCallResult]:
    """The newest alarm of each ticket."""
    alarms = (await session.scalars(select(OnCallAlarmRow).order_by(OnCallAlarmRow.id))).all()
    attempts = (await session.scalars(select(OnCallAttemptRow).order_by(OnCallAttemptRow.number))).all()
    tries: dict[int, list[TryResult]] = defaultdict(list)
    for row in attempts:
        made = TryResult(at=row.at, to_number=row.to_number, speech=row.speech, outcome=row.outcome)
        tries[row.alarm_id].append(made)
    return {
        alarm.ticket_id: OnCallResult(
            state=alarm.state,
            reason=alarm.reason,
            unsure=alarm.unsure,
            acknowledged_by=alarm.acknowledged_by,
            acknowledged_at=alarm.acknowledged_at,
            tries=tuple(tries[alarm.id]),
        )
        for alarm in alarms
    }


def _call_back(reminder: ReminderRow, tries: tuple[TryResult, ...]) -> CallBackResult:
    return CallBackResult(
        kind=reminder.kind, state=reminder.state, reason=reminder.reason, due_at=reminder.due_at, tries=tries
    )


def _result(
    call: CallRow,
    *,
    ticket: TicketResult | None,
    recordings: tuple[str, ...],
    call_backs: Iterable[tuple[ReminderRow, CallBackResult]],
    alarms: Mapping[int, OnCallResult],
) -> CallResult:
    return CallResult(
        id=call.id,
        from_number=call.from_number,
        started_at=call.started_at,
        ended_at=call.ended_at,
        disposition=call.disposition,
        rings=_pair(call.rings_low, call.rings_high),
        ring_ms=_pair(call.ring_low_ms, call.ring_high_ms),
        verdict=call.verdict,
        answered_by=call.answered_by,
        closed_unknown=call.closed_unknown,
        recordings=recordings,
        ticket=ticket,
        call_backs=tuple(shown for reminder, shown in call_backs if _belongs(reminder, call, ticket)),
        on_call=alarms.get(ticket.id) if ticket is not None and ticket.relation == "first" else None,
    )


def _pair(low: int | None, high: int | None) -> tuple[int, int] | None:
    return (low, high) if low is not None and high is not None else None


def _belongs(reminder: ReminderRow, call: CallRow, ticket: TicketResult | None) -> bool:
    """A call-back belongs to the call that it names, else to the first call of its ticket."""
    if reminder.call_id is not None:
        return reminder.call_id == call.id
    if ticket is None or reminder.ticket_id != ticket.id:
        return False
    return call.id in reminder.topic if ":promise:" in reminder.topic else ticket.relation == "first"
