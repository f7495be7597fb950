"""Calls, drafts and a far end for the follow-up; the database is a real one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callcenter.config import AgentSettings, CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.rings import Disposition
from callcenter.domain.tickets import (
    Evidence,
    Found,
    Place,
    Promise,
    PromiseKind,
    RequestType,
    TicketDraft,
    Urgency,
)
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.ports import OutboundCall
from callcenter.services.call_outcomes import record_outcome
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.open_ticket import OpenedTicket, open_ticket
from tests.conftest import SetClock

T = TypeVar("T")
SHANGHAI = ZoneInfo("Asia/Shanghai")
RESIDENT = "+8613812346207"
AGENTS = (AgentSettings(id="hewen", name="何雯", phone="sip:hewen@pbx.example"),)
HOME = Place(building="3", unit="2", room="501")


@pytest.fixture
def rules() -> FollowUpRules:
    return follow_up_rules(FollowUpSettings(), CalendarSettings(), ConsoleSettings(), AGENTS)


def local(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    """A time in Shanghai in 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def inbound(call_id: str, at: datetime, **other: object) -> CallRow:
    """An answered call of a resident; `other` changes it."""
    values: dict[str, object] = {
        "id": call_id,
        "provider": "twilio",
        "direction": Direction.INBOUND.value,
        "from_number": RESIDENT,
        "to_number": "+8657112345678",
        "started_at": at,
        "answered_at": at + timedelta(seconds=6),
        "ended_at": at + timedelta(minutes=1),
        "last_event_at": at + timedelta(minutes=1),
        "disposition": Disposition.ANSWERED.value,
        "answered_by": "hewen",
        "keys": [],
        "event_count": 1,
    }
    return CallRow(**values | other)


def missed(call_id: str, at: datetime, disposition: Disposition, **other: object) -> CallRow:
    return inbound(call_id, at, **{"answered_at": None, "answered_by": None, "disposition": disposition.value} | other)


def outbound(
    call_id: str,
    at: datetime,
    outcome: OutboundOutcome,
    *,
    reminder_id: int | None,
    to_number: str = RESIDENT,
    keys: str = "",
) -> CallRow:
    """A call of ours to a resident that is over."""
    return inbound(
        call_id,
        at,
        direction=Direction.OUTBOUND.value,
        from_number="+8657112345678",
        to_number=to_number,
        answered_by=None,
        answered_at=at if outcome is OutboundOutcome.REACHED else None,
        disposition=Disposition.IN_PROGRESS.value,
        outbound_outcome=outcome.value,
        reminder_id=reminder_id,
        keys=[["answer", keys]] if keys else [],
    )


def heard(value: T, confidence: float = 0.9, words: str = "words") -> Found[T]:
    evidence = Evidence(side=Side.RESIDENT, words=words, start_ms=1000, end_ms=2000)
    return Found(value=value, confidence=confidence, evidence=(evidence,))


def leak(**other: object) -> TicketDraft:
    """A kitchen leak in 3栋2单元501, everything sure; `other` changes it."""
    values: dict[str, object] = {
        "request_type": heard(RequestType.REPAIR),
        "categories": (heard("plumbing"),),
        "urgency": heard(Urgency.NORMAL),
        "place": heard(HOME),
        "contact": heard("王女士"),
        "phone": heard("13912344471"),
        "summary": heard("厨房水管漏水"),
    }
    return TicketDraft(**values | other)  # type: ignore[arg-type]


def call_back(due: datetime | None, confidence: float = 0.9) -> Found[Promise]:
    promise = Promise(kind=PromiseKind.CALL_BACK, text="半小时之内给您回电", due=due)
    return heard(promise, confidence)


SAID = Transcript.of([Segment(side=Side.RESIDENT, start_ms=0, end_ms=900, text="漏水")], duration_ms=60_000)


class Opens:
    """Opens tickets the way the transcription job does."""

    def __init__(self, database: Database, clock: SetClock, rules: FollowUpRules) -> None:
        self.database, self.clock, self.rules = database, clock, rules

    async def __call__(
        self, call: CallRow, draft: TicketDraft, *, transcript: Transcript | None = SAID, failure: str | None = None
    ) -> OpenedTicket:
        async with self.database.write() as session:
            row = await session.merge(call)
            await session.flush()
            return await open_ticket(
                session,
                call=row,
                transcript=transcript,
                draft=draft,
                now=self.clock.now(),
                rules=self.rules,
                failure=failure,
            )


@pytest.fixture
def opens(database: Database, clock: SetClock, rules: FollowUpRules) -> Opens:
    return Opens(database, clock, rules)


class FarEnd:
    """A provider that takes every call; `answer` makes it do otherwise."""

    def __init__(self) -> None:
        self.calls: list[OutboundCall] = []
        self.answer: Callable[[OutboundCall], str] = lambda call: f"CA-{call.idempotency_key}"

    async def place_call(self, call: OutboundCall) -> str:
        self.calls.append(call)
        return self.answer(call)


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


async def reminders(database: Database) -> list[ReminderRow]:
    async with database.read() as session:
        return list((await session.scalars(select(ReminderRow).order_by(ReminderRow.id))).all())


async def attempts(database: Database) -> list[ReminderAttemptRow]:
    async with database.read() as session:
        return list((await session.scalars(select(ReminderAttemptRow).order_by(ReminderAttemptRow.id))).all())


async def ends(database: Database, call: CallRow, clock: SetClock, rules: FollowUpRules) -> None:
    """The events of a call of ours have come in."""
    async with database.write() as session:
        row = await session.merge(call)
        await session.flush()
        await record_outcome(session, row, clock.now(), rules=rules)


async def the_reminder(database: Database) -> ReminderRow:
    (reminder,) = await reminders(database)
    return reminder


class Round:
    """One tick of one process."""

    def __init__(self, database: Database, clock: SetClock, far_end: FarEnd, rules: FollowUpRules) -> None:
        self.database, self.clock, self.far_end, self.rules = database, clock, far_end, rules

    async def __call__(self, claimer: str = "one", limit: int = 20) -> int:
        return await dial_due_reminders(
            self.database, clock=self.clock, dialler=self.far_end, rules=self.rules, claimer=claimer, limit=limit
        )


@pytest.fixture
def tick(database: Database, clock: SetClock, far_end: FarEnd, rules: FollowUpRules) -> Round:
    return Round(database, clock, far_end, rules)


async def ended(
    tick: Round, outcome: OutboundOutcome, at: datetime, *, call_id: str | None = None, keys: str = ""
) -> ReminderRow:
    """The last call of the only reminder ended; its events have come in."""
    reminder = await the_reminder(tick.database)
    call = outbound(
        call_id or f"CA-reminder-{reminder.id}-{reminder.attempts}",
        at,
        outcome,
        reminder_id=reminder.id,
        to_number=reminder.to_number,
        keys=keys,
    )
    await ends(tick.database, call, tick.clock, tick.rules)
    return await the_reminder(tick.database)
