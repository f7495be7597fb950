"""The wall board in headless Chromium: it counts by itself, says when it is old, comes back, and does not grow."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import Page, expect
from sqlalchemy import update

from callcenter.config import Settings
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.domain.agent_states import AgentState
from callcenter.services.agent_states import say_state
from callcenter.services.wall_screens import add_screen
from callcenter.web import add_console
from tests.conftest import SetClock
from tests.web.test_browser import BOTH, SHOTS, WIDTHS, Room, language, room
from tests.web.test_wall import ring, wait_in_line

__all__ = ["language", "room"]
pytestmark = pytest.mark.browser


async def serve(settings: Settings, database: Database, clock: SetClock, *, port: int) -> TestServer:
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock)
    server = TestServer(app, port=port)
    await server.start_server(shutdown_timeout=0.2)
    return server


@pytest.fixture
async def screen(database: Database, clock: SetClock) -> str:
    return "/wall/" + await add_screen(database, name="客服大厅", actor="hewen", now=clock.now())


@pytest.fixture
async def busy(database: Database, clock: SetClock, day: None) -> None:
    """Two phones ring, one of them for the fourth time; one talks, one is away, somebody waits."""
    await ring(database, clock, "CA-ring", "li", seconds=7.4)
    await ring(database, clock, "CA-fourth", "sun", seconds=16)
    await wait_in_line(database, clock, "CA-wait", seconds=8)
    await ring(database, clock, "CA-talk", "chen", seconds=90)
    async with database.write() as session:
        talk = {"answered_at": clock.now(), "disposition": "answered"}
        await session.execute(update(CallRow).where(CallRow.id == "CA-talk").values(talk))
        leg = update(CallLegRow).where(CallLegRow.call_id == "CA-talk")
        await session.execute(leg.values(answered_at=clock.now(), outcome="answered"))
    await say_state(database, agent="zhao", state=AgentState.AWAY, actor="zhaoqiang", now=clock.now())


async def runs(clock: SetClock) -> None:
    """The server's time goes on as the browser's does: what it tells again in between must not set the rings back."""
    while True:
        await asyncio.sleep(0.1)
        clock.advance(seconds=0.1)


@BOTH
async def test_rings_go_on_by_themselves_and_late_ones_stand_out(
    room: Room, busy: None, screen: str, clock: SetClock
) -> None:
    page = room.page
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await room.open(f"{screen}?lang={room.language}")
    late, second = page.locator(".wring li").nth(0), page.locator(".wring li").nth(1)
    await expect(late.locator("b")).to_have_text(room.say("第 %(ring)s 声", ring=4))
    await expect(late).to_have_class("late")
    await expect(second.locator("b")).to_have_text(room.say("第 %(ring)s 声", ring=2))
    assert await second.locator(".boxes .now").count() == 1
    running = asyncio.create_task(runs(clock))
    await expect(second.locator("b")).to_have_text(room.say("第 %(ring)s 声", ring=3), timeout=6000)
    running.cancel()
    await expect(page.locator(".wag li", has_text="陈敏")).to_contain_text(f"{room.say('通话')}0:0")
    await expect(page.locator(".wag li", has_text="赵强")).to_contain_text(room.say("离开"))
    if SHOTS:
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 1080 if width == 1920 else 800})
            for theme in ("dark", "light"):
                await page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                await page.screenshot(
                    path=Path(SHOTS) / f"wall-{width}-{theme}-{room.language}.png", full_page=width < 1200
                )
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 1080})
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{wide} px too wide at {width}"


@pytest.fixture
async def console(settings: Settings, database: Database, clock: SetClock, day: None) -> AsyncIterator[TestServer]:
    server = await serve(settings, database, clock, port=unused_port())
    yield server
    await server.close()


async def test_a_lost_link_is_said_and_a_server_that_comes_back_is_found(
    room: Room, console: TestServer, settings: Settings, database: Database, clock: SetClock, screen: str
) -> None:
    page, fresh = room.page, room.page.locator("[data-fresh]")
    await page.add_init_script("window.pageNumber = Math.random()")
    await room.open(screen)
    await expect(fresh).to_contain_text("秒前")
    first = await page.evaluate("window.pageNumber")
    port = console.port
    assert port is not None
    await console.close()
    await expect(fresh).to_contain_text("数据停在 10:00", timeout=15000)
    await expect(page.locator("body")).to_have_class("wall stale")
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "wall-stale.png")
    await ring(database, clock, "CA-ring", "li", seconds=2)
    again = await serve(settings, database, clock, port=port)
    await expect(page.locator("body")).to_have_class("wall", timeout=15000)
    await expect(page.locator(".wring li")).to_have_count(1)
    assert await page.evaluate("window.pageNumber") == first, "the board came back without a reload"
    room.faults = [one for one in room.faults if "ERR_" not in one]  # the link was cut on purpose
    await page.goto("about:blank")
    await again.close()


async def nodes_and_listeners(page: Page) -> tuple[int, int, int]:
    """What a leak would add to: nodes of the document, listeners, and bytes of the heap after collecting garbage."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await session.send("HeapProfiler.collectGarbage")
    found = await session.send("Performance.getMetrics")
    metrics = {one["name"]: int(one["value"]) for one in found["metrics"]}
    await session.detach()
    return metrics["Nodes"], metrics["JSEventListeners"], metrics["JSHeapUsedSize"]


async def test_a_week_of_boards_leaves_nothing_behind(room: Room, busy: None, screen: str) -> None:
    """Two thousand boards as the stream brings them: the page must not grow, neither in nodes nor in memory."""
    page = room.page
    await page.add_init_script(
        "window.sources = []; const Real = EventSource;"
        "window.EventSource = class extends Real { constructor(url) { super(url); window.sources.push(this); } };"
    )
    await room.open(screen)
    await expect(page.locator(".wring li")).to_have_count(2)
    told = await page.evaluate("({now: Number(document.body.dataset.now), version: document.body.dataset.version})")
    told["html"] = await page.evaluate("document.querySelector('[data-board]').innerHTML")
    play = (
        "([told, times]) => { for (let n = 0; n < times; n += 1)"
        " window.sources[0].dispatchEvent(new MessageEvent('board', {data: told})); }"
    )
    await page.evaluate(play, [json.dumps(told | {"offset_minutes": 480}), 200])
    before = await nodes_and_listeners(page)
    await page.evaluate(play, [json.dumps(told | {"offset_minutes": 480}), 2000])
    after = await nodes_and_listeners(page)
    assert after[0] <= before[0] + 50
    assert after[1] == before[1]
    assert after[2] < before[2] + 500_000
