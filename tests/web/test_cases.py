"""The case library on the console: one click, cleaned, mended, found in Chinese, suggested for the next ticket."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from callcenter.db.cases import CaseRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.reports.cases import search_cases, suggest_cases
from callcenter.services.cases import CaseText, edit_case
from tests.conftest import SetClock
from tests.web.conftest import SignIn, submit
from tests.web.day import LEAK, NOISE

SOLUTIONS = (
    ("单元门刷脸刷不开", "access", "断电重启门禁主机，重新下发人脸。"),
    ("电梯停在一楼门不开", "lift", "门机皮带打滑，维保换皮带。"),
    ("厨房水管漏水", "plumbing", "关阀，换接头，观察一天不再漏。"),
    ("厨房下水道堵塞", "plumbing", "疏通立管，装滤网。"),
)


async def library(database: Database, clock: SetClock) -> None:
    for number, (title, category, solution) in enumerate(SOLUTIONS, 1):
        row = CaseRow(
            id=number,
            title="-",
            problem="-",
            solution="",
            category=category,
            created_by="hewen",
            created_at=clock.now(),
            updated_by="hewen",
            updated_at=clock.now() - timedelta(days=number),
        )
        async with database.write() as session:
            session.add(row)
        text = CaseText(title=title, problem=title, solution=solution)
        await edit_case(database, number, text, version=1, actor="hewen", now=clock.now())
    if database.url.get_backend_name() == "postgresql":
        async with database.write() as session:
            await session.execute(select(func.setval("cases_id_seq", 100)))


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("水管漏水", "厨房水管漏水"),
        ("门刷不开", "单元门刷脸刷不开"),
        ("厨房 堵", "厨房下水道堵塞"),
        ("皮带", "电梯停在一楼门不开"),
        ("梯", "电梯停在一楼门不开"),
    ],
)
async def test_cases_are_found_by_the_words_of_the_question(
    database: Database, clock: SetClock, q: str, first: str
) -> None:
    await library(database, clock)
    found = await search_cases(database, q=q)
    assert found.found[0].row.title == first
    assert (await search_cases(database, q="游泳池")).found == ()
    assert len((await search_cases(database)).found) == len(SOLUTIONS)
    assert [one.row.title for one in (await search_cases(database, q="厨房", category="lift")).found] == []


async def test_like_cases_are_suggested_those_of_the_category_first(database: Database, clock: SetClock) -> None:
    await library(database, clock)
    heard = "喂你好我们家厨房那个水管一直在漏水漏到楼下去了"
    found = await suggest_cases(database, text=heard, category="plumbing")
    assert found[0].row.title == "厨房水管漏水"
    assert await suggest_cases(database, text="想问一下物业费", category="fees") == ()
    assert await suggest_cases(database, text="", category=None) == ()


async def test_one_click_makes_a_case_without_names(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    agent = await sign_in("lijia")
    assert (await submit(agent, f"/tickets/{LEAK}/case", seen=f"/tickets/{LEAK}")).status == 400
    async with database.write() as session:
        summary = "王女士家3栋2单元501厨房漏水"
        await session.execute(
            update(TicketRow).where(TicketRow.number == LEAK).values(status="solved", summary=summary)
        )
        note = {"text": "李师傅换了角阀，电话13800016207回访过。"}
        session.add(TicketHistoryRow(ticket_id=1, at=clock.now(), actor="lijia", action="note", data=note))
    assert "存为案例" in await (await agent.get(f"/tickets/{LEAK}")).text()
    made = await submit(agent, f"/tickets/{LEAK}/case", seen=f"/tickets/{LEAK}")
    assert made.status == 303
    address = made.headers["Location"]
    again = await submit(agent, f"/tickets/{LEAK}/case", seen=f"/tickets/{LEAK}")
    assert again.headers["Location"] == address
    page = await (await agent.get(address)).text()
    shown = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "某女士家某户厨房漏水" in shown
    assert "某师傅换了角阀，电话（号码）回访过。" in shown
    for private in ("王女士", "13800016207", "501", "李师傅"):
        assert private not in shown
    assert address in await (await agent.get(f"/tickets/{LEAK}")).text()


async def test_a_case_is_mended_withdrawn_and_suggested(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await library(database, clock)
    supervisor, agent = await sign_in("hewen"), await sign_in("lijia")
    text = {"title": "楼上周日装修电钻", "problem": "装修噪音", "solution": "核对装修时段，下整改单，\r\n回电告知。"}
    assert (await submit(agent, "/cases/1", seen="/tickets", **text, version="2")).status == 403
    empty = await submit(supervisor, "/cases/1", seen="/cases/1", **(text | {"solution": " "}))
    assert empty.status == 400
    assert "怎么解决的" in await empty.text()
    assert (await submit(supervisor, "/cases/1", seen="/cases/1", **text)).status == 303
    assert (await submit(supervisor, "/cases/1", seen="/cases/1", **text, version="2")).status == 409
    assert "核对装修时段" in await (await agent.get("/cases?q=装修电钻")).text()
    assert "楼上周日装修电钻" in await (await agent.get(f"/tickets/{NOISE}")).text()
    assert (await submit(supervisor, "/cases/1/withdraw", seen="/cases/1")).status == 303
    assert "没有找到" in await (await agent.get("/cases?q=装修电钻")).text()
    assert (await submit(supervisor, "/cases/1/withdraw", seen="/cases/1", back="1")).status == 303
    assert "核对装修时段" in await (await agent.get("/cases?q=装修电钻")).text()
    assert (await agent.get("/cases/99999")).status == 404
