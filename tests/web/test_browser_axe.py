"""axe-core on every page, in both themes and on a phone: no violation of WCAG 2.2 A and AA."""

from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, async_playwright

from callcenter.db.engine import Database
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.wall_screens import add_screen
from tests.conftest import SetClock
from tests.web.conftest import CHROMIUM
from tests.web.owing import owe
from tests.web.test_alarms import emergency, escalation
from tests.web.test_browser import ARGS, PAGES, Room
from tests.web.test_incidents import lifts
from tests.web.test_wall import ring

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ALL = {"type": "tag", "values": RULES}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
VIEWS = ((1280, "light", ALL), (1280, "dark", COLOURS), (360, "light", ALL))


@lru_cache(maxsize=1)
def _axe() -> str:
    return AXE.read_text()


async def violations(page: Page, only: dict[str, Any]) -> list[str]:
    """A line for each rule that is broken: its name, what it says, and where."""
    if not await page.evaluate("Boolean(window.axe)"):
        await page.evaluate(_axe())
    options = {"runOnly": only, "resultTypes": ["violations"]}
    found: dict[str, Any] = await page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(str(node["target"]) for node in one["nodes"][:4])
        for one in found["violations"]
    ]


@pytest.fixture
async def room(console: TestServer) -> AsyncIterator[Room]:
    """A browser whose colours do not fade over, and in which axe may style what it measures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        context = await browser.new_context(locale="zh-CN", reduced_motion="reduce", bypass_csp=True)
        yield Room(page=await context.new_page(), base=str(console.make_url("")).rstrip("/"))
        await browser.close()


async def test_no_page_breaks_a_rule(room: Room, database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    await owe(database, clock.now())
    await emergency(database, clock.now())
    await escalation(database, clock.now())
    await lifts(database, clock, rules)
    await ring(database, clock, "CA-rings", "sun", seconds=16)
    screen = await add_screen(database, name="客服大厅", actor="hewen", now=clock.now())
    broken: list[str] = []
    await room.open("/login")
    broken += [f"login: {one}" for one in await violations(room.page, ALL)]
    await room.sign_in("root")
    for name, path in (PAGES | {"wall": f"/wall/{screen}"}).items():
        await room.open(path)
        for width, theme, only in VIEWS:
            await room.page.set_viewport_size({"width": width, "height": 800})
            await room.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            broken += [f"{name} {width} {theme}: {one}" for one in await violations(room.page, only)]
    assert broken == [], "\n".join(broken)
