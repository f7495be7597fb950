"""The calls that are owed: what needs a person first, why each stands where it does, and what can be done about it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, ReminderRow
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.db.wishes import ResidentWishRow
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.voice.speech import SpeechFailed
from callcenter.web import add_console
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn, hidden, log_in, submit
from tests.web.day import LEAK, NOISE
from tests.web.owing import owe

PAGE = f"/tickets/{LEAK}"


@pytest.fixture
async def owed(database: Database, clock: SetClock, day: None) -> None:
    await owe(database, clock.now())


async def reminder(database: Database, reminder_id: int) -> ReminderRow:
    async with database.read() as session:
        return await session.get_one(ReminderRow, reminder_id)


async def body(sign_in: SignIn, path: str, login: str = "lijia") -> str:
    return await (await (await sign_in(login)).get(path)).text()


async def test_what_needs_a_person_comes_first(sign_in: SignIn, owed: None) -> None:
    page = await body(sign_in, "/reminders")
    heads = re.findall(r'<h2 id="g-(\w+)">', page)
    assert heads == ["handed_over", "overdue", "under_way", "waiting", "done"]
    for words in ("已拨打规定次数仍未联系上", "138****6207", "无人接", "忙", "按键 5", "超期 2 小时", "3栋2单元501"):
        assert words in page
    assert "13800016207" not in page
    assert '<a href="/reminders" aria-current=page>回电<i>2</i></a>' in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=handed_over", {1}),
        ("status=done", {5}),
        ("kind=missed_call", {3}),
        ("status=waiting&kind=call_back_promised", {4}),
        ("mine=1", {1, 5}),
        ("status=nonsense&kind=nonsense&page=0", {1, 2, 3, 4, 5}),
    ],
)
async def test_filters_are_in_the_address(sign_in: SignIn, owed: None, query: str, shown: set[int]) -> None:
    page = await body(sign_in, f"/reminders?{query}")
    assert {int(one) for one in re.findall(r'<a href="/reminders/(\d+)"><b>', page)} == shown


async def test_nothing_owed_says_so(sign_in: SignIn) -> None:
    assert "没有欠住户的电话" in await body(sign_in, "/reminders")
    assert "这里没有回电" in await body(sign_in, "/reminders?status=done")


async def test_one_call_explains_itself(sign_in: SignIn, owed: None) -> None:
    page = await body(sign_in, "/reminders/4")
    for words in ("承诺 2026-11-24 16:00 前回电", "无人接听，换一个时段再拨", "等到 2026-11-24 15:00", "还没有打过"):
        assert words in page
    assert (await (await sign_in("lijia")).get("/reminders/999999999999")).status == 404
    english = await body(sign_in, "/reminders/4?lang=en")
    assert "a call was promised by" in english


async def test_who_called_by_hand_settles_it(sign_in: SignIn, database: Database, owed: None) -> None:
    client = await sign_in("lijia")
    await submit(client, "/reminders/4/spoken", seen="/reminders/4", back="/reminders?mine=1", text="说好了")
    assert (await reminder(database, 4)).state == "cancelled"
    done = await submit(client, "/reminders/1/spoken", seen="/reminders/1", back="//evil.example/", text="已告知")
    assert done.headers["Location"] == "/reminders"
    page = await (await client.get("/reminders")).text()
    assert "g-handed_over" not in page, "the one of the finished ticket is not shown either"
    assert "已告知" in await (await client.get(PAGE)).text()
    own = await (await client.get("/reminders/1")).text()
    assert ("已由人工处理" in own, 'action="/reminders/1/spoken"' in own) == (True, False)


async def offered(client: Client, number: int) -> str:
    """How the call stood when the page offered to end it."""
    return hidden(await (await client.get(f"/reminders/{number}")).text(), "standing")


async def test_a_call_is_cancelled_with_a_reason(sign_in: SignIn, database: Database, owed: None) -> None:
    client = await sign_in("lijia")
    form = {"standing": await offered(client, 4), "back": "/reminders?status=waiting"}
    done = await submit(client, "/reminders/4/cancel", seen="/reminders/4", text="住户到前台说过了", **form)
    assert (done.status, done.headers["Location"]) == (303, "/reminders?status=waiting")
    row = await reminder(database, 4)
    assert (row.state, row.reason, row.ended_by) == ("cancelled", "住户到前台说过了", "lijia")
    page = await (await client.get("/reminders/4")).text()
    for words in ("住户到前台说过了", "谁办的", "李佳", "10:00 取消"):
        assert words in page
    assert 'action="/reminders/4/cancel"' not in page
    assert "取消外呼：回电。住户到前台说过了" in re.sub(
        r"外呼：[^。]*。", "外呼：回电。", await (await client.get(f"/tickets/{NOISE}")).text()
    )
    again = await submit(client, "/reminders/4/cancel", seen="/reminders/4", text="再来", **form)
    assert again.status == 409
    assert "已经取消" in await again.text()


async def test_a_misheard_promise_is_withdrawn(
    sign_in: SignIn, database: Database, clock: SetClock, owed: None
) -> None:
    due = clock.now() + timedelta(hours=6)
    async with database.write() as session:
        session.add(TicketDeadlineRow(ticket_id=2, kind="promise", basis="call_back", due_at=due))
    client = await sign_in("lijia")
    form = {"standing": await offered(client, 4), "text": "说的是别家", "never_promised": "1"}
    assert (await submit(client, "/reminders/4/cancel", seen="/reminders/4", **form)).status == 303
    page = await (await client.get(f"/tickets/{NOISE}")).text()
    assert "说的是别家 没有答应过，期限一并取消。" in page
    assert "已取消" in page
    assert 'name="never_promised"' not in await (await client.get("/reminders/1")).text(), "no time was promised there"


@pytest.mark.parametrize(
    ("number", "fields", "status", "words"),
    [
        (4, {"text": " ", "standing": "waiting:0"}, 400, "要写明缘由"),
        (4, {"text": "不用打了", "standing": "waiting:1"}, 409, "又有变化"),
        (4, {"text": "不用打了"}, 409, "又有变化"),
        (3, {"text": "不用打了", "standing": "dialling:1"}, 409, "正在拨打这位住户"),
        (5, {"text": "不用打了", "standing": "done:1"}, 409, "已经完成"),
        (999999, {"text": "不用打了", "standing": "waiting:0"}, 404, "没有这通回电"),
        (99999999999999999999, {"text": "不用打了", "standing": "waiting:0"}, 404, "没有这通回电"),
    ],
)
async def test_what_cannot_be_cancelled_is_said(
    sign_in: SignIn, database: Database, owed: None, number: int, fields: dict[str, str], status: int, words: str
) -> None:
    refused = await submit(await sign_in("lijia"), f"/reminders/{number}/cancel", seen="/reminders", **fields)
    assert refused.status == status
    assert words in await refused.text()
    assert [(await reminder(database, one)).state for one in (3, 4, 5)] == ["dialling", "waiting", "done"]


async def test_a_missed_call_without_a_ticket_is_settled(sign_in: SignIn, database: Database, owed: None) -> None:
    async with database.write() as session:
        await session.execute(update(ReminderRow).where(ReminderRow.id == 3).values(state="handed_over"))
    client = await sign_in("lijia")
    page = await (await client.get("/reminders/3")).text()
    assert 'action="/reminders/3/spoken"' in page
    assert 'action="/reminders/3/call"' not in page, "without a ticket nobody can be phoned at a click"
    form = {"standing": hidden(page, "standing"), "text": "打通了，已报修"}
    assert (await submit(client, "/reminders/3/spoken", seen="/reminders/3", **form)).status == 303
    row = await reminder(database, 3)
    assert (row.state, row.reason, row.ended_by) == ("done", "打通了，已报修", "lijia")
    assert 'href="/reminders/3"' not in await (await client.get("/reminders?status=handed_over")).text()
    async with database.read() as session:
        audit = (await session.scalars(select(AuditRow).where(AuditRow.action == "reminder_settled"))).one()
    assert (audit.login, audit.subject) == ("lijia", "reminder:3")


async def test_a_call_is_ordered_once(sign_in: SignIn, database: Database, clock: SetClock, owed: None) -> None:
    client = await sign_in("zhaoqiang")
    await submit(client, "/reminders/3/call", seen="/reminders/3")
    async with database.write() as session:
        await session.execute(update(ReminderRow).where(ReminderRow.id == 3).values(state="done"))
    ordered = await submit(client, "/reminders/4/call", seen="/reminders/4")
    again = await submit(client, f"/tickets/{NOISE}/call", seen=f"/tickets/{NOISE}")
    assert ordered.status == again.status == 303
    assert ordered.headers["Location"] == again.headers["Location"]
    row = await reminder(database, int(ordered.headers["Location"].rsplit("/", 1)[1]))
    assert (row.ordered_by, row.due_at, row.state) == ("zhaoqiang", clock.now(), "waiting")


async def test_the_residents_wish_stands_against_it(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    await submit(client, f"{PAGE}/wishes", seen=PAGE, mornings="1", greetings="1")
    refused = await submit(client, f"{PAGE}/call", seen=PAGE)
    assert refused.status == 409
    assert "住户要求此时段不拨打" in await refused.text()
    page = await (await client.get(PAGE)).text()
    assert 'name="mornings" value="1" checked' in page
    assert 'name="evenings" value="1" >' in page
    async with database.read() as session:
        noted = await session.get_one(ResidentWishRow, "+8613800016207")
        audit = (await session.scalars(select(AuditRow).where(AuditRow.action == "wishes_noted"))).one()
    assert (noted.not_mornings, noted.not_evenings, noted.greetings, noted.noted_by) == (True, False, True, "lijia")
    assert audit.data["avoided"] == ["mornings"]


async def test_no_calls_at_all_stops_everything(sign_in: SignIn, database: Database, owed: None) -> None:
    client = await sign_in("lijia")
    await submit(client, f"{PAGE}/wishes", seen=PAGE, never="1")
    async with database.read() as session:
        assert await session.get(DoNotCallRow, "+8613800016207") is not None
    assert (await reminder(database, 4)).state == "cancelled"
    page = await (await client.get(PAGE)).text()
    assert "住户要求不再拨打" in page
    assert 'name="never"' not in page


async def test_a_ticket_shows_the_calls_it_owes(sign_in: SignIn, owed: None) -> None:
    page = await body(sign_in, PAGE)
    assert 'href="/reminders/1"' in page
    assert 'href="/reminders/5"' in page
    assert 'href="/reminders/4"' not in page


async def test_a_duplicate_is_merged_and_taken_out_again(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    merged = await submit(client, f"/tickets/{NOISE}/merge", seen=f"/tickets/{NOISE}", into=LEAK.lower())
    assert (merged.status, merged.headers["Location"]) == (303, PAGE)
    assert f"并入重复工单 {NOISE}。" in await (await client.get(PAGE)).text()
    page = await (await client.get(f"/tickets/{NOISE}")).text()
    assert "已作为重复工单并入" in page
    undone = await submit(client, f"/tickets/{NOISE}/unmerge", seen=f"/tickets/{NOISE}")
    assert undone.status == 303
    async with database.read() as session:
        row = (await session.scalars(select(TicketRow).where(TicketRow.number == NOISE))).one()
    assert (row.merged_into, row.status) == (None, "open")


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("merge", {"into": "GD-9999-9999"}, "没有这个编号的工单"),
        ("merge", {"into": LEAK}, "不能合并"),
        ("unmerge", {}, "不能撤销"),
        ("split", {"call": "CA-leak"}, "不能拆出"),
    ],
)
async def test_joining_that_makes_no_sense_is_refused(
    sign_in: SignIn, path: str, fields: dict[str, str], words: str
) -> None:
    refused = await submit(await sign_in("lijia"), f"{PAGE}/{path}", seen=PAGE, **fields)
    assert refused.status == 400
    assert words in await refused.text()


async def test_a_shift_hands_over_everything_open(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("hewen")
    assert "李佳 · " in await (await client.get("/shift")).text()
    form = {"from": "li", "to": "zhao", "note": "晚班"}
    moved = await submit(client, "/shift", seen="/shift", **form)
    assert moved.headers["Location"].startswith("/shift?done=")
    async with database.read() as session:
        left = await session.scalars(select(TicketRow.number).where(TicketRow.owner == "li"))
        history = await session.scalars(select(TicketHistoryRow.data).where(TicketHistoryRow.actor == "hewen"))
        assert set(left.all()) <= {"GD-1123-0010", "GD-1123-0009"}
        assert any(data.get("note") == "晚班" for data in history.all())
    assert (await submit(client, "/shift", seen="/shift", **(form | {"to": "li"}))).status == 400
    assert (await submit(client, "/shift", seen="/shift", **(form | {"to": "nobody"}))).status == 400
    agent = await sign_in("lijia")
    assert (await agent.get("/shift")).status == 403
    assert (await submit(agent, "/shift", seen="/tickets", **form)).status == 403


class Voice:
    """A TextToSpeech that remembers what it was to say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self.fails = False

    async def speak(self, text: str, *, language: str = "zh") -> Path:
        if self.fails:
            raise SpeechFailed("no voice")
        self.said.append(text)
        self.path.write_bytes(b"RIFF....WAVEfmt ")
        return self.path


