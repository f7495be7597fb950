"""The review queue: what could not be understood first, then the least sure; confirming brings the next."""

import re

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketFieldRow, TicketRow
from tests.web.conftest import Client, SignIn, submit
from tests.web.day import NOISE, SILENT


async def queued(client: Client) -> list[str]:
    page = await (await client.get("/review")).text()
    return re.findall(r'<li data-row><a href="/review/([^"]+)"', page)


async def test_the_least_sure_come_first(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    assert (await client.get("/review", allow_redirects=False)).headers["Location"] == f"/review/{SILENT}"
    assert await queued(client) == [SILENT, NOISE]


async def test_an_agent_reviews_their_own_calls_and_those_that_nobody_took(sign_in: SignIn) -> None:
    assert await queued(await sign_in("zhaoqiang")) == [SILENT, NOISE]
    assert await queued(await sign_in("lijia")) == [SILENT]


async def test_unsure_fields_stand_on_top(sign_in: SignIn) -> None:
    page = await (await (await sign_in("zhaoqiang")).get(f"/review/{NOISE}")).text()
    fields = re.findall(r'<li class="([^"]*)" data-field="([^"]+)"', page)
    assert fields[0] == ("low cur", "place")
    assert fields[1] == ("low ", "promise.1")
    assert all(not css.startswith("low") for css, _ in fields[2:])


async def test_confirming_brings_the_next_one(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("zhaoqiang")
    page = f"/review/{NOISE}"
    saved = await submit(client, f"/tickets/{NOISE}/confirm", seen=page, back="review")
    assert (saved.status, saved.headers["Location"]) == (303, "/review")
    assert await queued(client) == [SILENT]
    async with database.read() as session:
        confirmed = (await session.scalars(select(TicketRow).where(TicketRow.number == NOISE))).one()
        place = await session.get(TicketFieldRow, (2, "place"))
    assert (confirmed.building, confirmed.room, confirmed.needs_review) == ("15", "204", False)
    assert place is not None
    assert place.state == "confirmed"


async def test_a_correction_stays_in_the_review(sign_in: SignIn) -> None:
    client = await sign_in("zhaoqiang")
    page = f"/review/{NOISE}"
    saved = await submit(client, f"/tickets/{NOISE}/fields/place", seen=page, value="5栋1204", back="review")
    assert saved.headers["Location"] == page
    assert '<span class="said">5栋1204</span>' in await (await client.get(page)).text()


async def test_a_call_with_nothing_to_do_is_closed_with_its_reason(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("zhaoqiang")
    form = {"status": "closed", "reason": "没有人说话", "back": "review"}
    saved = await submit(client, f"/tickets/{SILENT}/status", seen=f"/review/{SILENT}", **form)
    assert saved.headers["Location"] == "/review"
    assert await queued(client) == [NOISE]
    assert "没有人说话" in await (await client.get(f"/tickets/{SILENT}")).text()


async def test_an_empty_queue_says_so(sign_in: SignIn, database: Database) -> None:
    async with database.write() as session:
        for ticket in (await session.scalars(select(TicketRow))).all():
            ticket.needs_review = ticket.must_listen = False
    assert "都复核完了。" in await (await (await sign_in("hewen")).get("/review")).text()
