"""The wall board: what it says, that it tells of no resident, and who may see it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from callcenter.db.agents import AgentStateChangeRow, WallScreenRow
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.users import AuditRow
from callcenter.domain.agent_states import Doing
from callcenter.reports.wall import heard, read_wall
from callcenter.web.keys import DUTY
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn, hidden, submit


async def ring(database: Database, clock: SetClock, call_id: str, agent: str, *, seconds: float) -> None:
    """A call that has rung at this agent's phone for so long."""
    since = clock.now() - timedelta(seconds=seconds)
    async with database.write() as session:
        session.add(
            CallRow(
                id=call_id,
                provider="twilio",
                direction="inbound",
                from_number="+8613800016207",
                started_at=since - timedelta(seconds=2),
                last_event_at=since,
                disposition="in_progress",
                event_count=2,
            )
        )
        await session.flush()
        leg = CallLegRow(call_id=call_id, leg_id=f"{call_id}-1", agent=agent, outcome="ringing", ringing_at=since)
        session.add(leg)


async def wait_in_line(database: Database, clock: SetClock, call_id: str, *, seconds: float) -> None:
    at = clock.now() - timedelta(seconds=seconds)
    async with database.write() as session:
        row = {"provider": "twilio", "direction": "inbound", "last_event_at": at, "event_count": 1}
        session.add(CallRow(id=call_id, started_at=at, disposition="in_progress", **row))


async def new_screen(supervisor: Client, name: str = "客服大厅") -> str:
    """The path of its address."""
    made = await submit(supervisor, "/wall", seen="/wall", name=name)
    address: str = (await made.text()).split("data-made>", 1)[1].split("<", 1)[0]
    return "/" + address.split("/", 3)[3]


async def next_board(response: Any, wanted: str = "html") -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            line = (await response.content.readline()).decode()
            if line.startswith("data:"):
                told: dict[str, Any] = json.loads(line.removeprefix("data:"))
                if wanted in told:
                    return told


async def test_the_board_counts_what_rings_waits_and_is_overdue(database: Database, clock: SetClock, day: None) -> None:
    await ring(database, clock, "CA-ring", "li", seconds=7.4)
    await wait_in_line(database, clock, "CA-wait", seconds=8)
    midnight = clock.now() - timedelta(hours=10)
    board = await read_wall(database, now=clock.now(), day_began=midnight)
    assert [(one.agents, one.heard_ms) for one in board.ringing] == [(("li",), 7400)]
    assert (board.waiting, board.waiting_since) == (1, clock.now() - timedelta(seconds=8))
    assert board.overdue is not None
    assert (board.overdue.building, board.overdue.category) == ("5", "lift")
    assert board.overdue_tickets == 2
    assert (board.share.late, board.share.undecided) == (2, 1)
    assert board.emergencies == 0


async def test_calls_of_yesterday_do_not_count(database: Database, clock: SetClock, day: None) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    board = await read_wall(database, now=tomorrow, day_began=tomorrow - timedelta(hours=10))
    assert board.share.counted == 0
    assert board.share.low is None


async def test_a_caller_in_voice_mail_neither_waits_nor_rings(database: Database, clock: SetClock) -> None:
    await ring(database, clock, "CA-1", "li", seconds=30)
    async with database.write() as session:
        await session.execute(update(CallRow).values(disposition="voice_mail"))
    board = await read_wall(database, now=clock.now(), day_began=clock.now() - timedelta(hours=10))
    assert (board.ringing, board.waiting) == ((), 0)


def test_ringing_is_what_was_heard_not_the_sum_of_phones(clock: SetClock) -> None:
    now, second = clock.now(), timedelta(seconds=1)
    assert (
        heard([(now, now + 6 * second), (now + 2 * second, now + 8 * second), (now + 9 * second, now + 10 * second)])
        == 9000
    )


