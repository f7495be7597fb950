"""A call at the desk in headless Chromium: it pops while it rings, fills while it is said, a key opens its ticket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.domain.transcript import Side
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_board import LiveBoard
from tests.conftest import SetClock
from tests.web.day import NOISE
from tests.web.desk_calls import CALL, answered, desk_console, hung_up, register, rings, said
from tests.web.test_browser import BOTH, SHOTS, WIDTHS, Room, language, room
from tests.web.test_browser_axe import ALL, COLOURS, violations

__all__ = ["language", "room"]
pytestmark = pytest.mark.browser

PAGE = f"/desk/calls/{CALL}"


@pytest.fixture
def board() -> LiveBoard:
    return LiveBoard()


@pytest.fixture
async def console(
    database: Database, clock: SetClock, settings: Settings, rules: FollowUpRules, day: None, board: LiveBoard
) -> AsyncIterator[TestServer]:
    await register(database, clock)
    async with desk_console(database, clock, settings, rules, board) as server:
        yield server


async def looks(room: Room, name: str) -> None:
    """Nothing overflows at any width; where pictures are kept, one in each theme."""
    await room.page.emulate_media(reduced_motion="reduce")
    for width in WIDTHS:
        await room.page.set_viewport_size({"width": width, "height": 800})
        wide = await room.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px too wide at {width}"
        if SHOTS:
            for theme in ("light", "dark"):
                await room.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                await room.page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{theme}.png", full_page=width < 1000)
    await room.page.set_viewport_size({"width": 1280, "height": 800})
    await room.page.evaluate("delete document.documentElement.dataset.theme")


@BOTH
async def test_a_call_from_its_first_ring_to_its_ticket(
    room: Room, console: TestServer, database: Database, clock: SetClock, board: LiveBoard
) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open("/desk")
    await expect(page.locator("main")).to_contain_text(room.say("等来电"))

    await rings(database, clock, console)
    await page.wait_for_url(f"**{PAGE}")
    await expect(page.locator(".ringnow b")).to_have_text(room.say("第 %(ring)s 声", ring=2))
    await expect(page.locator(".callbar h1")).to_contain_text("翠湖花园3栋2单元501")
    await expect(page.locator(".ringnow b")).to_have_text(room.say("第 %(ring)s 声", ring=3), timeout=6000)
    await expect(page.locator("#me-state")).to_contain_text(room.say("振铃"))
    await looks(room, f"desk-ringing-{room.language}")

    await answered(database, clock, console, board)
    await expect(page.locator(".callbar .clock")).to_be_visible()
    await said(
        database, board, side=Side.AGENT, second=0, text="您好，翠湖物业客服中心，我姓李，请问有什么可以帮助您？"
    )
    await said(
        database, board, side=Side.RESIDENT, second=6, text="我是三栋二单元五零一的，姓王，家里停电了，你们快来修。"
    )
    draft = page.locator("[data-draft]")
    await expect(draft.locator("[data-field=place]")).to_contain_text("3栋2单元501")
    await expect(draft.locator("[data-field=request_type] .heard")).to_have_text(room.say("报修"))
    lines = page.locator("[data-talk] > li:not(.partial)")
    await expect(lines.nth(1).locator("mark").first).to_be_visible()
    assert "三栋二单元五零一" in await lines.nth(1).locator("mark").all_inner_texts()
    await expect(page.locator("[data-phrases]")).to_contain_text("我复述一下")
    await page.keyboard.press("]")
    await expect(page.locator("[data-phrases]")).not_to_contain_text("我复述一下")
    board.partial(CALL, Side.RESIDENT, "孩子一个人在家")
    await expect(page.locator("[data-talk] > li.partial")).to_contain_text("孩子一个人在家")
    await looks(room, f"desk-talking-{room.language}")

    await page.keyboard.press("Control+Enter")
    pane = page.locator("#draftpane[data-ticket]")
    await expect(pane).to_be_visible()
    await page.keyboard.press("4")
    place = pane.locator("[data-field=place] input[name=value]")
    await expect(place).to_be_focused()
    await place.fill("3栋2单元502")
    await page.keyboard.press("Control+Enter")
    await expect(pane.locator("[data-field=place] .val")).to_have_text("3栋2单元502")
    assert page.url.endswith(PAGE)
    await page.keyboard.press("p")
    await expect(page.locator("#promise-due")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.keyboard.press("w")
    await hung_up(database, clock, console, board)
    await expect(page.locator(".callbar")).to_contain_text(room.say("通话结束"))
    await expect(page.locator("#me-state")).to_contain_text(room.say("整理"))
    await looks(room, f"desk-over-{room.language}")
    assert await violations(page, ALL) == []


@BOTH
async def test_whoever_reads_another_page_is_told_and_goes_there_by_key(
    room: Room, console: TestServer, database: Database, clock: SetClock
) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open(f"/tickets/{NOISE}")
    await page.keyboard.press("n")
    await page.keyboard.type("正在写")
    await rings(database, clock, console)
    await expect(page.locator("#pop")).to_contain_text(room.say("电话在响"))
    await expect(page.locator("#pop")).to_contain_text("翠湖花园3栋2单元501")
    await expect(page.locator("#note")).to_have_value("正在写")
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("d")
    await page.wait_for_url(f"**{PAGE}")
    await page.emulate_media(reduced_motion="reduce")  # colours that fade over are neither the one nor the other
    await page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert await violations(page, COLOURS) == []
