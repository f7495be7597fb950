"""The journeys of an agent and a supervisor in headless Chromium: nothing inline, nothing from elsewhere, no error."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, async_playwright, expect

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.web.language import COOKIE, LANGUAGES, load_catalogs
from tests.conftest import SetClock
from tests.web.conftest import CHROMIUM
from tests.web.day import LEAK, NOISE, SILENT
from tests.web.factory import PASSWORD
from tests.web.owing import owe
from tests.web.test_alarms import emergency, escalation
from tests.web.test_cases import library
from tests.web.test_complaints import complained
from tests.web.test_incidents import lifts
from tests.web.test_service_language import CALL, rude_call

pytestmark = pytest.mark.browser

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
WIDTHS = (360, 768, 1280, 1920)
PAGES = {
    "tickets": "/tickets",
    "search": "/tickets?q=水",
    "ticket": f"/tickets/{LEAK}",
    "review": f"/review/{NOISE}",
    "answering": "/answering",
    "answering-month": "/answering?period=month",
    "staffing": "/staffing",
    "answering-calls": "/answering/calls?which=counted",
    "call": "/calls/CA-leak",
    "reminders": "/reminders",
    "reminder": "/reminders/1",
    "texts": "/reminders/texts",
    "shift": "/shift",
    "language": "/language",
    "call-findings": "/calls/CA-rude",
    "cases": "/cases",
    "case": "/cases/1",
    "complaints": "/complaints",
    "quarter": "/quarters/2026-Q4",
    "incidents": "/incidents",
    "incident": "/incidents/SJ-1124-01",
    "ticket-of-incident": "/tickets/GD-1124-0061",
    "walls": "/wall",
    "board": "/tickets/board",
    "printed": f"/tickets/{NOISE}/print",
    "setup": "/setup",
    "admin": "/admin",
    **{
        f"admin-{room}": f"/admin/{room}"
        for room in ("company", "provider", "phones", "hours", "flow", "deadlines", "texts", "model", "retention")
    },
    **{f"admin-{room}": f"/admin/{room}" for room in ("register", "users", "changes", "audit", "rules")},
    "admin-rule": "/admin/rules/categories",
    "missing": "/nowhere",
}
SHOTS = os.environ.get("CALLCENTER_SHOTS")
"""A folder in which every page is kept as a picture: in Chinese and light, in English and dark."""
SHOT_WIDTHS = (360, 1280)
CATALOGS = load_catalogs()
BOTH = pytest.mark.parametrize("language", LANGUAGES)


@dataclass
class Room:
    """A browser at the console, and everything that went wrong in it."""

    page: Page
    base: str
    language: str = "zh"
    faults: list[str] = field(default_factory=list)

    def say(self, words: str, **values: object) -> str:
        """The console's words in the language that the room is read in."""
        return CATALOGS[self.language].gettext(words, **values)

    async def open(self, path: str) -> None:
        await self.page.goto(self.base + path)

    async def sign_in(self, login: str) -> None:
        await self.open("/login")
        await self.page.fill("[name=login]", login)
        await self.page.fill("[name=password]", PASSWORD)
        await self.page.click("button.main")
        await self.page.wait_for_url(lambda url: "/login" not in url)

    async def played_past(self, seconds: float) -> None:
        async with asyncio.timeout(10):
            while await self.seconds_played() <= seconds:
                await asyncio.sleep(0.1)

    async def seconds_played(self) -> float:
        return float(await self.page.evaluate("document.querySelector('audio').currentTime"))


@pytest.fixture
def language() -> str:
    """Of the console; a journey on which words are read takes BOTH."""
    return "zh"


@pytest.fixture
async def room(console: TestServer, language: str) -> AsyncIterator[Room]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        base = str(console.make_url("")).rstrip("/")
        await context.add_cookies([{"name": COOKIE, "value": language, "url": base}])
        made = Room(page=await context.new_page(), base=base, language=language)
        host = urlsplit(made.base).netloc
        made.page.on("pageerror", lambda error: made.faults.append(f"script: {error}"))
        made.page.on("console", lambda told: _note(made, told.type, told.text))
        made.page.on(
            "request",
            lambda sent: (
                made.faults.append(f"left the host: {sent.url}")
                if urlsplit(sent.url).netloc not in (host, "") and not sent.url.startswith("data:")
                else None
            ),
        )
        yield made
        assert made.faults == []
        await browser.close()