async def test_a_screen_needs_no_login_and_names_no_resident(
    anonymous: Client, sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    await ring(database, clock, "CA-ring", "li", seconds=16)
    path = await new_screen(await sign_in("hewen"))
    response = await anonymous.get(path)
    assert response.status == 200
    page = await response.text()
    assert "李佳" in page
    assert "5栋电梯" in page
    for secret in ("王女士", "501", "6207", "138", "何女士", "302"):
        assert secret not in page, secret
    english = await (await anonymous.get(f"{path}?lang=en")).text()
    assert "Longest overdue" in english


async def test_only_a_known_screen_sees_anything(anonymous: Client, sign_in: SignIn, database: Database) -> None:
    for path in ("/wall/guess", "/wall/guess/events"):
        assert (await anonymous.get(path)).status == 404
    assert (await anonymous.get("/wall/board", allow_redirects=False)).status == 303
    assert (await (await sign_in("lijia")).get("/wall/board")).status == 403
    supervisor = await sign_in("hewen")
    path = await new_screen(supervisor)
    token = path.rsplit("/", 1)[1]
    async with database.read() as session:
        row = (await session.scalars(select(WallScreenRow))).one()
        assert token not in row.token_hash
    assert (await submit(supervisor, f"/wall/{row.id}/take-down", seen="/wall")).status == 303
    assert (await anonymous.get(path)).status == 404
    assert (await submit(supervisor, f"/wall/{row.id}/take-down", seen="/wall")).status == 404
    async with database.read() as session:
        actions = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
    assert [one for one in actions if one.startswith("screen")] == ["screen_added", "screen_revoked"]


async def test_the_board_comes_anew_when_something_rings(
    anonymous: Client, sign_in: SignIn, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.web.wall.OLDEST_SECONDS", 0.05)
    monkeypatch.setattr("callcenter.web.pages.wall.BEAT_SECONDS", 0.05)
    path = await new_screen(await sign_in("hewen"))
    stream = await anonymous.get(f"{path}/events")
    first = await next_board(stream)
    assert "没有电话在响" in first["html"]
    assert first["now"] == round(clock.now().timestamp() * 1000)
    beat = await next_board(stream, "version")
    assert "html" not in beat, "what has not changed is not sent again"
    await ring(database, clock, "CA-ring", "li", seconds=2)
    assert "data-rings=" in (await next_board(stream))["html"]
    stream.close()


async def test_a_screen_that_is_taken_down_hears_nothing_more(
    anonymous: Client, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.web.pages.wall.BEAT_SECONDS", 0.05)
    supervisor = await sign_in("hewen")
    path = await new_screen(supervisor)
    stream = await anonymous.get(f"{path}/events")
    await next_board(stream)
    assert (await submit(supervisor, "/wall/1/take-down", seen="/wall")).status == 303
    async with asyncio.timeout(5):
        await stream.read()


async def test_an_agent_says_their_own_state_and_a_supervisor_anybodys(
    sign_in: SignIn, database: Database, console: Any
) -> None:
    agent, supervisor = await sign_in("lijia"), await sign_in("hewen")
    assert (await submit(agent, "/me/state", seen="/tickets", state="away", back="/reminders")).headers[
        "Location"
    ] == "/reminders"
    duty = console.app[DUTY]
    assert duty.doing("li").doing is Doing.AWAY
    assert "离开" in (await (await agent.get("/me")).text())
    assert (await submit(supervisor, "/agents/li/state", seen="/wall", state="ready")).status == 303
    assert duty.doing("li").doing is Doing.READY
    page = await (await supervisor.get("/wall")).text()
    assert "就绪 → 离开" in page
    assert "离开 → 就绪" in page
    async with database.read() as session:
        rows = (await session.scalars(select(AgentStateChangeRow).order_by(AgentStateChangeRow.id))).all()
    assert [(row.agent, row.actor) for row in rows] == [("li", "lijia"), ("li", "hewen")]


async def test_a_wrong_state_a_wrong_agent_and_no_phone_are_refused(sign_in: SignIn, database: Database) -> None:
    agent, supervisor = await sign_in("lijia"), await sign_in("hewen")
    assert (await submit(agent, "/me/state", seen="/tickets", state="sleeping")).status == 400
    assert (await submit(supervisor, "/me/state", seen="/tickets", state="away")).status == 400
    assert (await submit(supervisor, "/agents/nobody/state", seen="/wall", state="away")).status == 404
    form = {"csrf": hidden(await (await agent.get("/tickets")).text(), "csrf"), "state": "away"}
    assert (await agent.post("/agents/zhao/state", data=form)).status == 403
    elsewhere = await submit(agent, "/me/state", seen="/tickets", state="busy", back="//evil.example")
    assert elsewhere.headers["Location"] == "/"
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AgentStateChangeRow)) == 1
