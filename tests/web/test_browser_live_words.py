"""Live words in headless Chromium: grey while they may change, in ink once they stand, danger marked."""

import pytest
from playwright.async_api import expect

from callcenter.db.live import LiveState
from callcenter.domain.transcript import Side
from callcenter.services.live_board import LiveBoard, LiveLine
from tests.web.test_browser import BOTH, SHOTS, Room, language, room
from tests.web.test_live_words import CALL, board, console

__all__ = ["board", "console", "language", "room"]
pytestmark = pytest.mark.browser


@BOTH
async def test_words_appear_on_the_page_while_they_are_said(room: Room, board: LiveBoard) -> None:
    await room.sign_in("lijia")
    await room.open(f"/calls/{CALL}")
    board.partial(CALL, Side.RESIDENT, "电梯卡住")
    grey = room.page.locator("[data-talk] li.partial")
    await expect(grey).to_contain_text("电梯卡住")
    line = LiveLine(side=Side.RESIDENT, start_ms=61_000, text="电梯卡住了里面有人", danger=("里面有人",))
    board.line(CALL, line)
    board.line(CALL, LiveLine(side=Side.AGENT, start_ms=65_000, text="请不要着急"))
    board.partial(CALL, Side.RESIDENT, "六栋")
    board.emergency(CALL)
    lines = room.page.locator("[data-talk] li:not(.partial)")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text("01:01")
    await expect(lines.first.locator("mark.danger")).to_have_text("里面有人")
    await expect(grey).to_contain_text("六栋")
    await expect(room.page.locator("[data-talk-alarm]")).to_be_visible()
    if SHOTS:
        await room.page.screenshot(path=f"{SHOTS}/live-words-{room.language}.png", full_page=True)
    board.end(CALL, LiveState.ENDED)
    await expect(room.page.locator("[data-talk-state]")).to_contain_text(room.say("通话已结束，等录音转写核对。"))
    await expect(grey).to_have_count(0)