def _note(room: Room, kind: str, text: str) -> None:
    """Errors and warnings count, a CSP violation is one; a page that is missing on purpose is not."""
    if kind in ("error", "warning") and "404" not in text:
        room.faults.append(f"{kind}: {text}")


@BOTH
async def test_from_the_list_to_a_corrected_ticket(room: Room) -> None:
    page = room.page
    await room.sign_in("lijia")
    await expect(page).to_have_title(f"{room.say('工单')} · 翠湖物业")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("3栋2单元501 厨房顶部漏水，滴到配电箱")

    await page.locator(".script [data-seek='8400']").click()
    await room.played_past(8.6)
    await expect(page.locator(".script .now p")).to_contain_text("三栋二单元五零一")
    await page.locator("[data-field=promise\\.1] .jump").click()
    await room.played_past(18.5)
    await expect(page.locator(".script .now p")).to_contain_text("半小时内给您回电")
    await page.keyboard.press("Space")
    stopped = await room.seconds_played()
    await page.keyboard.press("ArrowLeft")
    assert await room.seconds_played() == pytest.approx(stopped - 3, abs=0.2)

    await page.keyboard.press("4")
    place = page.locator("[data-field=place] input[name=value]")
    await expect(place).to_be_focused()
    await place.fill("3栋2单元601")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("h1")).to_have_text("3栋2单元601 厨房顶部漏水，滴到配电箱")
    await page.wait_for_timeout(1500)
    await expect(page.locator("[data-live-line]")).to_be_hidden()
    await page.reload()
    await expect(page.locator("[data-field=place] .val")).to_have_text("3栋2单元601")
    await expect(page.locator(".hist li").nth(1)).to_contain_text(
        room.say(
            "改“%(field)s”：%(before)s → %(after)s。",
            field=room.say("地点"),
            before="3栋2单元501",
            after="3栋2单元601",
        )
    )


async def test_one_side_can_be_heard_alone_and_the_drawing_seeks(room: Room) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open(f"/tickets/{LEAK}")
    drawing = page.locator("[data-wave]")
    box = await drawing.bounding_box()
    assert box is not None
    await page.locator("[data-play]").click()
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    await room.played_past(12)
    await page.keyboard.press("l")
    await expect(page.locator("[data-side=resident]")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Shift+Period")
    assert await page.evaluate("document.querySelector('audio').playbackRate") == 1.25


async def test_keys_leave_a_writer_alone(room: Room) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open(f"/tickets/{LEAK}")
    await page.keyboard.press("n")
    await expect(page.locator("#note")).to_be_focused()
    await page.keyboard.type("apf4/jg t")
    await expect(page.locator("#note")).to_have_value("apf4/jg t")
    assert await page.locator("details[open]").count() == 0
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await expect(page.locator("#assign-to")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    composing = "new KeyboardEvent('keydown', {code: 'KeyP', isComposing: true, bubbles: true})"
    await page.evaluate(f"document.body.dispatchEvent({composing})")
    assert await page.locator("details[open]").count() == 0
    await page.keyboard.press("g")
    await page.keyboard.press("r")
    await page.wait_for_url("**/review/*")


@BOTH
async def test_reviewing_with_keys_only(room: Room) -> None:
    page = room.page
    await room.sign_in("zhaoqiang")
    await room.open(f"/review/{NOISE}")
    await page.keyboard.press("r")
    await room.played_past(7)
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/review/GD-1124-0003")
    await page.keyboard.press("x")
    await expect(page.locator("#close-reason")).to_be_focused()
    await page.keyboard.type("没有人说话")
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_contain_text(room.say("都复核完了。"))


async def test_a_number_is_shown_in_its_place(room: Room) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open(f"/tickets/{LEAK}")
    await page.locator("aside form.inline button").click()
    await expect(page.locator("aside .facts").first).to_contain_text("13800016207")
    assert page.url.endswith(LEAK)


@BOTH
async def test_several_tickets_are_given_with_keys_only(room: Room) -> None:
    page = room.page
    await room.sign_in("hewen")
    await page.goto(f"{room.base}/tickets?status=unowned")
    for _ in range(2):
        await page.keyboard.press("j")
        await page.keyboard.press("Space")
    await expect(page.locator("[data-picked]")).to_have_text(room.say("派单（%(num)s 张）", num=2))
    await page.keyboard.press("a")
    await page.locator("#bulk-owner").select_option("chen")
    await page.locator("[data-picked]").click()
    await expect(page.locator(".empty")).to_contain_text(room.say("这里没有工单"))


@BOTH
async def test_a_setting_is_changed_heard_of_and_undone(room: Room) -> None:
    page = room.page
    await room.sign_in("root")
    await room.open("/admin/flow")
    ring = page.get_by_label(room.say("每人响多久"))
    await ring.fill("3")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("main [role=alert]")).to_contain_text(room.say("没有保存：有没填对的，已标出。"))
    await expect(ring).to_have_attribute("aria-invalid", "true")
    room.faults[:] = [one for one in room.faults if "status of 400" not in one]  # the browser's own word for it
    await ring.fill("25")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("main [role=status]").filter(has_text=room.say("已保存"))).not_to_have_count(0)
    await room.open("/admin/changes")
    await page.get_by_role("button", name=room.say("撤回：%(what)s", what=room.say("每人响多久"))).click()
    await room.open("/admin/flow")
    await expect(ring).to_have_value("20")


