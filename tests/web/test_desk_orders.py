"""Hold, transfer, pausing the recording, listening in: who may, what the desk shows, and what goes on record."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select, update

from callcenter.config import DepartmentSettings, Settings
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow
from callcenter.db.users import AuditRow, UserRow
from callcenter.domain.call_orders import CallOrder, Consulted, OrderKind, TalkStanding
from callcenter.ports import OrderRefused
from callcenter.services.call_controls import CallControls
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_board import LiveBoard
from callcenter.web import add_console
from callcenter.web.keys import DUTY
from tests.conftest import SetClock
from tests.web.conftest import SignIn, submit
from tests.web.day import LEAK
from tests.web.desk_calls import CALL, answered, rings

CALL_ID = CALL
PAGE = f"/desk/calls/{CALL_ID}"


class Line:
    """The port CallControl: does what it is told, unless it says no."""

    offers = frozenset(OrderKind)

    def __init__(self) -> None:
        self.orders: list[CallOrder] = []
        self.stands: TalkStanding | None = TalkStanding()
        self.says_no: str | None = None

    def standing(self, call_id: str) -> TalkStanding | None:
        return self.stands

    async def carry_out(self, call_id: str, order: CallOrder) -> None:
        if self.says_no:
            raise OrderRefused(self.says_no)
        self.orders.append(order)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def console(
    database: Database, clock: SetClock, settings: Settings, rules: FollowUpRules, day: None, line: Line
) -> AsyncIterator[TestServer]:
    depot = DepartmentSettings(id="depot", name="工程部", phone="+862155550101")
    settings = settings.model_copy(update={"departments": (depot,)})
    controls = CallControls(database, clock=clock, providers={CALL_ID: line})
    app, board = web.Application(), LiveBoard()
    add_console(app, database=database, settings=settings, clock=clock, live=board, controls=controls)
    server = TestServer(app)
    await server.start_server()
    await rings(database, clock, server)
    await answered(database, clock, server, board)
    await app[DUTY].look()
    yield server
    await server.close()


async def audit(database: Database) -> list[tuple[str, str, str, dict[str, str]]]:
    async with database.read() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
        return [(row.login, row.action, row.subject, row.data) for row in rows if row.action.startswith("call_")]


async def test_the_agent_who_talks_has_the_buttons_and_each_is_on_record(
    sign_in: SignIn, line: Line, database: Database
) -> None:
    agent = await sign_in("lijia")
    page = await (await agent.get(PAGE)).text()
    assert all(word in page for word in ("保持", "转接", "先问再转", "暂停录音", "工程部", "孙磊"))
    assert "监听" not in page
    assert (await submit(agent, f"{PAGE}/orders", order="hold")).status == 303
    assert (await submit(agent, f"{PAGE}/orders", order="consult", to="depot")).status == 303
    assert (await submit(agent, f"{PAGE}/orders", order="transfer", number="138 0000 0009")).status == 303
    assert [(one.kind, one.actor, one.party.phone if one.party else None) for one in line.orders] == [
        (OrderKind.HOLD, "lijia", None),
        (OrderKind.CONSULT, "lijia", "+862155550101"),
        (OrderKind.TRANSFER, "lijia", "+8613800000009"),
    ]
    assert await audit(database) == [
        ("lijia", "call_hold", f"call:{CALL_ID}", {}),
        ("lijia", "call_consult", f"call:{CALL_ID}", {"to": "depot"}),
        ("lijia", "call_transfer", f"call:{CALL_ID}", {"to": "8613800000009"}),
    ]


async def test_the_desk_shows_how_the_call_stands(sign_in: SignIn, line: Line) -> None:
    agent = await sign_in("lijia")
    line.stands = TalkStanding(is_held=True, with_whom="工程部", consulted=Consulted.TALKING, recording_paused=True)
    page = await (await agent.get(PAGE)).text()
    assert all(
        word in page for word in ("正在和工程部说话", "转过去", "三方通话", "不转，取回住户", "录音已暂停", "继续录音")
    )
    assert 'value="consult"' not in page
    line.stands = None
    page = await (await agent.get(PAGE)).text()
    assert 'name="order"' not in page, "nobody talks, as far as the line knows"


async def test_others_may_not_and_only_supervisors_listen(sign_in: SignIn, line: Line, database: Database) -> None:
    other = await sign_in("zhaoqiang")
    assert (await submit(other, f"{PAGE}/orders", seen="/tickets", order="hold")).status == 403
    agent = await sign_in("lijia")
    assert (await submit(agent, f"{PAGE}/orders", order="listen")).status == 403
    assert line.orders == []
    assert await audit(database) == []


async def test_a_supervisor_listens_on_a_phone_of_their_own(sign_in: SignIn, line: Line, database: Database) -> None:
    supervisor = await sign_in("hewen")
    page = await (await supervisor.get(PAGE)).text()
    assert all(word in page for word in ("监听", "对客服耳语", "插话"))
    refused = await submit(supervisor, f"{PAGE}/orders", order="listen")
    assert refused.status == 400
    assert "没有对应的话机" in await refused.text()
    async with database.write() as session:
        await session.execute(update(UserRow).where(UserRow.login == "hewen").values(agent_id="sun"))
    assert (await submit(supervisor, f"{PAGE}/orders", order="whisper")).status == 303
    (order,) = line.orders
    assert (order.kind, order.party and order.party.phone) == (OrderKind.WHISPER, "sip:sun@pbx")
    board = await (await supervisor.get("/wall")).text()
    assert f"/desk/calls/{CALL_ID}/orders" in board


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"order": "explode"}, 400, "没有这种操作"),
        ({"order": "transfer"}, 400, "请选择同事或部门"),
        ({"order": "transfer", "to": "li"}, 400, "请选择同事或部门"),
        ({"order": "transfer", "number": "12"}, 400, "请选择同事或部门"),
    ],
)
async def test_what_makes_no_sense_is_said(
    sign_in: SignIn, line: Line, form: dict[str, str], status: int, said: str
) -> None:
    response = await submit(await sign_in("lijia"), f"{PAGE}/orders", **form)
    assert response.status == status
    assert said in await response.text()
    assert line.orders == []


@pytest.mark.parametrize(("why", "said"), [("unreachable", "话机没有登记"), ("failed", "通话没有变")])
async def test_what_the_line_refuses_is_said_and_on_record(
    sign_in: SignIn, line: Line, database: Database, why: str, said: str
) -> None:
    line.says_no = why
    response = await submit(await sign_in("lijia"), f"{PAGE}/orders", order="hold")
    assert response.status == 409
    assert said in await response.text()
    assert [row[1] for row in await audit(database)] == ["call_hold", "call_order_refused"]


async def test_an_agent_calls_from_a_ticket(sign_in: SignIn, database: Database) -> None:
    agent = await sign_in("lijia")
    assert "我来打" in await (await agent.get(f"/tickets/{LEAK}")).text()
    assert (await submit(agent, f"/tickets/{LEAK}/talk", version="1")).status == 303
    async with database.read() as session:
        row = (await session.scalars(select(ReminderRow).where(ReminderRow.kind == "agent_call"))).one()
    assert (row.ordered_by, row.matter, row.state) == ("lijia", {"agent": "li"}, "waiting")
    supervisor = await sign_in("hewen")
    assert "我来打" not in await (await supervisor.get(f"/tickets/{LEAK}")).text()
    assert (await submit(supervisor, f"/tickets/{LEAK}/talk", version="1")).status == 400
