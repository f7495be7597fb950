"""The list of tickets: the next deadline first, filters as links, search in everything that was said."""

import re
from datetime import timedelta

import pytest

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn
from tests.web.day import LEAK, NOISE, SILENT
from tests.web.factory import Story, call_rows, save, ticket

OVERDUE = "GD-1123-0008"


async def numbers(client: Client, address: str = "/tickets") -> list[str]:
    page = await (await client.get(address)).text()
    return re.findall(r'<td class="sum wide"><a href="/tickets/([^"]+)"', page)


async def test_the_next_deadline_comes_first(sign_in: SignIn) -> None:
    shown = await numbers(await sign_in("lijia"))
    assert shown[:3] == [OVERDUE, LEAK, NOISE]
    assert set(shown[-2:]) == {SILENT, "GD-1123-0007"}, "tickets without a deadline come last"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=overdue", {OVERDUE, LEAK}),
        ("status=today", {OVERDUE, LEAK}),
        ("status=solved", {"GD-1123-0007"}),
        ("status=closed", {"GD-1123-0010"}),
        ("status=unowned", {SILENT, OVERDUE}),
        ("status=mine", {LEAK, "GD-1123-0007", "GD-1123-0009"}),
        ("type=complaint", {NOISE}),
        ("category=lift", {OVERDUE}),
        ("building=3", {LEAK}),
        ("q=漏水", {LEAK}),
        ("q=楼上 装修", {NOISE}),
        ("q=上夜班", {NOISE}),
        ("q=3栋2单元501", {LEAK}),
        ("q=gd-1124-0003", {SILENT}),
        ("q=13600019052", {NOISE}),
        ("q=周先生", {NOISE}),
        ("q=100%25", set()),
        ("status=nonsense&type=complaint&page=x", {NOISE}),
    ],
)
async def test_a_filter_is_a_link(sign_in: SignIn, query: str, expected: set[str]) -> None:
    assert set(await numbers(await sign_in("lijia"), f"/tickets?{query}")) == expected


async def test_the_counts_at_the_filters_are_those_of_the_lists_behind_them(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    page = await (await client.get("/tickets?q=水")).text()
    links = re.findall(r'<a href="(/tickets[^"]*)"[^>]*>[^<]+<i>(\d+)</i></a>', page.split('<dl class="filters">')[1])
    assert len(links) > 10
    for address, count in links:
        assert len(await numbers(client, address.replace("&amp;", "&"))) == int(count), address


async def test_what_was_searched_is_marked_and_cannot_be_markup(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    page = await (await client.get("/tickets?q=没人来")).text()
    assert '<mark class="find">没人来</mark>' in page
    hostile = await (await client.get('/tickets?q="><script>alert(1)</script>')).text()
    assert "<script>alert" not in hostile
    assert "没有找到" in hostile


async def test_a_long_list_comes_in_pages(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    for number in range(60):
        at = clock.now() - timedelta(days=2, minutes=number)
        story = Story(call_id=f"CA-many-{number}", at=at)
        link = TicketCallRow(ticket_id=100 + number, call_id=story.call_id, relation="first")
        await save(database, *call_rows(story), ticket(100 + number, f"GD-1122-{number:04}", story.call_id, at), link)
    client = await sign_in("lijia")
    first, second, last = [await numbers(client, f"/tickets?page={page}") for page in (1, 2, 3)]
    assert [len(first), len(second), len(last)] == [25, 25, 16]
    assert len({*first, *second, *last}) == 66
    assert await numbers(client, "/tickets?page=99") == last
    page = await (await client.get("/tickets?page=2")).text()
    assert 'rel="next"' in page
    assert 'rel="prev"' in page
    assert "第 26–50 件，共 66 件" in page


async def test_nothing_open_says_so(sign_in: SignIn) -> None:
    page = await (await (await sign_in("lijia")).get("/tickets?category=none")).text()
    assert "没有未结的工单" in page
