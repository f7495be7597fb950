"""Many tickets at once: the board, files of the list, giving several to somebody."""

import csv
import io

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.db.users import AuditRow
from tests.web.conftest import SignIn, hidden
from tests.web.day import LEAK, NOISE, SILENT
from tests.web.test_exports import sheets
from tests.web.test_ticket_list import OVERDUE


async def owners(database: Database) -> dict[str, str | None]:
    async with database.read() as session:
        return dict(iter((await session.execute(select(TicketRow.number, TicketRow.owner))).all()))


async def test_picked_tickets_are_given_and_one_that_changed_is_left(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("hewen")
    page = await (await client.get("/tickets")).text()
    form = {"csrf": hidden(page, "csrf"), "owner": "chen", "back": "/tickets?status=unowned"}
    picked = {f"pick-{SILENT}": "1", f"pick-{OVERDUE}": "1"}
    done = await client.post("/tickets/assign", data=form | picked, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, "/tickets?status=unowned")
    stale = await client.post("/tickets/assign", data=form | {f"pick-{SILENT}": "1", f"pick-{NOISE}": "1"})
    told = await stale.text()
    assert stale.status == 409
    assert SILENT in told
    assert "何雯 改过" in told
    found = await owners(database)
    assert (found[SILENT], found[OVERDUE], found[NOISE]) == ("chen", "chen", "chen")


async def test_nothing_picked_and_nobody_known_are_refused(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    before = await owners(database)
    csrf = hidden(await (await client.get("/tickets")).text(), "csrf")
    nothing = await client.post("/tickets/assign", data={"csrf": csrf, "owner": "chen"})
    nobody = await client.post("/tickets/assign", data={"csrf": csrf, "owner": "ghost", f"pick-{LEAK}": "1"})
    away = {"csrf": csrf, "owner": "chen", f"pick-{LEAK}": "1", "back": "https://example.org/"}
    elsewhere = await client.post("/tickets/assign", data=away, allow_redirects=False)
    assert (nothing.status, nobody.status) == (400, 400)
    assert elsewhere.headers["Location"] == "/"
    assert {number: owner for number, owner in (await owners(database)).items() if owner != before[number]} == {
        LEAK: "chen"
    }


async def test_the_board_has_each_open_ticket_once(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    page = await (await client.get("/tickets/board")).text()
    shown = page.split('id="board"')[1]
    for number in (LEAK, NOISE, SILENT, OVERDUE, "GD-1123-0007"):
        assert shown.count(f'href="/tickets/{number}"') == 1
    assert "GD-1123-0010" not in shown, "what is closed is on no board"
    narrowed = await (await client.get("/tickets/board?type=complaint")).text()
    assert NOISE in narrowed
    assert f'href="/tickets/{LEAK}"' not in narrowed
    assert (await client.get("/tickets/board?status=closed")).status == 400


async def test_the_list_is_a_file_with_its_filters(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("hewen")
    response = await client.get("/tickets/export.csv?q=漏水")
    rows = list(csv.DictReader(io.StringIO((await response.text()).removeprefix("\ufeff"))))
    assert [row["编号"] for row in rows] == [LEAK]
    assert (rows[0]["状态"], rows[0]["地点"], rows[0]["负责人"]) == ("处理中", "3栋2单元501", "李佳")
    assert rows[0]["来电号码"] == "'+8613800016207", "a supervisor's file has whole numbers"
    book = sheets(await (await client.get("/tickets/export.xlsx?status=all")).read())
    assert len(book["工单"]) == 1 + len(await owners(database))
    async with database.read() as session:
        looks = (await session.scalars(select(AuditRow).where(AuditRow.action == "exported_tickets"))).all()
    assert [look.data["rows"] for look in looks] == [1, len(book["工单"]) - 1]


async def test_an_agent_takes_no_whole_numbers_away(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    assert "13800016207" not in await (await client.get("/tickets/export.csv?status=all")).text()
    found = (await (await client.get("/tickets/export.json")).json())["tickets"]
    assert found[1]["number"] == LEAK
    assert "****" in found[1]["caller_number"]
