"""Several homes, one matter, on the console: shown early, confirmed, taken apart, solved for everybody."""

import re

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow
from callcenter.services.find_incidents import find_incidents
from callcenter.services.follow_up_rules import FollowUpRules
from tests.conftest import SetClock
from tests.web.conftest import SignIn, hidden, submit
from tests.web.factory import Story, call_rows, save, ticket

PAGE = "/incidents/SJ-1124-01"


async def lifts(database: Database, clock: SetClock, rules: FollowUpRules, homes: int = 3) -> None:
    """So many homes of building 6 have phoned about the lift."""
    for number in range(homes):
        at, call_id = clock.now(), f"CA-lift-{number}"
        caller = f"+861380000100{number}"
        row = ticket(
            60 + number,
            f"GD-1124-006{number}",
            call_id,
            at,
            category="lift",
            building="6",
            unit="1",
            room=f"{number + 3}01",
            summary="电梯停在五楼不动",
            contact="何女士",
            caller_number=caller,
        )
        link = TicketCallRow(ticket_id=60 + number, call_id=call_id, relation="first")
        await save(database, *call_rows(Story(call_id=call_id, at=at, from_number=caller)), row, link)
    await find_incidents(database, now=clock.now(), rules=rules)


async def test_it_stands_above_the_tickets_and_on_each_of_them(
    sign_in: SignIn, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    client = await sign_in("lijia")
    assert "进行中的事件" not in await (await client.get("/tickets")).text()
    await lifts(database, clock, rules)
    listed = await (await client.get("/tickets")).text()
    assert f'<a href="{PAGE}"><b>6栋 电梯</b></a>' in listed
    shown = await (await client.get("/tickets/GD-1124-0061")).text()
    assert f'<a href="{PAGE}"><b>6栋 电梯</b></a>' in shown
    assert "归入事件 SJ-1124-01。" in shown
    page = await (await client.get(PAGE)).text()
    assert "<h1>6栋 电梯</h1>" in page
    assert "户数够多，记为同一事件。" in page
    assert page.count("data-row>") == 3
    assert "6栋 电梯" in await (await client.get("/incidents")).text()


async def test_solving_writes_how_and_sends_every_home_to_be_asked(
    sign_in: SignIn, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    client = await sign_in("lijia")
    await lifts(database, clock, rules)
    refused = await submit(client, f"{PAGE}/solve", seen=PAGE, note=" ")
    assert refused.status == 400
    assert "怎么解决的" in await refused.text()
    assert (await submit(client, f"{PAGE}/solve", seen=PAGE, note="换了门机皮带")).status == 303
    page = await (await client.get(PAGE)).text()
    assert "已解决，3 户各回访一次。" in page
    assert "换了门机皮带" in page
    assert "待回访" in page
    again = await submit(client, f"{PAGE}/reopen", seen=PAGE)
    assert again.status == 303
    assert "没有真正解决，重新打开。" in await (await client.get(PAGE)).text()


async def test_a_suggestion_is_confirmed_dismissed_and_brought_back(
    sign_in: SignIn, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    client = await sign_in("lijia")
    await lifts(database, clock, rules, homes=2)
    page = await (await client.get(PAGE)).text()
    assert "疑似同一事件" in page
    stale = {"csrf": hidden(page, "csrf"), "version": "1"}
    assert (await submit(client, f"{PAGE}/confirm", seen=PAGE)).status == 303
    assert (await client.post(f"{PAGE}/dismiss", data=stale)).status == 409
    assert (await submit(client, f"{PAGE}/dismiss", seen=PAGE)).status == 303
    assert "没有工单。" in await (await client.get(PAGE)).text()
    assert "进行中的事件" not in await (await client.get("/tickets")).text()
    assert (await submit(client, f"{PAGE}/restore", seen=PAGE)).status == 303
    assert (await submit(client, f"{PAGE}/remove", seen=PAGE, ticket="GD-1124-0060")).status == 303
    assert "移出的" in await (await client.get(PAGE)).text()
    assert (await submit(client, f"{PAGE}/add", seen=PAGE, ticket=" gd-1124-0060 ")).status == 303
    assert (await submit(client, f"{PAGE}/add", seen=PAGE, ticket="GD-1")).status == 400
    assert (await submit(client, f"{PAGE}/restore", seen=PAGE)).status == 400


async def test_an_incident_that_is_not_there(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    assert (await client.get("/incidents/SJ-0101-01")).status == 404
    assert "没有事件" in await (await client.get("/incidents")).text()


async def test_the_map_shows_each_building_with_what_goes_on_in_it(
    sign_in: SignIn, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await lifts(database, clock, rules)
    client = await sign_in("lijia")
    page = await (await client.get("/incidents")).text()
    town = page.split('class="town"')[1].split("</ul>")[0]
    shown = re.findall(r"<b>([^<]+)</b> <span>([^<]+)</span>", town)
    assert [building for building, _ in shown] == ["3栋", "5栋", "6栋", "7栋", "9栋"], "in the order of their numbers"
    assert dict(shown)["6栋"] == "3 件"
    assert 'class="late"' in town.split("<b>6栋")[0].rsplit("<li", 1)[1]
    assert "电梯" in town
