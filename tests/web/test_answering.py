"""The supervisor's page and the ring ledger of one call: figures that can be followed down to the events."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select, update

from callcenter.config import Settings
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.agent_states import AgentState
from callcenter.domain.figures import Band
from callcenter.domain.periods import PeriodKind, period_of
from callcenter.domain.rings import Disposition, RingRule
from callcenter.reports.answering import Answering, answering, list_calls
from callcenter.reports.call_scope import WHICH, Scope
from callcenter.reports.day_sums import read_tally
from callcenter.services.agent_states import say_state
from callcenter.services.fold_calls import fold_pending
from callcenter.services.judge_again import judge_some
from tests.conftest import SetClock
from tests.reports.hotline import store
from tests.web.conftest import SignIn
from tests.web.factory import Ring, Story, call_rows, save, ticket


@pytest.fixture
async def found(database: Database, day: None, clock: SetClock, settings: Settings) -> Answering:
    today = period_of(PeriodKind.DAY, clock.now(), settings.zone)
    scope = Scope(start=today.start, end=today.end)
    return await answering(database, scope, settings.counting, now=clock.now())


def test_the_figures_are_those_of_the_calls(found: Answering) -> None:
    figures, share = found.figures, found.figures.share
    assert (share.within, share.late, share.missed, share.undecided) == (37, 2, 2, 1)
    assert (figures.offered, figures.connected) == (42, 40)
    assert figures.of(Disposition.VOICE_MAIL) == 1
    assert sum(hour.total for hour in found.hours) == share.counted
    assert found.hours[9].late == 2
    assert [one.call.id for one in found.noted] == ["CA-leak", "CA-late", "CA-open", "CA-left", "CA-silent"]
    assert found.longest is not None
    assert found.longest.id == "CA-left"  # nobody answered, and it waited all the same
    assert found.longest.wait_low_ms == found.longest_wait_ms
    assert figures.speed is not None
    assert figures.speed.longest_ms == 27_200, "from the moment an agent was called, ringing included"
    agents = {one.agent: one for one in found.agents}
    assert (agents["sun"].refused, agents["zhao"].rang_out, agents["chen"].late) == (1, 1, 1)
    assert agents["li"].share == Band(low=10 / 11, high=1.0)


async def test_first_contacts_repeats_and_call_backs(
    database: Database, found: Answering, clock: SetClock, settings: Settings
) -> None:
    """A second call within seven days is not settled at once; an eighth day's call is; what is young is open."""
    assert (found.contacts.matters, found.contacts.again, found.contacts.repeats) == (7, 0, 0)
    assert found.contacts.open_matters == found.contacts.matters, "all of today's may still come again"
    start = clock.now() - timedelta(days=30)
    rows: list[object] = []
    for number, days_later in enumerate((None, 3, 8)):
        first = f"CA-first{number}"
        rows += call_rows(Story(call_id=first, at=start, rings=(Ring(agent="li", start=1, seconds=4),)))
        rows += [ticket(50 + number, f"GD-1025-000{number}", first, start)]
        rows += [TicketCallRow(ticket_id=50 + number, call_id=first, relation="first")]
        if days_later is not None:
            second = Story(call_id=f"CA-again{number}", at=start + timedelta(days=days_later))
            rows += call_rows(second)
            rows += [TicketCallRow(ticket_id=50 + number, call_id=second.call_id, relation="repeat")]
    for number, late_by in enumerate((-1, 2, None)):
        due = start + timedelta(hours=2 + number)
        met = due + timedelta(minutes=late_by) if late_by is not None else None
        rows.append(
            TicketDeadlineRow(ticket_id=50, kind="promise", basis="call_back", due_at=due, met_at=met, evidence=[])
        )
    soon = clock.now() + timedelta(hours=3)
    call_back = {"ticket_id": 51, "kind": "promise", "basis": "call_back", "evidence": []}
    rows += [
        TicketDeadlineRow(**call_back, due_at=start + timedelta(hours=3), cancelled_at=start),
        TicketDeadlineRow(**call_back | {"basis": "visit"}, due_at=start + timedelta(hours=3)),
        TicketDeadlineRow(**call_back, due_at=soon),
        TicketDeadlineRow(**call_back, due_at=soon, met_at=clock.now()),
    ]
    await save(database, *rows)
    scope = Scope(start=start - timedelta(hours=1), end=start + timedelta(days=9))
    async with database.read() as session:
        contacts = (await read_tally(session, scope, settings.counting, now=clock.now())).contacts()
    assert (contacts.matters, contacts.again, contacts.open_matters) == (3, 1, 0)
    assert contacts.first_contact_resolution == Band(low=2 / 3, high=2 / 3)
    assert (contacts.linked, contacts.repeats) == (5, 2)
    assert (contacts.promised, contacts.kept) == (3, 1)
    async with database.read() as session:
        coming = Scope(start=clock.now(), end=soon + timedelta(hours=1))
        today = (await read_tally(session, coming, settings.counting, now=clock.now())).contacts()
    assert (today.promised, today.kept) == (1, 1), "what is not due yet counts only once it was made"
    _, repeats = await list_calls(database, scope, WHICH["repeats"], most=1)
    assert repeats == contacts.repeats


