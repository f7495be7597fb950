"""A media edge with a listener that only remembers, and calls that go on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.engine import Database
from callcenter.db.live import LiveState
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.rings import RingRule
from callcenter.domain.transcript import Segment, Side
from callcenter.ports import LiveAudio, LiveRefused, StreamReport
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.inbox import EventInbox
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.live_words import begin_live_call, end_live_call, write_segments
from callcenter.services.spool import Spool
from callcenter.services.understand_call import CallReader
from tests.conftest import SetClock
from tests.services.conftest import answered_call

ROOT = Path(__file__).resolve().parents[2]
CALL = "twilio:CA1"


@dataclass
class Ear:
    """Remembers what it hears."""

    is_lost: bool = False
    heard: list[LiveAudio] = field(default_factory=list)
    report: StreamReport | None = None

    def hear(self, audio: LiveAudio) -> None:
        self.heard.append(audio)

    async def end(self, report: StreamReport) -> None:
        self.report = report

    def pcm(self, side: Side) -> bytes:
        return b"".join(audio.pcm for audio in self.heard if audio.side is side)


@dataclass
class Listener:
    """Knows the calls that a test names."""

    known: set[str] = field(default_factory=lambda: {CALL})
    ears: dict[str, Ear] = field(default_factory=dict)

    async def begin(self, call_id: str, *, provider: str, stream_id: str) -> Ear:
        if call_id not in self.known:
            raise LiveRefused("unknown_call")
        if call_id in self.ears:
            raise LiveRefused("second_stream")
        self.ears[call_id] = Ear()
        return self.ears[call_id]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def rules() -> FollowUpRules:
    return follow_up_rules(FollowUpSettings(), CalendarSettings(), ConsoleSettings())


@pytest.fixture
def reader(rules: FollowUpRules) -> CallReader:
    return CallReader(zone=rules.zone)


@pytest.fixture
def tickets(database: Database, clock: SetClock, rules: FollowUpRules, reader: CallReader) -> LiveTickets:
    return LiveTickets(database=database, clock=clock, rules=rules, reader=reader)


Happen = Callable[[list[CallEvent]], Awaitable[None]]


@pytest.fixture
async def happen(database: Database, clock: SetClock, tmp_path: Path) -> Happen:
    """Stores events and folds them."""

    async def stored(events: list[CallEvent]) -> None:
        inbox = EventInbox(database, Spool(tmp_path / "spool.sqlite"))
        await inbox.start()
        try:
            await inbox.store(events, received_at=clock.now())
        finally:
            await inbox.close()
        await fold_pending(database, RingRule(), now=clock.now())

    return stored


def going_on(call: str = CALL, *, caller: str = "+8613812346207") -> list[CallEvent]:
    """An answered call whose end has not come yet."""
    ends = (EventKind.LEG_ENDED, EventKind.CALL_ENDED)
    return [event for event in answered_call(call, caller=caller) if event.kind not in ends]


def ending(call: str = CALL) -> list[CallEvent]:
    ends = (EventKind.LEG_ENDED, EventKind.CALL_ENDED)
    return [event for event in answered_call(call) if event.kind in ends]


def said(*lines: str) -> list[Segment]:
    """住户：... or 客服：..., a line a segment, five seconds each."""
    segments = []
    for number, line in enumerate(lines):
        who, text = line.split("：", 1)
        side = Side.AGENT if who == "客服" else Side.RESIDENT
        segments.append(Segment(side=side, start_ms=5000 * number, end_ms=5000 * number + 4000, text=text))
    return segments


async def heard_live(
    database: Database,
    segments: list[Segment],
    *,
    now: datetime,
    call: str = CALL,
    state: LiveState = LiveState.ENDED,
) -> None:
    """The rows that a live call leaves."""
    async with database.write() as session:
        await begin_live_call(session, call, provider="twilio", stream_id="MZ1", now=now)
        if segments:
            await write_segments(session, [(call, number, one) for number, one in enumerate(segments)])
        if state is not LiveState.RUNNING:
            report = StreamReport(whole=state is LiveState.ENDED)
            await end_live_call(session, call, state, report=report, reason=None, now=now)


async def rows_of(database: Database, table: type, **by: object) -> list:  # type: ignore[type-arg]
    async with database.read() as session:
        return list((await session.scalars(select(table).filter_by(**by))).all())
