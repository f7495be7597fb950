"""The page of a call that goes on: what is said on it comes by the live feed, to those who may see the call."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from callcenter.config import Settings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveState
from callcenter.db.recordings import RecordingRow
from callcenter.domain.transcript import Segment, Side
from callcenter.ports import StreamReport
from callcenter.services.live_board import LiveBoard, LiveLine
from callcenter.services.live_words import begin_live_call, end_live_call, write_segments
from callcenter.web import add_console
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn

CALL = "CA-leak"


@pytest.fixture
def board() -> LiveBoard:
    return LiveBoard()


@pytest.fixture
async def console(
    database: Database, clock: SetClock, settings: Settings, day: None, board: LiveBoard
) -> AsyncIterator[TestServer]:
    """The day's first call goes on, heard live; it has no recording yet."""
    async with database.write() as session:
        await session.execute(update(CallRow).where(CallRow.id == CALL).values(ended_at=None))
        await session.execute(update(RecordingRow).where(RecordingRow.call_id == CALL).values(call_id="CA-noise"))
        await begin_live_call(session, CALL, provider="twilio", stream_id="MZ1", now=clock.now())
        said = Segment(side=Side.RESIDENT, start_ms=1000, end_ms=2000, text="三栋五零一漏水")
        await write_segments(session, [(CALL, 0, said)])
    board.begin(CALL)
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock, live=board)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def next_words(response: Any) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            if (await response.content.readline()).strip() == b"event: talk":
                line = await response.content.readline()
                words: dict[str, Any] = json.loads(line.decode().removeprefix("data:"))
                return words


async def test_words_come_as_they_are_said(sign_in: SignIn, board: LiveBoard) -> None:
    client = await sign_in("lijia")
    stream = await client.get(f"/events?call={CALL}")
    assert (await next_words(stream))["state"] == "running"
    board.partial(CALL, Side.RESIDENT, "电梯卡住")
    grey = await next_words(stream)
    assert (grey["lines"], grey["partials"]) == ([], [{"side": "resident", "css": "res", "text": "电梯卡住"}])
    board.line(CALL, LiveLine(side=Side.RESIDENT, start_ms=61_000, text="电梯卡住了里面有人", danger=("里面有人",)))
    board.emergency(CALL)
    ink = await next_words(stream)
    assert ink["from"] == 0
    assert ink["lines"][0]["text"] == "电梯卡住了里面有人"
    assert ink["lines"][0]["danger"] == ["里面有人"]
    assert ink["partials"] == []
    board.end(CALL, LiveState.ENDED)
    last = await next_words(stream)
    while last["state"] != "ended":
        last = await next_words(stream)
    assert last["emergency"]
    stream.close()


async def test_a_page_that_comes_back_hears_everything_again(sign_in: SignIn, board: LiveBoard) -> None:
    for number in range(3):
        board.line(CALL, LiveLine(side=Side.AGENT, start_ms=number, text=f"第{number}句"))
    stream = await (await sign_in("lijia")).get(f"/events?call={CALL}")
    words = await next_words(stream)
    assert [line["text"] for line in words["lines"]] == ["第0句", "第1句", "第2句"]
    stream.close()


async def test_only_those_who_may_see_the_call_hear_it(sign_in: SignIn) -> None:
    assert (await (await sign_in("zhaoqiang")).get(f"/events?call={CALL}")).status == 403
    assert (await (await sign_in("lijia")).get("/events?call=CA-none")).status == 404


async def test_the_page_of_a_call_on_the_line_waits_for_its_words(sign_in: SignIn) -> None:
    client: Client = await sign_in("lijia")
    page = await (await client.get(f"/calls/{CALL}")).text()
    assert f'data-talk="{CALL}"' in page
    assert f'<a href="/calls/{CALL}">' in page, "the way to it stands on every page"
    assert "正在通话" in await (await client.get("/tickets")).text()


async def test_until_the_recording_is_there_the_page_shows_what_was_heard(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    async with database.write() as session:
        report = StreamReport(whole=True)
        await end_live_call(session, CALL, LiveState.ENDED, report=report, reason=None, now=clock.now())
    page = await (await (await sign_in("lijia")).get(f"/calls/{CALL}")).text()
    assert "三栋五零一漏水" in page
    assert "等录音转写核对" in page
    assert "data-talk=" not in page
