"""On-call people on the line: what they hear when an emergency phones them, and when they phone in."""

import re
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from sqlalchemy import select
from twilio.request_validator import SIGNATURE_HEADER

from callcenter.config import CallFlowSettings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.domain.rings import RingRule
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from tests.conftest import SetClock
from tests.ivr.conftest import AGENTS, PUBLIC_URL, Post, provider, sign

ZHOU = "+8613900005581"


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient, inbox: EventInbox, clock: SetClock
) -> TestClient[web.Request, web.Application]:
    edge = WebhookEdge(
        providers={"twilio": provider()},
        call_flow=CallFlow(CallFlowSettings(), AGENTS, on_call=frozenset({ZHOU})),
        inbox=inbox,
        clock=clock,
        public_url=PUBLIC_URL,
    )
    app = web.Application()
    edge.add_routes(app)
    return await aiohttp_client(app)


async def folded(database: Database, clock: SetClock) -> CallRow:
    while await fold_pending(database, RingRule(cycle_ms=5000, rings=3), now=clock.now()):
        pass
    async with database.read() as session:
        return (await session.scalars(select(CallRow))).one()


async def test_a_key_on_an_on_call_call_is_kept_with_its_purpose(
    post: Post, database: Database, clock: SetClock
) -> None:
    form = {"CallSid": "CA1", "From": "+862156780000", "To": ZHOU, "CallStatus": "initiated"}
    await post("/ivr/twilio/outbound-status?purpose=on_call:3", **form)
    answer = await post("/ivr/twilio/outbound-key?purpose=on_call:3", CallSid="CA1", Digits="1")
    assert "已确认，请立即赶往现场" in await answer.text()
    call = await folded(database, clock)
    assert (call.purpose, call.reminder_id, call.keys) == ("on_call:3", None, [["answer", "1"]])


@pytest.mark.parametrize(("digits", "heard"), [("2", "已记录您在现场"), ("7", "将通知下一位值班人员")])
async def test_what_other_keys_say(post: Post, digits: str, heard: str) -> None:
    answer = await post("/ivr/twilio/outbound-key?purpose=on_call:3", CallSid="CA1", Digits=digits)
    assert heard in await answer.text()


@pytest.mark.parametrize("query", ["purpose=reminder:7", "reminder=7"])
async def test_a_reminders_call_is_told_from_it_also_one_placed_before_the_upgrade(
    post: Post, database: Database, clock: SetClock, query: str
) -> None:
    form = {"CallSid": "CA1", "From": "+862156780000", "To": "+8613812346207", "CallStatus": "initiated"}
    assert (await post(f"/ivr/twilio/outbound-status?{query}", **form)).status == 200
    call = await folded(database, clock)
    assert (call.purpose, call.reminder_id) == ("reminder:7", 7)


async def test_who_is_on_call_is_asked_first_and_goes_on_like_everybody(post: Post) -> None:
    answer = await post("/ivr/twilio/voice", CallSid="CA1", From="013900005581", To="+862156780000")
    text = await answer.text()
    assert text.index("已到达现场请按1") < text.index("本次通话将被录音") < text.index("<Dial")
    assert f'action="{PUBLIC_URL}/ivr/twilio/arrived"' in text
    other = await post("/ivr/twilio/voice", CallSid="CA2", From="+8613812346207", To="+862156780000")
    assert "已到达现场" not in await other.text()


async def test_who_phones_in_and_keys_1_has_reported(post: Post, database: Database, clock: SetClock) -> None:
    await post("/ivr/twilio/voice", CallSid="CA1", From=ZHOU, To="+862156780000")
    answer = await post("/ivr/twilio/arrived", CallSid="CA1", From=ZHOU, Digits="1")
    assert "已收到您的到场报到" in await answer.text()
    assert (await folded(database, clock)).keys == [["arrived", "1"]]


async def test_another_key_leads_to_the_agents(post: Post) -> None:
    answer = await post("/ivr/twilio/arrived", CallSid="CA1", From=ZHOU, Digits="5")
    assert "<Dial" in await answer.text()


def test_text_and_prompt_are_said_three_times_and_a_key_ends_them_at_once() -> None:
    writer = TwimlWriter(public_url=PUBLIC_URL, language="zh-CN", voice="")
    root = ET.fromstring(writer.spoken("紧急事件。", "收到请按1。", "on_call:3", times=3))
    assert [verb.tag for verb in root] == ["Gather", "Gather", "Gather", "Hangup"]
    assert [say.text for say in root[0]] == ["紧急事件。", "收到请按1。"]
    assert root[0].attrib["action"] == f"{PUBLIC_URL}/ivr/twilio/outbound-key?purpose=on_call:3"


async def test_the_signature_holds_however_the_far_end_writes_the_purpose(
    client: TestClient[web.Request, web.Application],
) -> None:
    """A colon that is escaped by one side and not by the other would be refused; so none is escaped."""
    writer = TwimlWriter(public_url=PUBLIC_URL, language="zh-CN", voice="")
    url = writer.hook_url("outbound-status", purpose="on_call:3")
    assert re.search(r"purpose=on_call:3$", url)
    path, form = url.removeprefix(PUBLIC_URL), {"CallSid": "CA1", "CallStatus": "ringing"}
    headers = {SIGNATURE_HEADER: sign(path, form), "Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(path, data=urlencode(form).encode(), headers=headers)
    assert response.status == 200