@BOTH
async def test_an_open_list_says_that_something_changed_and_does_not_move(room: Room) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open("/tickets")
    other = await page.context.new_page()
    await other.goto(f"{room.base}/tickets/{LEAK}")
    await other.fill("#note", "看过了")
    await other.locator(".note button").click()
    await other.locator("details.step[data-key=KeyF] summary").click()
    await other.locator("#status-to").select_option("solved")
    await other.locator("details.step[data-key=KeyF] button").click()
    line = page.locator("[data-live-line]")
    await expect(line).to_contain_text(room.say("有更新。"))
    row = page.locator("[data-row]", has_text=LEAK)
    await expect(row).not_to_contain_text(room.say("待回访"))
    await line.locator("button").click()
    await expect(row).to_contain_text(room.say("待回访"))
    await expect(line).to_be_hidden()


async def test_english_by_a_switch(room: Room) -> None:
    page = room.page
    await room.sign_in("hewen")
    await page.locator(".menu summary").click()
    await page.locator(".menu a[lang=en]").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator("h1")).to_have_text("Answering")
    await room.open("/tickets")
    await expect(page.locator("h1")).to_have_text("Tickets")


async def test_the_theme_is_kept(room: Room) -> None:
    page = room.page
    await room.sign_in("hewen")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.locator("[data-theme-toggle]").click()
    await room.open("/tickets")
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (light, dark) == ("rgb(244, 245, 242)", "rgb(17, 20, 18)")


@BOTH
async def test_an_alarm_appears_by_itself_and_is_taken(room: Room, database: Database, clock: SetClock) -> None:
    page = room.page
    await room.sign_in("lijia")
    await room.open(f"/tickets/{NOISE}")
    await page.keyboard.press("n")
    await page.keyboard.type("正在写")
    await emergency(database, clock.now())
    alarm = page.locator("#alarms [role=alert]")
    await expect(alarm).to_contain_text("厨房顶部漏水")
    await expect(page.locator("#note")).to_be_focused()
    await expect(page.locator("#note")).to_have_value("正在写")
    await alarm.get_by_role("button", name=room.say("我来处理")).click()
    await expect(alarm).to_contain_text(room.say("%(name)s %(time)s 接手", name="李佳", time="10:00"))
    await alarm.get_by_role("button", name=room.say("到场")).click()
    await expect(alarm).to_have_count(0)
    assert page.url.endswith(NOISE)
    await expect(page.locator("#note")).to_have_value("正在写")


@BOTH
async def test_a_resident_is_called_now_by_key(room: Room, database: Database, clock: SetClock) -> None:
    page = room.page
    await owe(database, clock.now())
    await room.sign_in("lijia")
    await room.open("/reminders")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/reminders/1")
    await room.open("/reminders/2")
    await page.keyboard.press("c")
    assert await page.locator("details[open] button.main").count() == 1
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text({"zh": "投诉", "en": "complaint"}[room.language])
    await expect(page.locator("main")).to_contain_text("李佳")


