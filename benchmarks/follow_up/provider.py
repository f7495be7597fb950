"""The provider's far end: it phones residents, reports what happened as events, and remembers every phone that rang."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from benchmarks.follow_up.residents import Residents, answers, keys_pressed
from benchmarks.follow_up.virtual_time import Agenda, Happening, VirtualClock
from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.calls import CallEvent, Direction, EndReason, EventKind, OutboundOutcome
from callcenter.domain.moments import Clock, Moment
from callcenter.ports import DialRefused, DialUncertain, OutboundCall, ProviderUnreachable
from callcenter.services.ask_after_calls import QUIET_MINUTES

HOTLINE = "+8657112345678"
NAME = "twilio"
Deliver = Callable[[Sequence[CallEvent]], Awaitable[None]]

_ENDS: dict[OutboundOutcome, tuple[EndReason, int | None, float]] = {
    OutboundOutcome.REACHED: (EndReason.COMPLETED, None, 48),
    OutboundOutcome.MACHINE: (EndReason.COMPLETED, None, 30),
    OutboundOutcome.BUSY: (EndReason.BUSY, 486, 2),
    OutboundOutcome.REFUSED: (EndReason.BUSY, 603, 9),
    OutboundOutcome.NO_ANSWER: (EndReason.NO_ANSWER, None, 31),
    OutboundOutcome.WRONG_NUMBER: (EndReason.FAILED, 404, 1),
    OutboundOutcome.FAILED: (EndReason.FAILED, 503, 2),
}
"""Reason, SIP code, and seconds from the order to the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rang:
    """A phone that really rang (or was tried): the truth that the rows are held against."""

    idempotency_key: str
    call_id: str
    number: str
    at: datetime
    ended_at: datetime
    outcome: OutboundOutcome
    keys: str


@dataclass(kw_only=True)
class Mood:
    """How the provider fares at present: shares of orders that it refuses, takes without saying so, or drops."""

    refuses: float = 0.0
    takes_and_says_500: float = 0.0
    drops_and_says_500: float = 0.0
    reports_before_it_answers: float = 0.0
    loses_last_event: float = 0.004
    repeats_events: float = 0.0
    unreachable_when_asked: bool = False


def event(kind: EventKind, call_id: str, at: datetime, *, leg_id: str | None = None, **data: Any) -> CallEvent:
    subject = leg_id or call_id
    return CallEvent(
        event_id=f"{subject}:{kind.value}",
        provider=NAME,
        call_id=call_id,
        kind=kind,
        at=Moment.whole_second(at.replace(microsecond=0), Clock.PROVIDER),
        leg_id=leg_id,
        data={name: value for name, value in data.items() if value is not None},
    )


class FarEnd:
    """Dialler and CallLookup in one. What becomes of an order follows from the seed and its idempotency key alone."""

    def __init__(
        self,
        *,
        seed: int,
        residents: Residents,
        clock: VirtualClock,
        agenda: Agenda,
        calendar: WorkCalendar,
        deliver: Deliver,
        asks: Happening,
    ) -> None:
        self._seed = seed
        self._residents = residents
        self._clock = clock
        self._agenda = agenda
        self._calendar = calendar
        self._deliver = deliver
        self._asks = asks
        self._lost: dict[str, list[CallEvent]] = {}
        self.mood = Mood()
        self.orders = 0
        self.refused: set[str] = set()
        self.rang: dict[str, Rang] = {}

    async def place_call(self, call: OutboundCall) -> str:
        """The same idempotency key is the same call: nobody's phone rings twice for it."""
        self.orders += 1
        known = self.rang.get(call.idempotency_key)
        if known is not None:
            return known.call_id
        draw = Random(f"{self._seed}:order:{call.idempotency_key}")
        luck = draw.random()
        if luck < self.mood.refuses:
            self.refused.add(call.idempotency_key)
            raise DialRefused("429: too many calls")
        luck -= self.mood.refuses
        if luck < self.mood.drops_and_says_500:
            raise DialUncertain("500, and nobody was dialled")
        luck -= self.mood.drops_and_says_500
        rang, events = self._ring(call, draw)
        if draw.random() < self.mood.reports_before_it_answers:
            await self._deliver(events[:2])
        if luck < self.mood.takes_and_says_500:
            raise DialUncertain("500, after having dialled")
        return rang.call_id

    def _ring(self, call: OutboundCall, draw: Random) -> tuple[Rang, list[CallEvent]]:
        resident, local = self._residents.of_number(call.to_number), self._calendar.local(self._clock.at)
        day_off = not self._calendar.is_working_day(local.date())
        outcome = answers(resident, local, draw, is_day_off=day_off)
        keys = ""
        if outcome is OutboundOutcome.REACHED:
            keys = keys_pressed(resident, draw, kind=call.kind)
        seconds = _ENDS[outcome][2]
        rang = Rang(
            idempotency_key=call.idempotency_key,
            call_id=f"{NAME}:CA-{call.idempotency_key}",
            number=call.to_number,
            at=self._clock.at,
            ended_at=self._clock.at + timedelta(seconds=seconds),
            outcome=outcome,
            keys=keys,
        )
        self.rang[call.idempotency_key] = rang
        events = _events_of(rang, purpose=call.purpose)
        self._report(rang, events, draw)
        return rang, events

    def _report(self, rang: Rang, events: list[CallEvent], draw: Random) -> None:
        early, late = events[:2], events[2:]
        if draw.random() < self.mood.loses_last_event:
            self.loses(rang.call_id, late.pop())
        if draw.random() < self.mood.repeats_events:
            early, late = late[:1] + early, early + late + late
        self._agenda.at(rang.at + timedelta(seconds=2), lambda: self._deliver(early))
        self._agenda.at(rang.ended_at + timedelta(seconds=1), lambda: self._deliver(late))

    def loses(self, call_id: str, last: CallEvent) -> None:
        """The end of this call is told only when asked for, and we ask after a call that has been quiet so long."""
        self._lost[call_id] = [last]
        self._agenda.at(last.at.latest + timedelta(minutes=QUIET_MINUTES, seconds=30), self._asks)

    async def events_of(self, call_id: str) -> Sequence[CallEvent]:
        """Calls still under way have no end yet."""
        if self.mood.unreachable_when_asked:
            raise ProviderUnreachable("503")
        return self._lost.get(call_id, ())


def _events_of(rang: Rang, *, purpose: str) -> list[CallEvent]:
    """In order, the end last."""
    reason, sip_code, seconds = _ENDS[rang.outcome]
    common: dict[str, Any] = {
        "direction": Direction.OUTBOUND.value,
        "purpose_id": purpose,
        "from": HOTLINE,
        "to": rang.number,
    }
    call, at = rang.call_id, rang.at
    events = [
        event(EventKind.CALL_STARTED, call, at, **common),
        event(EventKind.CALL_RINGING, call, at + timedelta(seconds=1), **common),
    ]
    if rang.outcome in (OutboundOutcome.REACHED, OutboundOutcome.MACHINE):
        events.append(event(EventKind.CALL_ANSWERED, call, at + timedelta(seconds=7), **common))
    if rang.keys:
        pressed = at + timedelta(seconds=40)
        events.append(event(EventKind.KEY_PRESSED, call, pressed, purpose="answer", digits=rang.keys))
    machine = "machine_start" if rang.outcome is OutboundOutcome.MACHINE else None
    end = at + timedelta(seconds=seconds)
    events.append(
        event(EventKind.CALL_ENDED, call, end, reason=reason.value, sip_code=sip_code, answered_by=machine, **common)
    )
    return events
