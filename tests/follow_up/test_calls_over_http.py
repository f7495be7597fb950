"""Calls to residents over real HTTP both ways: placed at the provider, its signed events and keys back at the edge."""

import functools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import SecretStr
from pytest_aiohttp import AiohttpClient, AiohttpServer
from sqlalchemy import select
from twilio.request_validator import SIGNATURE_HEADER

from callcenter.config import CallFlowSettings, TwilioSettings
from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.rings import RingRule
from callcenter.domain.ticket_life import TicketStatus
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.providers.twilio_rest import TwilioRest
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.services import tickets
from callcenter.services.call_outcomes import record_outcome
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.spool import Spool
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import Opens, inbound, leak, local, reminders
from tests.ivr.conftest import AGENTS, PUBLIC_URL, TOKEN, provider, sign

Client = TestClient[web.Request, web.Application]


class Provider:
    """The far end: takes calls, and then says over its webhooks what became of the last one."""

    def __init__(self) -> None:
        self.forms: list[Mapping[str, str]] = []
        self.status = 201
        self.client: Client | None = None

    async def place(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.forms.append({name: str(form[name]) for name in form})
        body = {"sid": f"CA{len(self.forms)}"} if self.status < 400 else {"message": "internal error"}
        return web.json_response(body, status=self.status)

    @property
    def gathers(self) -> list[ElementTree.Element]:
        return ElementTree.fromstring(self.forms[-1]["Twiml"]).findall("Gather")

    async def report(self, status: str, **other: str) -> None:
        await self._post(self.forms[-1]["StatusCallback"], CallStatus=status, **other)

    async def press(self, digits: str, action: str | None = None) -> ElementTree.Element:
        """What the resident hears next."""
        url = action or str(self.gathers[0].get("action"))
        return ElementTree.fromstring(await self._post(url, Digits=digits))

    async def _post(self, url: str, **form: str) -> str:
        assert self.client is not None
        sid = f"CA{len(self.forms)}"
        fields = {"CallSid": sid, "AccountSid": "AC1", "From": "+862112345678", "To": self.forms[-1]["To"]} | form
        path = url.removeprefix(PUBLIC_URL)
        headers = {"Content-Type": "application/x-www-form-urlencoded", SIGNATURE_HEADER: sign(path, fields)}
        async with self.client.post(path, data=urlencode(fields).encode(), headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.text()


class Line:
    """A solved ticket whose resident is about to be asked, and everything between us and their phone."""

    def __init__(self, database: Database, clock: SetClock, rules: FollowUpRules, rest: TwilioRest) -> None:
        self.database, self.clock, self.rules, self.rest = database, clock, rules, rest

    async def dial(self) -> None:
        await dial_due_reminders(
            self.database, clock=self.clock, dialler=self.rest, rules=self.rules, claimer="one", limit=5
        )

    async def fold(self) -> None:
        follow = (functools.partial(record_outcome, rules=self.rules),)
        while await fold_pending(self.database, RingRule(), now=self.clock.now(), when_folded=follow):
            pass

    async def reminder(self) -> ReminderRow:
        return (await reminders(self.database))[0]

    async def ticket(self) -> TicketRow:
        async with self.database.read() as session:
            return (await session.scalars(select(TicketRow))).one()


@pytest.fixture
def far() -> Provider:
    return Provider()


@pytest.fixture
async def line(
    database: Database,
    clock: SetClock,
    rules: FollowUpRules,
    opens: Opens,
    far: Provider,
    aiohttp_server: AiohttpServer,
    aiohttp_client: AiohttpClient,
    tmp_path: Path,
) -> AsyncIterator[Line]:
    inbox = EventInbox(database, Spool(tmp_path / "spool.sqlite"))
    await inbox.start()
    edge = WebhookEdge(
        providers={"twilio": provider()},
        call_flow=CallFlow(CallFlowSettings(), AGENTS),
        inbox=inbox,
        clock=clock,
        public_url=PUBLIC_URL,
    )
    app, far_app = web.Application(), web.Application()
    edge.add_routes(app)
    far.client = await aiohttp_client(app)
    far_app.router.add_post("/2010-04-01/Accounts/AC1/Calls.json", far.place)
    server = await aiohttp_server(far_app)
    settings = TwilioSettings(
        account_sid="AC1",
        auth_token=SecretStr(TOKEN),
        from_number="+862112345678",
        api_url=f"http://{server.host}:{server.port}",
    )
    opened = await opens(inbound("twilio:CA-in", local(24, 9)), leak())
    change = Change(number=opened.number, version=1, actor="hewen", now=clock.now())
    await tickets.change_status(database, change, to=TicketStatus.SOLVED, rules=rules)
    clock.advance(minutes=30)
    async with aiohttp.ClientSession() as session:
        writer = TwimlWriter(public_url=PUBLIC_URL, language="zh-CN", voice="")
        yield Line(database, clock, rules, TwilioRest(settings, writer, session))
    await inbox.close()


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
async def test_a_rating_keyed_during_the_text(key: str, line: Line, far: Provider) -> None:
    await line.dial()
    speech, prompt = far.gathers
    assert "已经处理完成" in "".join(speech.itertext())
    assert (speech.get("numDigits"), prompt.get("numDigits")) == ("1", "1")
    query = parse_qs(urlsplit(str(speech.get("action"))).query)
    assert query == {"purpose": ["reminder:1"], "kind": ["satisfaction"], "asked": ["answer"]}
    for status in ("initiated", "ringing", "in-progress"):
        await far.report(status)
    heard = await far.press(key)
    assert "感谢您的评价" in "".join(heard.itertext())
    for _ in range(2):
        await far.report("completed")
        await line.fold()
    ticket = await line.ticket()
    assert (ticket.satisfaction, ticket.status) == (int(key), "verified" if int(key) > 2 else "solved")
    assert (await line.reminder()).state == "done"


async def test_an_unknown_key_is_asked_again_and_the_second_one_counts(line: Line, far: Provider) -> None:
    await line.dial()
    await far.report("in-progress")
    again = (await far.press("8")).find("Gather")
    assert again is not None
    assert "没有这个选项" in "".join(again.itertext())
    heard = await far.press("0", again.get("action"))
    assert "重新安排处理" in "".join(heard.itertext())
    await far.report("completed")
    await line.fold()
    assert (await line.ticket()).status == "reopened"


async def test_key_9_stops_everything(line: Line, far: Provider) -> None:
    await line.dial()
    await far.report("in-progress")
    heard = await far.press("9")
    assert "以后不再给您打电话" in "".join(heard.itertext())
    await line.fold()
    async with line.database.read() as session:
        assert (await session.scalars(select(DoNotCallRow.number))).all() == ["+8613912344471"], "while still talking"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [("busy", "waiting", "busy"), ("no-answer", "waiting", "no_answer"), ("failed", "waiting", "call_failed")],
)
async def test_not_reached_is_tried_again(status: str, state: str, reason: str, line: Line, far: Provider) -> None:
    await line.dial()
    await far.report("ringing")
    await far.report(status)
    await line.fold()
    reminder = await line.reminder()
    assert (reminder.state, reminder.reason) == (state, reason)
    line.clock.at = reminder.due_at
    await line.dial()
    assert len(far.forms) == 2


async def test_a_machine_is_no_contact_but_a_key_is_a_person(line: Line, far: Provider) -> None:
    await line.dial()
    await far.report("in-progress", AnsweredBy="machine_start")
    await far.press("5")
    await far.report("completed", AnsweredBy="machine_start")
    await line.fold()
    assert ((await line.reminder()).reason, (await line.ticket()).satisfaction) == ("reached", 5)


async def test_500_after_having_dialled_is_not_redialled_and_its_events_still_count(line: Line, far: Provider) -> None:
    far.status = 500
    await line.dial()
    assert ((await line.reminder()).state, (await line.reminder()).reason) == ("handed_over", "provider_uncertain")
    far.status = 201
    for _ in range(3):
        line.clock.advance(hours=2)
        await line.dial()
    assert len(far.forms) == 1
    await far.report("in-progress")
    await far.press("4")
    await far.report("completed")
    await line.fold()
    assert ((await line.reminder()).state, (await line.ticket()).status) == ("done", "verified")