async def test_a_share_with_undecided_calls_is_a_band(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/answering")).text()
    assert "88.1<small>–</small>90.5<small>%</small>" in page
    assert "未达标" in page
    assert "孙磊拒听 → 李佳接" in page
    assert "李佳接，只有整秒时钟" in page
    assert "15.0±1.0" in page
    assert "第 3 或 4 声" in page


async def test_every_noted_call_leads_to_its_events(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    page = await (await client.get("/answering")).text()
    links = re.findall(r'href="(/calls/[^"]+)"', page)
    assert len(links) >= 5
    for link in set(links):
        assert '<h2 id="e1">事件' in await (await client.get(link)).text()


async def test_another_day_has_its_own_figures(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    empty = await (await client.get("/answering?day=2026-11-20")).text()
    assert "这段时间还没有来电" in empty
    for odd in (
        "day=2026-13-99",
        "day=2099-12-31&period=week",
        "period=year",
        "number=x&period=month",
        "day=0001-01-01",
    ):
        assert (await client.get(f"/answering?{odd}")).status == 200


@pytest.mark.parametrize("period", ["day", "week", "month"])
async def test_every_figure_opens_down_to_as_many_calls_as_it_counts(sign_in: SignIn, period: str) -> None:
    client = await sign_in("hewen")
    page = await (await client.get(f"/answering?period={period}")).text()
    assert ("每日来电" in page) is (period != "day")
    for word, count in re.findall(r"</svg>(三声内|待定|超时|未接) (\d+)</a>", page):
        href = re.search(rf'href="([^"]+)"><svg[^>]*><rect[^>]*></svg>{word} ', page)
        assert href is not None
        listed = await (await client.get(unescape(href[1]))).text()
        assert f"·{count} 通·" in listed, word
        assert listed.count("<tr data-row>") == int(count)
    links = {unescape(link) for link in re.findall(r'href="(/answering/calls[^"]+)"', page)}
    assert len(links) > 20
    for link in links:
        assert (await client.get(link)).status == 200, link
    assert (await client.get("/answering/calls?which=nothing")).status == 404


async def test_figures_without_data_say_so(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/answering")).text()
    for key, words in (
        ("handling", "话后处理没有记录"),
        ("transfer", "线路不报告转接"),
        ("occupancy", "没有人说过何时在岗"),
    ):
        figure = page.split(f'data-figure="{key}"')[1].split("</div>")[0]
        assert "<dd>– <small>" in figure
        assert words in figure
    assert "口径与公式" in page


async def test_occupancy_is_told_of_who_says_when_they_are_on_duty(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    for hours, state in ((20, AgentState.BUSY), (3, AgentState.READY), (1, AgentState.AWAY)):
        at = clock.now() - timedelta(hours=hours)
        await say_state(database, agent="li", state=state, actor="lijia", now=at)
    client = await sign_in("hewen")
    told = await (await client.get("/answering/export.json?period=day")).json()
    agents = {one["agent"]: one for one in told["agents"]}
    assert agents["li"]["on_duty_ms"] == 2 * 3600 * 1000
    async with database.read() as session:
        legs = select(CallLegRow.answered_at, CallLegRow.ended_at).where(
            CallLegRow.agent == "li", CallLegRow.answered_at.is_not(None)
        )
        begin, end = clock.now() - timedelta(hours=3), clock.now() - timedelta(hours=1)
        talks = [
            (min(b, end) - max(a, begin)).total_seconds() for a, b in (await session.execute(legs)).all() if a and b
        ]
    assert agents["li"]["occupancy"] == pytest.approx(sum(one for one in talks if one > 0) / 7200, abs=1e-6)
    assert agents["li"]["occupancy"] > 0
    assert agents["zhao"]["occupancy"] is None
    page = await (await client.get("/answering")).text()
    assert "在岗共 2:00:00" in page


async def test_the_work_after_a_call_ends_with_the_agents_next_word(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    """It becomes an event of the call, and so a figure; a word long after a call is about something else."""
    at = clock.now() - timedelta(minutes=30)
    story = Story(call_id="CA-wrapped", at=at, rings=(Ring(agent="sun", start=1.0, seconds=4.0),), talk_seconds=60)
    await store(database, [story], RingRule(), clock.now())
    async with database.read() as session:
        ended = (await session.get_one(CallRow, "CA-wrapped")).ended_at
    assert ended is not None
    for seconds, state in ((20, "wrap_up"), (110, "ready"), (900, "wrap_up"), (1000, "away")):
        word = ended + timedelta(seconds=seconds)
        await say_state(database, agent="sun", state=AgentState(state), actor="hewen", now=word)
    while await fold_pending(database, RingRule(), now=clock.now()):
        continue
    async with database.read() as session:
        call = await session.get_one(CallRow, "CA-wrapped")
    assert (call.wrap_up_low_ms, call.wrap_up_high_ms) == (108_000, 112_000), "two clocks may be two seconds apart"
    assert "话后处理完成" in await (await (await sign_in("hewen")).get("/calls/CA-wrapped")).text()


async def test_who_is_connected_to_the_fallback_number_has_flowed_out(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    rings = (
        Ring(agent="li", start=1.0, seconds=12.0, outcome="rang_out"),
        Ring(agent="fallback", start=14.0, seconds=6.0),
    )
    at = clock.now() - timedelta(minutes=30)
    story = Story(call_id="CA-out", at=at, rings=rings, talk_seconds=60)
    await store(database, [story], RingRule(), clock.now())
    client = await sign_in("hewen")
    told = await (await client.get("/answering/calls.json?which=flow_out&period=day")).json()
    assert [(one["call"], one["disposition"], one["verdict"]) for one in told["calls"]] == [
        ("CA-out", "answered", "late")
    ]
    page = await (await client.get("/answering")).text()
    assert "1 通·" in page.split('data-figure="flow_out"')[1].split("</div>")[0]
    assert "流出到备用号码" in await (await client.get("/answering/calls?which=late&period=day")).text()


async def test_only_supervisors_see_the_lists(sign_in: SignIn) -> None:
    assert (await (await sign_in("lijia")).get("/answering/calls")).status == 403


async def test_the_ledger_is_drawn_to_scale(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/calls/CA-leak")).text()
    drawing = page.split('<svg class="ledger"')[1].split("</svg>")[0]
    heard = [float(x) for x in re.findall(r'<rect class="(?:burst|over)" x="([\d.]+)" y="78"', drawing)]
    ticks = [float(x) for x in re.findall(r'<path class="grid" d="M([\d.]+) ', drawing)]
    five_seconds = ticks[1] - ticks[0]
    assert len(heard) == 4
    assert heard[1] - heard[0] == pytest.approx(five_seconds, abs=0.5)
    assert drawing.count('class="over"') == 1, "the fourth ring is over the limit"
    assert "第 4 声接听，超时 2.0 秒" in page
    assert "拒听 5.6 秒" in page
    assert "孙磊 话机挂断（忙） 486" in page
    assert "09:42:07.600" in page


async def test_an_event_with_a_clock_of_whole_seconds_shows_its_doubt(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/calls/CA-open")).text()
    assert "±0.5" in page
    assert 'class="unc"' in page
    assert "待定" in page


async def test_every_edge_of_the_ledger_names_its_event_and_clock(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/calls/CA-open")).text()
    drawing = page.split('<svg class="ledger"')[1].split("</svg>")[0]
    edges = re.findall(r'<a href="#event-(\d+)"><title>([^<]+)</title>', drawing)
    assert [words.split()[1] for _, words in edges if words.startswith("李佳")] == ["开始振铃", "接听"]
    for number, words in edges:
        row = page.split(f'<tr id="event-{number}">')[1].split("</tr>")[0]
        assert words.split()[-1] in row, "the event's own id"
        assert "服务商" in words
        assert "±0.5" in words
    assert [words.split()[0] for _, words in edges][-1] == "通话结束（正常结束）"
    assert "住户挂机" in page


async def test_a_judgement_stands_with_its_rule_and_those_before(
    database: Database, sign_in: SignIn, clock: SetClock
) -> None:
    while await judge_some(database, RingRule(rings=4), now=clock.now()):
        continue
    page = await (await (await sign_in("hewen")).get("/calls/CA-leak")).text()
    table = page.split('<h2 id="j1">')[1].split("</table>")[0]
    now, before = re.findall(r"<tr><td.*?</tr>", table, re.DOTALL)
    assert "已接·三声内·第 4 声" in now
    assert "4 声内，周期 5 秒" in now
    assert "现行" in now
    assert "已接·超时·第 4 声" in before
    assert "3 声内，周期 5 秒" in before
    assert "今天 10:00 起由新规则代替" in before


async def test_figures_are_exported_as_the_page_shows_them(sign_in: SignIn, found: Answering) -> None:
    client = await sign_in("hewen")
    answer = await client.get("/answering/export.csv?period=day")
    assert 'filename="answering-day-2026-11-24.csv"' in answer.headers["Content-Disposition"]
    body = await answer.read()
    assert body.startswith(b"\xef\xbb\xbf"), "spreadsheets need the byte order mark"
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [row["period"] for row in rows] == ["day", *["hour"] * 24]
    whole = rows[0]
    share = found.figures.share
    assert (whole["offered"], whole["share_low"], whole["share_high"]) == ("42", "0.880952", "0.904762")
    assert int(whole["late"]) == share.late == sum(int(row["late"]) for row in rows[1:])
    assert found.figures.speed is not None
    assert whole["mean_speed_of_answer_ms"] == str(found.figures.speed.mean_ms)
    by_agent = (await (await client.get("/answering/export.csv?by=agent")).read()).decode("utf-8-sig")
    agents = {row["agent"]: row for row in csv.DictReader(io.StringIO(by_agent))}
    assert (agents["sun"]["name"], agents["sun"]["refused"]) == ("孙磊", "1")
    told = await (await client.get("/answering/export.json?period=week")).json()
    assert (told["whole"]["offered"], len(told["parts"]), told["whole"]["matters"]) == (42, 7, 7)
    assert (await (await sign_in("lijia")).get("/answering/export.csv")).status == 403


async def test_what_lines_tell_of_and_estates_have_their_figures(
    database: Database, sign_in: SignIn, clock: SetClock
) -> None:
    """Half a minute held, ten seconds of work after each call, one of forty passed on; two estates."""
    async with database.write() as session:
        answered = update(CallRow).where(CallRow.disposition == "answered")
        after = {"hold_low_ms": 30_000, "hold_high_ms": 30_000, "wrap_up_low_ms": 8000, "wrap_up_high_ms": 12_000}
        await session.execute(answered.values(transferred=False, **after))
        await session.execute(answered.where(CallRow.id == "CA-late").values(transferred=True))
        await session.execute(update(TicketRow).values(estate="锦绣里"))
        await session.execute(update(TicketRow).where(TicketRow.number == "GD-1124-0001").values(estate="翠湖花园"))
    client = await sign_in("hewen")
    page = await (await client.get("/answering")).text()
    figures = dict(re.findall(r'data-figure="(\w+)">.*?<dd>(?:<a [^>]*>)?([^<]*)', page))
    assert {key: figures[key].strip() for key in ("hold", "wrap_up", "handling", "transfer")} == {
        "hold": "00:30",
        "wrap_up": "00:10",
        "handling": "01:15",
        "transfer": "2.5%",
    }
    assert re.search(r'<th scope="row">翠湖花园</th><td class="num">1</td>', page)
    assert '<th scope="row">不知道</th>' in page
    transferred = await (await client.get("/answering/calls?which=transferred")).text()
    assert transferred.count("/calls/CA-late") >= 1 > transferred.count("/calls/CA-leak")
    call = await (await client.get("/calls/CA-late")).text()
    assert "保持 30.0 秒·已转接·话后处理 10.0±2.0 秒" in call