async def test_a_call_is_cancelled_by_key_with_a_reason(room: Room, database: Database, clock: SetClock) -> None:
    await owe(database, clock.now())
    page = room.page
    await room.sign_in("lijia")
    await room.open("/reminders/4")
    await page.keyboard.press("KeyX")
    box = page.locator("#cancel-4")
    await expect(box).to_be_focused()
    await _shot(page, "reminder-cancel")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{room.base}/reminders/4")
    assert await page.locator("#cancel-4").count() == 1, "without a reason nothing is sent"
    await box.fill("住户到前台说过了")
    await page.keyboard.press("Enter")
    await expect(page.locator("#cancel-4")).to_have_count(0)
    await expect(page.locator("#why")).to_contain_text("住户到前台说过了")
    await _shot(page, "reminder-cancelled")
    assert room.faults == []


@BOTH
async def test_a_reply_is_completed_copied_and_kept(room: Room) -> None:
    page = room.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await room.sign_in("lijia")
    await room.open(f"/tickets/{SILENT}")
    named = {"zh": "受理告知", "en": "Request received"}[room.language]
    await page.get_by_text(named).click()
    reply = page.get_by_label(named)
    await expect(reply).to_be_focused()
    selected = (
        "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert await page.evaluate(selected) == "（称呼）", "what is missing is what one types first"
    await _shot(page, "ticket-reply")
    await page.keyboard.type("王女士")
    await page.locator("details.reply[open] [data-copy]").click()
    await expect(page.locator("details.reply[open] [data-copy]")).to_have_text(room.say("已复制"))
    assert (await page.evaluate("navigator.clipboard.readText()")).startswith("王女士您好")
    await page.get_by_role("button", name=room.say("记进备注")).locator("visible=true").click()
    await expect(page.locator(".hist")).to_contain_text("王女士您好")
    assert room.faults == []


@BOTH
async def test_a_finding_is_heard_where_it_was_said(
    room: Room, database: Database, clock: SetClock, settings: Settings
) -> None:
    page = room.page
    await rude_call(database, clock, settings)
    await room.sign_in("zhaoqiang")
    await room.open(f"/calls/{CALL}")
    found = {"zh": "推说不知", "en": "claims not to know"}[room.language]
    finding = page.locator(".findings li", has_text=found)
    await finding.locator(".jump").click()
    await room.played_past(5.6)
    await expect(page.locator(".script .now p")).to_contain_text("我不清楚")
    await finding.get_by_text(room.say("提异议")).first.click()
    await finding.locator("input[name=reason]").fill("是在转述保安的话")
    await page.keyboard.press("Enter")
    await expect(page.locator(".findings li", has_text=found)).to_contain_text(room.say("客服有异议，待主管判定"))
    await room.open("/language")
    await page.locator(".jump").first.click()
    await page.wait_for_url("**/calls/**")
    assert await room.seconds_played() > 0, "the player stands where the finding was said"


async def test_the_quarterly_review_prints_on_one_page(room: Room, database: Database, clock: SetClock) -> None:
    await complained(database, clock)
    await room.sign_in("hewen")
    await room.open("/quarters/2026-Q4")
    printed = await room.page.pdf(prefer_css_page_size=True)
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        (Path(SHOTS) / "quarter.pdf").write_bytes(printed)
        await room.page.emulate_media(media="print")
        await room.page.set_viewport_size({"width": 710, "height": 1040})
        await _shot(room.page, "quarter-printed")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


async def _shot(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@BOTH
async def test_nothing_overflows_at_any_width(
    room: Room, database: Database, clock: SetClock, rules: FollowUpRules, settings: Settings, language: str
) -> None:
    page = room.page
    await owe(database, clock.now())
    await emergency(database, clock.now())
    await escalation(database, clock.now())
    await lifts(database, clock, rules)
    await rude_call(database, clock, settings)
    await library(database, clock)
    await complained(database, clock)
    await room.sign_in("root")
    await room.open(f"/tickets?lang={language}")
    for name, path in PAGES.items():
        await room.open(path)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} px too wide at {width}"
            if SHOTS and width in SHOT_WIDTHS:
                theme = {"zh": "light", "en": "dark"}[language]
                await page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                shot = Path(SHOTS) / f"{name}-{width}-{theme}-{language}.png"
                await page.screenshot(path=shot, full_page=name != "review")
