"""A call of the desk's tests: a known resident phones, and what the recogniser hears of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from callcenter.config import Settings
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.fees import FeeRow
from callcenter.db.live import LiveState
from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.domain.transcript import Segment, Side, Word
from callcenter.ports import StreamReport
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_board import LiveBoard, LiveLine
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.live_words import begin_live_call, end_live_call, write_segments
from callcenter.services.understand_call import CallReader
from callcenter.web import add_console
from callcenter.web.keys import NEWS
from tests.conftest import SetClock
from tests.web.test_wall import ring

CALL = "CA-rings"
NUMBER = "+8613800016207"


async def register(database: Database, clock: SetClock) -> None:
    """The number that phones lives at 3-2-501 and owes two items."""
    async with database.write() as session:
        session.add(RegisterRoomRow(id=1, estate="翠湖花园", building="3", unit="2", room="501"))
        await session.flush()
        session.add(RegisterResidentRow(room_id=1, name="王秀兰", phone=NUMBER))
        for items, fen in (("物业费2026年1季度", 63200), ("物业费2026年2季度", 63200)):
            fee = {"number": NUMBER, "place": "3栋2单元501", "due_on": date(2026, 6, 30), "imported_at": clock.now()}
            session.add(FeeRow(items=items, amount_fen=fen, **fee))


@asynccontextmanager
async def desk_console(
    database: Database, clock: SetClock, settings: Settings, rules: FollowUpRules, board: LiveBoard
) -> AsyncIterator[TestServer]:
    """The console with calls heard live; what is understood is understood by the real rules."""
    tickets = LiveTickets(database=database, clock=clock, rules=rules, reader=CallReader(zone=settings.zone))
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock, live=board, live_tickets=tickets)
    server = TestServer(app)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()


async def rings(database: Database, clock: SetClock, server: TestServer, *, seconds: float = 7.4) -> None:
    await ring(database, clock, CALL, "li", seconds=seconds)
    server.app[NEWS].tell()


async def answered(database: Database, clock: SetClock, server: TestServer, board: LiveBoard) -> None:
    async with database.write() as session:
        talk: dict[str, Any] = {"answered_at": clock.now(), "disposition": "answered", "answered_by": "li"}
        heard = {"ring_low_ms": 7400, "ring_high_ms": 7400, "rings_low": 2, "rings_high": 2, "verdict": "within"}
        await session.execute(update(CallRow).where(CallRow.id == CALL).values(**talk, **heard))
        leg = update(CallLegRow).where(CallLegRow.call_id == CALL)
        await session.execute(leg.values(answered_at=clock.now(), outcome="answered"))
        await begin_live_call(session, CALL, provider="twilio", stream_id="MZ1", now=clock.now())
    board.begin(CALL)
    server.app[NEWS].tell()


async def said(database: Database, board: LiveBoard, *, side: Side, second: int, text: str) -> None:
    """A sentence that stands, with the times of its words, as the recogniser tells it."""
    begins = second * 1000
    words = tuple(
        Word(text=one, start_ms=begins + 200 * place, end_ms=begins + 200 * (place + 1), confidence=0.95)
        for place, one in enumerate(text)
    )
    segment = Segment(side=side, start_ms=begins, end_ms=begins + 200 * len(text), text=text, words=words)
    line = LiveLine(side=side, start_ms=begins, text=text, segment=segment)
    talk = board.talk(CALL)
    number = len(talk.lines) if talk else 0
    async with database.write() as session:
        await write_segments(session, [(CALL, number, line.as_segment())])
    board.line(CALL, line)


async def hung_up(database: Database, clock: SetClock, server: TestServer, board: LiveBoard) -> None:
    clock.advance(seconds=90)
    async with database.write() as session:
        over = {"ended_at": clock.now(), "talk_low_ms": 90000, "talk_high_ms": 90000, "hung_up_by": "resident"}
        await session.execute(update(CallRow).where(CallRow.id == CALL).values(**over, last_event_at=clock.now()))
        await session.execute(update(CallLegRow).where(CallLegRow.call_id == CALL).values(ended_at=clock.now()))
        report = StreamReport(whole=True)
        await end_live_call(session, CALL, LiveState.ENDED, report=report, reason=None, now=clock.now())
    board.end(CALL, LiveState.ENDED)
    server.app[NEWS].tell()