@pytest.fixture
async def voice(tmp_path: Path) -> Voice:
    return Voice(tmp_path / "said.wav")


@pytest.fixture
async def speaking(
    database: Database, clock: SetClock, settings: Settings, day: None, voice: Voice
) -> AsyncIterator[TestClient]:
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock, speech=voice)
    async with TestClient(TestServer(app)) as client:
        await log_in(client, "hewen")
        yield client


async def test_texts_are_shown_filled_in_and_can_be_heard(speaking: TestClient, voice: Voice) -> None:
    page = await (await speaking.get("/reminders/texts")).text()
    for name in reminder_kinds():
        assert f"follow_up.call_texts.{name}" in page
        heard = await speaking.get(f"/reminders/texts/{name}/audio")
        assert (heard.status, heard.headers["Content-Type"]) == (200, "audio/wav")
    assert "一千二百六十四元" in page
    assert len(voice.said) == len(set(voice.said)) == len(reminder_kinds())
    assert all("{" not in said for said in voice.said)
    assert (await speaking.get("/reminders/texts/nothing/audio")).status == 404
    voice.fails = True
    assert (await speaking.get("/reminders/texts/missed_call/audio")).status == 503


async def test_without_a_voice_texts_are_read(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    page = await (await client.get("/reminders/texts")).text()
    assert "不能试听" in page
    assert "<audio" not in page
    assert (await client.get("/reminders/texts/missed_call/audio")).status == 503
    assert (await (await sign_in("lijia")).get("/reminders/texts")).status == 403


@pytest.mark.parametrize("path", ["/reminders", "/reminders/1", "/reminders/texts", "/shift", PAGE])
async def test_in_english(sign_in: SignIn, owed: None, path: str) -> None:
    english = await body(sign_in, f"{path}?lang=en", "hewen")
    for words in ("欠住户", "现在拨打", "已联系", "外呼话术", "交接班", "要人工联系", "合并", "打过"):
        assert words not in re.sub(r'lang="zh-CN">[^<]*', "", english), words
