"""The agent's desk: who phones is there before the first word; the draft is what a ticket would say; a key opens it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select, update

from callcenter.config import Settings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketFieldRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.transcript import Side
from callcenter.reports.caller import read_caller
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_board import LiveBoard
from callcenter.web.keys import LIVE_TICKETS
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn, submit
from tests.web.day import LEAK
from tests.web.desk_calls import CALL, NUMBER, answered, desk_console, hung_up, register, rings, said
from tests.web.test_cases import library

PAGE = f"/desk/calls/{CALL}"
LEAKING = "我是三栋二单元五零一的，姓王，厨房水管漏水了，你们快来修。"


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


async def next_told(response: Any, event: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            if (await response.content.readline()).strip() == f"event: {event}".encode():
                line = (await response.content.readline()).decode()
                told: dict[str, Any] = json.loads(line.removeprefix("data:"))
                return told


async def test_who_phones_is_known_by_register_tickets_calls_and_fees(
    database: Database, clock: SetClock, console: TestServer
) -> None:
    midnight = clock.now() - timedelta(hours=10)
    caller = await read_caller(database, NUMBER, but_call=None, now=clock.now(), day_began=midnight)
    assert [(home.place.written(), home.name, home.registered) for home in caller.homes] == [
        ("翠湖花园3栋2单元501", "王秀兰", True)
    ]
    assert caller.name == "王女士"
    assert [one.ticket.number for one in caller.tickets] == [LEAK]
    assert caller.likely is not None
    assert caller.likely.ticket.number == LEAK
    assert [one.call.id for one in caller.calls] == ["CA-leak", "CA-late", "CA-open", "CA-left"]
    assert [one.ticket.number if one.ticket else None for one in caller.calls] == [LEAK, None, None, None]
    assert caller.owed is not None
    assert (caller.owed.items, caller.owed.amount_fen) == (2, 126400)
    inland = await read_caller(database, "13800016207", but_call="CA-leak", now=clock.now(), day_began=midnight)
    assert (len(inland.calls), inland.call_count) == (3, 3)


@pytest.mark.parametrize("number", [None, "+266696687", "8001"])
async def test_a_number_that_nobody_can_dial_is_nobodys(database: Database, clock: SetClock, number: str) -> None:
    caller = await read_caller(database, number, but_call=None, now=clock.now(), day_began=clock.now())
    assert (caller.homes, caller.tickets, caller.calls, caller.owed) == ((), (), (), None)


async def test_the_desk_turns_to_the_call_that_rings(
    sign_in: SignIn, console: TestServer, database: Database, clock: SetClock
) -> None:
    agent = await sign_in("lijia")
    assert "等来电" in await (await agent.get("/desk")).text()
    stream = await agent.get("/events")
    assert (await next_told(stream, "phone"))["doing"] == "ready"
    await rings(database, clock, console)
    assert await next_told(stream, "phone") == {"doing": "ringing", "state": "ready", "call": CALL}
    stream.close()
    assert (await agent.get("/desk", allow_redirects=False)).headers["Location"] == PAGE
    page = await (await agent.get(PAGE)).text()
    for words in (
        "翠湖花园3栋2单元501",
        "王女士",
        "欠 2 项",
        "¥1,264.00",
        "138****6207",
        LEAK,
        "我姓李",
        "多半为这件事",
    ):
        assert words in page, words
    assert "13800016207" not in page
    popped = await (await agent.get("/desk/pop")).text()
    assert "电话在响" in popped
    assert PAGE in popped


async def test_only_who_was_rung_and_supervisors_see_the_desk_of_a_call(
    sign_in: SignIn, console: TestServer, database: Database, clock: SetClock
) -> None:
    await rings(database, clock, console)
    other, supervisor = await sign_in("zhaoqiang"), await sign_in("hewen")
    assert (await other.get(PAGE)).status == 403
    assert (await other.get(f"/events?call={CALL}&draft")).status == 403
    assert "电话在响" not in await (await other.get("/desk/pop")).text()
    assert (await supervisor.get(PAGE)).status == 200
    assert (await supervisor.get("/desk/calls/CA-nowhere")).status == 404


async def test_the_number_is_shown_to_who_asks_and_that_is_written_down(
    sign_in: SignIn, console: TestServer, database: Database, clock: SetClock
) -> None:
    await rings(database, clock, console)
    agent = await sign_in("lijia")
    shown = await submit(agent, f"{PAGE}/phone", seen=PAGE)
    assert await shown.text() == "13800016207"
    async with database.read() as session:
        looked = select(AuditRow.subject).where(AuditRow.action == "viewed_number")
        assert (await session.scalars(looked)).all() == [f"call:{CALL}"]


async def test_the_draft_fills_while_it_is_said_and_points_at_the_words(
    sign_in: SignIn, console: TestServer, database: Database, clock: SetClock, board: LiveBoard
) -> None:
    await library(database, clock)
    await rings(database, clock, console)
    await answered(database, clock, console, board)
    agent = await sign_in("lijia")
    stream = await agent.get(f"/events?call={CALL}&draft")
    await said(database, board, side=Side.AGENT, second=0, text="您好，翠湖物业客服中心，我姓李。")
    first = await next_told(stream, "draft")
    assert first["marks"] == {}
    await said(database, board, side=Side.RESIDENT, second=4, text=LEAKING)
    while "1" not in (draft := await next_told(stream, "draft"))["marks"]:
        pass
    for words in ("报修", "3栋2单元501", "王"):
        assert words in draft["fields"], words
    marked = [(text, kind) for text, kind, _ in draft["marks"]["1"] if kind]
    assert ("三栋二单元五零一", "heard") in marked
    assert "3栋2单元501" in draft["repeat_back"]
    assert "厨房水管漏水" in draft["fields"].split("类似的案例")[-1], "how the like was solved before"
    async with database.read() as session:
        assert await session.scalar(select(func.count()).where(TicketCallRow.call_id == CALL)) == 0
    stream.close()


async def taken(agent: Client) -> str:
    """The number of the ticket after the agent took the call up."""
    response = await submit(agent, f"{PAGE}/ticket", seen=PAGE)
    assert (response.status, response.headers["Location"]) == (303, PAGE)
    page = await (await agent.get(PAGE)).text()
    return page.split('data-ticket="', 1)[1].split('"', 1)[0]


async def test_taken_up_while_the_call_goes_on_and_put_right_by_the_rest_of_it(
    sign_in: SignIn, console: TestServer, database: Database, clock: SetClock, board: LiveBoard
) -> None:
    """A new resident's call: its ticket now, corrected by hand, and what is said later fills what was still empty."""
    await rings(database, clock, console)
    async with database.write() as session:
        await session.execute(update(CallRow).where(CallRow.id == CALL).values(from_number="+8613311110000"))
    await answered(database, clock, console, board)
    agent = await sign_in("lijia")
    early = await submit(agent, f"{PAGE}/ticket", seen=PAGE)
    assert early.status == 409
    assert "还没有听到话" in await early.text()
    await said(database, board, side=Side.RESIDENT, second=4, text="我家厨房水管漏水了，我住九栋一单元六零二。")
    number = await taken(agent)
    assert await taken(agent) == number, "twice is once"
    corrected = await submit(agent, f"/tickets/{number}/fields/place", seen=PAGE, value="9栋1单元603", back=PAGE)
    assert corrected.headers["Location"] == PAGE
    await said(database, board, side=Side.RESIDENT, second=12, text="我姓赵，请叫我赵女士。")
    await hung_up(database, clock, console, board)
    await console.app[LIVE_TICKETS].tick()
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one()
        field = (await session.scalars(select(TicketFieldRow).where(TicketFieldRow.field == "place"))).all()
    assert [one.state for one in field if one.ticket_id == ticket.id] == ["corrected"]
    assert (ticket.building, ticket.room, ticket.contact) == ("9", "603", "赵女士")
    over = await (await agent.get(PAGE)).text()
    assert "通话结束" in over


async def test_a_wrong_address_back_is_not_followed(sign_in: SignIn, console: TestServer) -> None:
    agent = await sign_in("lijia")
    for back in ("//evil.example/desk/calls/1", "/desk/calls/../../logout", "https://evil.example"):
        response = await submit(agent, f"/tickets/{LEAK}/notes", seen=f"/tickets/{LEAK}", text="看过", back=back)
        assert response.headers["Location"] == f"/tickets/{LEAK}"
