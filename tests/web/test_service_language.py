"""Service language on the console: findings on the call, contested, decided, corrected; agents' weeks."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.db.users import AuditRow
from callcenter.domain.service_language import default_language_rules
from callcenter.services.check_language import LanguageChecker
from callcenter.services.language_decisions import judge_by_decisions
from callcenter.services.try_language_rules import try_rules
from callcenter.web.console import language_checker
from tests.conftest import SetClock
from tests.web.conftest import SignIn, submit
from tests.web.factory import Ring, Story, call_rows, recording_rows, save

CALL = "CA-rude"
RUDE_SAID = (
    ("agent", 0.0, 1.0, "喂，哪里？"),
    ("resident", 1.4, 5.0, "我姓高，十五栋楼道的灯坏了三天了。"),
    ("agent", 5.4, 7.0, "我不清楚，你找开发商去。"),
    ("resident", 7.4, 9.0, "你们保安也说不知道。"),
    ("agent", 20.0, 22.0, "那先这样。"),
)


@pytest.fixture
def checker(settings: Settings) -> LanguageChecker:
    return language_checker(settings)


async def rude_call(database: Database, clock: SetClock, settings: Settings) -> None:
    """One more call, and all three checked."""
    story = Story(
        call_id=CALL,
        at=clock.now() - timedelta(hours=2),
        rings=(Ring(agent="zhao", start=1.5, seconds=4.0),),
        talk_seconds=23,
        said=RUDE_SAID,
    )
    await save(database, *call_rows(story), *recording_rows(story, settings.recordings_dir))
    for call_id in (CALL, "CA-leak", "CA-noise"):
        assert await language_checker(settings).check(database, call_id, now=clock.now())


@pytest.fixture
async def rude(database: Database, clock: SetClock, settings: Settings, day: None) -> None:
    await rude_call(database, clock, settings)


async def findings(database: Database) -> dict[str, LanguageFindingRow]:
    async with database.read() as session:
        rows = await session.scalars(select(LanguageFindingRow).where(LanguageFindingRow.call_id == CALL))
        return {row.kind: row for row in rows}


@pytest.mark.usefixtures("rude")
async def test_findings_stand_on_the_call_with_their_second(sign_in: SignIn, database: Database) -> None:
    found = await findings(database)
    expected = {"bare_opening", "unknowing", "not_ours", "greeting", "company", "surname", "help", "farewell"}
    assert expected | {"name_used", "silence"} <= set(found)
    at = found["unknowing"].start_ms
    assert 5400 < at < 5700, "the words begin a little after the turn"
    assert found["unknowing"].words == "不清楚"
    page = await (await (await sign_in("zhaoqiang")).get(f"/calls/{CALL}")).text()
    assert f'data-seek="{at}"' in page
    assert "推说不知" in page
    assert "长时间无声 11.0 秒" in page
    polite = await (await (await sign_in("hewen")).get("/calls/CA-leak")).text()
    assert "推说不知" not in polite


@pytest.mark.usefixtures("rude")
async def test_an_agent_contests_and_a_supervisor_decides(
    sign_in: SignIn, database: Database, clock: SetClock, checker: LanguageChecker
) -> None:
    row = (await findings(database))["unknowing"]
    address = f"/calls/{CALL}/language/{row.id}"
    agent, other, supervisor = await sign_in("zhaoqiang"), await sign_in("lijia"), await sign_in("hewen")
    assert (await submit(agent, f"{address}/contest", seen=f"/calls/{CALL}", reason=" ")).status == 400
    assert (await submit(other, f"{address}/contest", seen="/tickets/GD-1124-0001", reason="不是我")).status == 403
    assert (await submit(agent, f"{address}/contest", seen=f"/calls/{CALL}", reason="是在转述")).status == 303
    assert "是在转述" in await (await supervisor.get("/language")).text()
    assert (await submit(agent, f"{address}/decide", seen=f"/calls/{CALL}", verdict="overturned")).status == 403
    assert (await submit(supervisor, f"{address}/decide", seen=f"/calls/{CALL}", verdict="maybe")).status == 400
    decided = await submit(supervisor, f"{address}/decide", seen=f"/calls/{CALL}", verdict="overturned", reason="属实")
    assert decided.status == 303
    assert "主管判定：不算" in await (await agent.get(f"/calls/{CALL}")).text()
    assert (await submit(agent, f"{address}/contest", seen=f"/calls/{CALL}", reason="再说")).status == 400
    nowhere = f"/calls/CA-leak/language/{row.id}/decide"
    assert (await submit(supervisor, nowhere, seen=f"/calls/{CALL}", verdict="upheld")).status == 404

    tallies = await judge_by_decisions(database, checker, default_language_rules())
    assert (tallies["unknowing"].wrong, tallies["unknowing"].precision) == (1, 0.0)
    await checker.check(database, CALL, now=clock.now())
    again = (await findings(database))["unknowing"]
    assert (again.id, again.upheld, again.contest) == (row.id, False, "是在转述")
    async with database.read() as session:
        actions = set(await session.scalars(select(AuditRow.action).where(AuditRow.subject == f"call:{CALL}")))
    assert {"language_contested", "language_overturned"} <= actions


@pytest.mark.usefixtures("rude")
async def test_a_corrected_line_is_checked_again(sign_in: SignIn, database: Database) -> None:
    agent = await sign_in("zhaoqiang")
    row = (await findings(database))["unknowing"]
    await submit(agent, f"/calls/{CALL}/language/{row.id}/contest", seen=f"/calls/{CALL}", reason="听错了")
    path = f"/calls/{CALL}/words"
    said = await submit(agent, path, seen=f"/calls/{CALL}", segment="2", text="我听清楚了，我来找电工。")
    assert said.status == 303
    found = await findings(database)
    assert found["unknowing"].gone_at is not None, "what was contested is kept"
    assert "not_ours" not in found
    page = await (await agent.get(f"/calls/{CALL}")).text()
    assert "已改字" in page
    assert "改字或改规则后不再命中" in page
    for segment, text in (("99", "x"), ("x", "x"), ("2", "字" * 2001)):
        assert (await submit(agent, path, seen=f"/calls/{CALL}", segment=segment, text=text)).status == 400
    assert (await submit(agent, path, seen=f"/calls/{CALL}", segment="2", text="")).status == 303
    assert (await findings(database))["unknowing"].gone_at is None
    other = await sign_in("lijia")
    assert (await submit(other, path, seen="/tickets/GD-1124-0001", segment="2", text="x")).status == 403
    async with database.read() as session:
        assert (
            await session.scalar(select(SegmentRow.corrected_text).where(SegmentRow.call_id == CALL).limit(1)) is None
        )


@pytest.mark.usefixtures("rude")
async def test_weeks_are_shown_to_supervisors_of_all_and_to_agents_of_themselves(sign_in: SignIn) -> None:
    supervisor = await (await sign_in("hewen")).get("/language?weeks=4&kind=unknowing")
    page = await supervisor.text()
    assert supervisor.status == 200
    assert "赵强" in page
    assert "李佳" in page
    assert "不清楚" in page
    own = await (await (await sign_in("lijia")).get("/language?weeks=x")).text()
    assert "赵强" not in own
    assert "不清楚" not in own
    assert "检查了 1 通" in own
    english = await (await (await sign_in("root")).get("/language?lang=en")).text()
    assert "claims not to know" in english


@pytest.mark.usefixtures("rude")
async def test_edited_rules_are_tried_over_past_calls_and_nothing_is_kept(
    database: Database, clock: SetClock, checker: LanguageChecker
) -> None:
    rules = default_language_rules()
    tried = replace(rules, never=tuple(one for one in rules.never if one.key != "unknowing"))
    found = await try_rules(
        database, checker, tried, since=clock.now() - timedelta(days=1), until=clock.now() + timedelta(days=1)
    )
    assert found.calls == 3
    assert [(one.call_id, one.finding.check) for one in found.gone] == [(CALL, "unknowing")]
    assert found.added == []
    assert "unknowing" in await findings(database)
    none = await try_rules(database, checker, tried, since=clock.now() + timedelta(days=1), until=clock.now())
    assert none.calls == 0


async def test_one_channel_or_an_untranscribed_recording_is_not_checked(
    database: Database, clock: SetClock, checker: LanguageChecker, day: None
) -> None:
    async with database.write() as session:
        for recording in await session.scalars(select(RecordingRow)):
            recording.channels = 1
    assert not await checker.check(database, "CA-leak", now=clock.now())
    assert not await checker.check(database, "CA-nobody", now=clock.now())
    async with database.read() as session:
        assert (await session.scalars(select(LanguageCheckRow))).all() == []
