"""The band above every page: open emergencies for everybody, escalations for whoever was told, and its buttons."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow
from callcenter.db.users import AuditRow
from callcenter.web import live
from tests.conftest import SetClock
from tests.web.conftest import SignIn, hidden, submit
from tests.web.day import LEAK, NOISE
from tests.web.test_live import next_change


async def emergency(
    database: Database, now: datetime, *, state: str = "ringing", reason: str | None = None, phoned: bool = True
) -> None:
    """The leak has become one: 2 minutes ago, and two people were phoned."""
    async with database.write() as session:
        deadline = TicketDeadlineRow(
            ticket_id=1, kind="on_site", basis="emergency", due_at=now + timedelta(minutes=1), evidence=[]
        )
        session.add(deadline)
        await session.flush()
        alarm = OnCallAlarmRow(
            ticket_id=1,
            deadline_id=deadline.id,
            raised_at=now - timedelta(minutes=2),
            state=state,
            reason=reason,
            next_at=now,
        )
        session.add(alarm)
        await session.flush()
        for number, (person, outcome) in enumerate((("王师傅", "no_answer"), ("张工", None)) if phoned else (), 1):
            session.add(
                OnCallAttemptRow(
                    alarm_id=alarm.id,
                    number=number,
                    person=person,
                    to_number="+8613800000000",
                    idempotency_key=f"on-call-{alarm.id}-{number}",
                    at=now - timedelta(minutes=3 - number),
                    speech="…",
                    outcome=outcome,
                )
            )


async def escalation(database: Database, now: datetime, **columns: Any) -> int:
    values: dict[str, Any] = {
        "topic": f"ticket:{columns.get('ticket_id', 2)}:serious",
        "level": 2,
        "cause": "serious",
        "ticket_id": 2,
        "created_at": now - timedelta(minutes=20),
        "next_at": now + timedelta(minutes=10),
        "told_at": now - timedelta(minutes=20),
        "tellings": 1,
    }
    async with database.write() as session:
        row = EscalationRow(**(values | columns))
        session.add(row)
        await session.flush()
        return row.id


async def band(sign_in: SignIn, login: str, path: str = "/tickets") -> str:
    page = await (await (await sign_in(login)).get(path)).text()
    return page.split('<div id="alarms"', 1)[1].split("data-live-line", 1)[0]


async def audited(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    async with database.read() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.action == "acknowledged"))
        return [(row.login, row.subject, row.data) for row in rows]


async def test_without_alarms_the_band_is_empty(sign_in: SignIn) -> None:
    assert (await band(sign_in, "lijia")).startswith(' class="alarms"></div>')


@pytest.mark.parametrize("path", ["/tickets", f"/tickets/{NOISE}", f"/review/{NOISE}", "/reminders", "/review"])
async def test_an_emergency_stands_above_every_page(
    sign_in: SignIn, database: Database, clock: SetClock, path: str
) -> None:
    await emergency(database, clock.now())
    shown = await band(sign_in, "zhaoqiang", path)
    assert 'role="alert"' in shown
    assert f'<a href="/tickets/{LEAK}">3栋2单元501 厨房顶部漏水，滴到配电箱</a>' in shown
    for words in ("今天 09:58", "须 10:01 前到场", "王师傅", "无人接", "张工", "正在拨打", "还没有人接手", "我来处理"):
        assert words in shown


async def test_whoever_takes_it_stands_in_the_band(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await emergency(database, clock.now())
    client = await sign_in("lijia")
    page = await (await client.get("/tickets")).text()
    form = {name: hidden(page, name) for name in ("alarm", "escalations")}
    taken = await submit(client, f"/alarms/{LEAK}/acknowledge", seen="/tickets", **form)
    assert (taken.status, taken.headers["Location"]) == (303, f"/tickets/{LEAK}")
    shown = await band(sign_in, "zhaoqiang")
    assert "李佳 10:00 接手" in shown
    assert "我来处理" not in shown
    assert await audited(database) == [("lijia", f"ticket:{LEAK}", {"escalations": [], "alarms": [1]})]
    async with database.read() as session:
        actions = (await session.scalars(select(TicketHistoryRow.action))).all()
    assert "on_call_acknowledged" in actions


async def test_nobody_coming_is_said_as_it_is(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await emergency(database, clock.now(), state="silent", reason="nobody_on_call", phoned=False)
    assert "没有排值班，没有人接到电话" in await band(sign_in, "lijia")


async def test_arriving_ends_it_though_the_ticket_changed_meanwhile(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    await emergency(database, clock.now())
    client = await sign_in("lijia")
    await client.get("/tickets")
    await submit(await sign_in("hewen"), f"/tickets/{LEAK}/notes", seen=f"/tickets/{LEAK}", text="看过了")
    there = await submit(client, f"/alarms/{LEAK}/arrived", seen="/tickets")
    assert there.status == 303
    assert LEAK not in await band(sign_in, "zhaoqiang")
    again = await submit(client, f"/alarms/{LEAK}/arrived", seen="/tickets")
    assert again.status == 303
    async with database.read() as session:
        query = select(TicketHistoryRow).where(TicketHistoryRow.action == "arrived", TicketHistoryRow.at == clock.now())
        assert len((await session.scalars(query)).all()) == 1


@pytest.mark.parametrize(
    ("columns", "seen_by"),
    [
        ({"level": 2}, {"hewen", "root"}),
        ({"level": 3}, {"hewen", "root"}),
        ({"level": 1}, {"zhaoqiang"}),
        ({"level": 1, "ticket_id": 3}, {"lijia", "zhaoqiang", "hewen", "root"}),
        ({"level": 2, "tellings": 0, "told_at": None}, set()),
    ],
)
async def test_an_escalation_is_shown_to_whom_it_was_told(
    sign_in: SignIn, database: Database, clock: SetClock, columns: dict[str, Any], seen_by: set[str]
) -> None:
    await escalation(database, clock.now(), **columns)
    people = ("lijia", "zhaoqiang", "hewen", "root")
    assert {login for login in people if "级上报" in await band(sign_in, login)} == seen_by


async def test_what_is_over_is_no_longer_shown(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    now = clock.now()
    async with database.read() as session:
        found = await session.scalars(select(TicketDeadlineRow).where(TicketDeadlineRow.ticket_id == 1))
        met = next(one for one in found if one.met_at)
    await escalation(database, now, ticket_id=1, deadline_id=met.id, due_at=met.due_at, cause="limit_passed")
    assert "级上报" not in await band(sign_in, "hewen")


async def test_acknowledging_counts_for_what_was_seen(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    now = clock.now()
    first = await escalation(database, now)
    client = await sign_in("hewen")
    page = await (await client.get("/tickets")).text()
    assert "已知晓" in page
    seen = hidden(page, "escalations")
    assert seen == str(first)
    later = await escalation(database, now, topic="another", level=3)
    await submit(client, f"/alarms/{NOISE}/acknowledge", seen="/tickets", escalations=seen)
    async with database.read() as session:
        assert (await session.get_one(EscalationRow, first)).acknowledged_by == "hewen"
        assert (await session.get_one(EscalationRow, later)).acknowledged_at is None
    assert "第 3 级上报" in await band(sign_in, "hewen")


async def test_an_agent_cannot_acknowledge_for_the_supervisor(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    told = await escalation(database, clock.now())
    await submit(await sign_in("lijia"), f"/alarms/{NOISE}/acknowledge", seen="/tickets", escalations=str(told))
    async with database.read() as session:
        assert (await session.get_one(EscalationRow, told)).acknowledged_at is None


async def test_a_script_gets_the_band_alone(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await emergency(database, clock.now())
    client = await sign_in("lijia")
    page = await (await client.get("/tickets")).text()
    form = {"csrf": hidden(page, "csrf"), "alarm": "1", "escalations": ""}
    answer = await client.post(f"/alarms/{LEAK}/acknowledge", data=form, headers={"HX-Request": "true"})
    text = await answer.text()
    assert text.strip().startswith('<div id="alarms"')
    assert "李佳 10:00 接手" in text


async def test_more_than_a_few_fold_away(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    for ticket_id in (1, 2, 3, 10, 11):
        await escalation(database, clock.now(), ticket_id=ticket_id)
    shown = await band(sign_in, "hewen")
    assert "还有 2 件" in shown
    assert shown.count('role="alert"') == 5


async def test_open_pages_hear_of_alarms(
    sign_in: SignIn, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LOOKS", 0.05)
    client = await sign_in("lijia")
    stream = await client.get("/events", headers={"Accept": "text/event-stream"})
    before = await next_change(client, stream)
    for happens in (
        lambda: emergency(database, clock.now()),
        lambda: escalation(database, clock.now()),
    ):
        await happens()
        async with asyncio.timeout(5):
            after = await next_change(client, stream)
        assert after["alarms"] != before["alarms"]
        before = after
    stream.close()


async def test_the_band_speaks_english(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await emergency(database, clock.now())
    await escalation(database, clock.now())
    client = await sign_in("hewen")
    await client.get("/tickets?lang=en")
    shown = (await (await client.get("/alarms")).text()).split(">", 1)[1]
    for words in ("紧急", "上报", "起", "到场", "电话", "接手", "知晓"):
        assert words not in shown, words
