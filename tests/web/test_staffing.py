"""The staffing page: from the recorded calls to the agents that next week needs."""

import re
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.config import AnsweringSettings, Settings
from callcenter.db.engine import Database
from callcenter.reports.staffing import plan_of, read_staffing
from callcenter.web import add_console
from callcenter.web.pages.staffing import staffing_rule
from tests.conftest import SetClock
from tests.web.conftest import SignIn, log_in
from tests.web.factory import Ring, Story, call_rows, save


async def three_weeks(database: Database, clock: SetClock) -> None:
    """Twelve calls in the half hour from nine of every weekday, none at weekends; 4 s to pick up, 180 s of talk."""
    midnight = clock.now() - timedelta(hours=10)
    rows: list[object] = []
    for back in range(1, 22):
        day = midnight - timedelta(days=back)
        if (day + timedelta(hours=8)).weekday() >= 5:
            continue
        for number in range(12):
            ring = Ring(agent="li", start=2, seconds=4)
            at = day + timedelta(hours=9, minutes=2 * number)
            story = Story(call_id=f"CA-w{back}-{number}", at=at, rings=(ring,), talk_seconds=180)
            rows += call_rows(story)
    await save(database, *rows)


async def test_the_plan_follows_from_the_recorded_calls(
    database: Database, day: None, clock: SetClock, settings: Settings
) -> None:
    await three_weeks(database, clock)
    rule = staffing_rule(settings)
    found = await read_staffing(database, rule, now=clock.now(), replayed=None)
    assert found.handling is not None
    assert (found.handling.talks, found.handling.talk_seconds) == (180, 180.0), "today is not over: not counted"
    assert found.handling.pick_ups == ((4.0, 180),)
    assert found.counted_days == 21
    assert found.error is not None
    assert (found.error.days, found.error.calls, found.error.by_slot) == (7, 60, 0.0)
    plan = plan_of(found, rule)
    assert [round(one.all_calls) for one in plan] == [12, 12, 12, 12, 0, 0, 12], "from Tuesday to Monday"
    assert plan[0].calls[18] == 12.0
    assert (plan[0].agents[18], plan[0].agents[17], plan[4].most_agents) == (4, 1, 1)
    assert found.recorded is not None
    assert len(found.recorded.arrivals) == 12
    assert found.recorded.arrivals[0].handling_seconds == 184.0


async def test_the_page_shows_plan_error_and_replay(database: Database, sign_in: SignIn, clock: SetClock) -> None:
    await three_weeks(database, clock)
    client = await sign_in("hewen")
    page = await (await client.get("/staffing?agents=2")).text()
    assert "没有记录，按 0 计：人数是下限" in page
    assert "Erlang C" in page
    row = page.split('<th scope="row">09:00–09:30</th>')[1].split("</tr>")[0]
    assert re.findall(r'<td class="num">(\d+) <small>([\d.]+)</small>', row)[0] == ("4", "12.0")
    replays = page.split('<h2 id="p1">')[1]
    shares = [float(one) for one in re.findall(r'data-l="限时内接听">([\d.]+)%', replays)]
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert shares[0] < shares[2]
    assert "服务水平 100.0%" in replays, "what happened in truth stands beside it"


async def test_odd_addresses_still_show_a_page(database: Database, sign_in: SignIn, clock: SetClock) -> None:
    client = await sign_in("hewen")
    empty = await (await client.get("/staffing")).text()
    assert "还没有可以计算的通话" in empty, "nothing but today, which is not over"
    await three_weeks(database, clock)
    for odd in ("day=2026-13-99", "day=2026-02-30&agents=0", "agents=99999", "agents=-1", "day=2099-11-24&agents=999"):
        assert (await client.get(f"/staffing?{odd}")).status == 200, odd
    assert "这一天没有来电" in await (await client.get("/staffing?day=2026-11-21")).text()


async def test_only_supervisors_plan(sign_in: SignIn) -> None:
    assert (await (await sign_in("lijia")).get("/staffing")).status == 403


@pytest.mark.parametrize("after_call", [0.0, 120.0])
async def test_a_measured_work_after_calls_is_counted(
    database: Database, day: None, clock: SetClock, settings: Settings, after_call: float
) -> None:
    await three_weeks(database, clock)
    own = settings.model_copy(update={"answering": AnsweringSettings(after_call_seconds=after_call)})
    app = web.Application()
    add_console(app, database=database, settings=own, clock=clock)
    async with TestClient(TestServer(app)) as client:
        await log_in(client, "hewen")
        page = await (await client.get("/staffing")).text()
    row = page.split('<th scope="row">09:00–09:30</th>')[1].split("</tr>")[0]
    assert re.findall(r'<td class="num">(\d+) ', row)[0] == ("4" if after_call == 0 else "5")
    assert "设置中填写" in page


async def test_the_plan_is_a_file_too(database: Database, sign_in: SignIn, clock: SetClock) -> None:
    await three_weeks(database, clock)
    client = await sign_in("hewen")
    told = await (await client.get("/staffing/plan.json")).json()
    assert len(told["plan"]) == 7 * 48
    nine = next(one for one in told["plan"] if (one["day"], one["from"]) == ("2026-11-24", "09:00"))
    assert (nine["calls_foreseen"], nine["agents"]) == (12.0, 4)
    lines = (await (await client.get("/staffing/plan.csv")).text()).splitlines()
    assert len(lines) == 7 * 48 + 1
    assert "2026-11-24,09:00,12.0,4" in lines
    book = await client.get("/staffing/plan.xlsx")
    assert (book.status, (await book.read())[:2]) == (200, b"PK")
