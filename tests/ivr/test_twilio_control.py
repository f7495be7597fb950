"""A resident passed on at a Twilio-compatible provider, over real HTTP."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer

from callcenter.config import AgentSettings, TwilioSettings
from callcenter.domain.call_orders import CallOrder, OrderKind, Party
from callcenter.ivr.providers.twilio_control import TwilioControl
from callcenter.ivr.providers.twilio_rest import TwilioRest
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ports import OrderRefused, OutboundCall

ZHAO = Party(id="zhao", name="赵磊", phone="+8613900000001", must_confirm=True)


class FarEnd:
    """Keeps what it was asked; `status` is what it answers."""

    def __init__(self) -> None:
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.forms.append((request.path, {name: str(value) for name, value in (await request.post()).items()}))
        return web.json_response({"sid": "CA99"}, status=self.status)


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


@pytest.fixture
async def rest(aiohttp_server: AiohttpServer, far_end: FarEnd) -> AsyncIterator[TwilioRest]:
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/{path:.*}", far_end.take)
    server = await aiohttp_server(app)
    api_url = f"http://{server.host}:{server.port}"
    settings = TwilioSettings(account_sid="AC1", auth_token=SecretStr("t"), from_number="+8621", api_url=api_url)
    agents = [AgentSettings(id="hewen", name="何雯", phone="sip:hewen@pbx")]
    writer = TwimlWriter(public_url="https://h.example", language="zh-CN", voice="")
    async with aiohttp.ClientSession() as session:
        yield TwilioRest(settings, writer, session, agents=agents)


async def test_a_transfer_gives_the_residents_call_another_dial(rest: TwilioRest, far_end: FarEnd) -> None:
    control = TwilioControl(rest)
    await control.carry_out("twilio:CA1", CallOrder(kind=OrderKind.TRANSFER, actor="wangmin", party=ZHAO))
    path, form = far_end.forms[0]
    assert path.endswith("/Calls/CA1.json")
    dial = ElementTree.fromstring(form["Twiml"])[0]
    assert dial.tag == "Dial"
    assert dial.get("record") == "record-from-answer-dual"
    assert "passed_on=1" in (dial.get("action") or "")
    assert dial[0].text == "+8613900000001"
    assert "agent=zhao" in (dial[0].get("statusCallback") or "")
    assert "confirm" in (dial[0].get("url") or "")


async def test_what_it_cannot_do_and_what_fails_is_said(rest: TwilioRest, far_end: FarEnd) -> None:
    control = TwilioControl(rest)
    with pytest.raises(OrderRefused) as refused:
        await control.carry_out("twilio:CA1", CallOrder(kind=OrderKind.HOLD, actor="wangmin"))
    assert refused.value.why == "not_offered"
    far_end.status = 404
    with pytest.raises(OrderRefused, match="404"):
        await control.carry_out("twilio:CA1", CallOrder(kind=OrderKind.TRANSFER, actor="wangmin", party=ZHAO))


async def test_a_call_that_an_agent_ordered_connects_them(rest: TwilioRest, far_end: FarEnd) -> None:
    order = OutboundCall(
        idempotency_key="7-1",
        purpose="reminder:7",
        to_number="+8613812346207",
        speech="您好",
        kind="agent_call",
        agent="hewen",
    )
    await rest.place_call(order)
    root = ElementTree.fromstring(far_end.forms[0][1]["Twiml"])
    assert [verb.tag for verb in root] == ["Say", "Dial"]
    assert root[1][0].text == "sip:hewen@pbx"
