"""A resident keys 4: they hear how their ticket stands, or reach an agent where it cannot be looked up in a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient
from twilio.request_validator import SIGNATURE_HEADER

from callcenter.config import CallFlowSettings, MenuSettings
from callcenter.db.engine import Database
from callcenter.domain.tickets import RequestType
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.ports import ProgressLookup, ProgressUnknown
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.progress_by_phone import ProgressByPhone
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import RESIDENT, Opens, call_back, heard, inbound, leak, local, opens, rules
from tests.ivr.conftest import AGENTS, PUBLIC_URL, provider, sign

__all__ = ["opens", "rules"]
Keys = Callable[..., Awaitable[list[tuple[str, str]]]]
TO_AN_AGENT = "如果没有其他问题，您可以挂机；需要人工服务请稍候，正在为您转接。"


class Slow:
    async def heard_by(self, from_number: str | None) -> str:
        await asyncio.sleep(30)
        return "never"


class Away:
    async def heard_by(self, from_number: str | None) -> str:
        raise ProgressUnknown("the database does not answer")


@pytest.fixture
def keys(aiohttp_client: AiohttpClient, inbox: EventInbox, clock: SetClock) -> Keys:
    """Presses a key in the menu; what follows as (verb, text)."""

    async def press(digits: str, lookup: ProgressLookup, *, number: str = RESIDENT) -> list[tuple[str, str]]:
        edge = WebhookEdge(
            providers={"twilio": provider()},
            call_flow=CallFlow(CallFlowSettings(menu=MenuSettings(enabled=True)), AGENTS),
            inbox=inbox,
            clock=clock,
            public_url=PUBLIC_URL,
            progress=ProgressOnTheLine(lookup, seconds=0.2),
        )
        app = web.Application()
        edge.add_routes(app)
        client = await aiohttp_client(app)
        form = {"CallSid": "CA1", "From": number, "Digits": digits}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            SIGNATURE_HEADER: sign("/ivr/twilio/menu", form),
        }
        answer = await client.post("/ivr/twilio/menu", data=urlencode(form).encode(), headers=headers)
        return [(verb.tag, verb.text or "") for verb in ElementTree.fromstring(await answer.text())]

    return press


@pytest.fixture
def lookup(database: Database, clock: SetClock, rules: FollowUpRules) -> ProgressByPhone:
    return ProgressByPhone(database=database, clock=clock, rules=rules)


async def test_number_matter_state_and_promise_are_spoken(
    keys: Keys,
    lookup: ProgressByPhone,
    opens: Opens,
) -> None:
    await opens(inbound("CA0", local(24, 10)), leak(promises=(call_back(local(24, 15, 30)),)))
    said, dialled = await keys("4", lookup)
    assert said == (
        "Say",
        "工单号幺幺二四，零零零幺，您反映的“厨房水管漏水”，已经受理，正在安排人员，我们会在今天下午三点半之前与您联系。"
        + TO_AN_AGENT,
    )
    assert dialled[0] == "Dial"


async def test_several_tickets_and_finished_ones(
    keys: Keys,
    lookup: ProgressByPhone,
    opens: Opens,
    database: Database,
    clock: SetClock,
    rules: FollowUpRules,
) -> None:
    for number, category in enumerate(("plumbing", "lift", "noise", "parking")):
        await opens(inbound(f"CA{number}", local(24, 10)), leak(categories=(heard(category),)))
    seen = Change(number="GD-1124-0004", version=1, actor="hewen", now=clock.now())
    await tickets.change_status(database, seen, to=tickets.TicketStatus.CLOSED, rules=rules)
    said = (await keys("4", lookup))[0][1]
    assert said.startswith("您有三张未办结的工单。工单号幺幺二四，零零零三")
    assert "零零零四" not in said


@pytest.mark.parametrize("number", ["+8613899999999", "anonymous"])
async def test_nothing_open_is_said_and_an_agent_follows(keys: Keys, lookup: ProgressByPhone, number: str) -> None:
    said, dialled = await keys("4", lookup, number=number)
    assert said[1].startswith("没有查到用这个号码登记的未办结工单")
    assert dialled[0] == "Dial"


async def test_praise_alone_is_nothing_open(
    keys: Keys,
    lookup: ProgressByPhone,
    opens: Opens,
) -> None:
    await opens(inbound("CA0", local(24, 10)), leak(request_type=heard(RequestType.PRAISE)))
    assert (await keys("4", lookup))[0][1].startswith("没有查到")


@pytest.mark.parametrize("lookup_that_fails", [Slow(), Away()], ids=["slow", "away"])
async def test_a_slow_or_lost_database_leads_to_the_agents_at_once(
    keys: Keys, lookup_that_fails: ProgressLookup
) -> None:
    began = time.monotonic()
    steps = await keys("4", lookup_that_fails)
    assert [verb for verb, _ in steps] == ["Dial"]
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("digits", ["1", "0", ""])
async def test_other_keys_ring_the_agents(keys: Keys, digits: str) -> None:
    assert [verb for verb, _ in await keys(digits, Slow())] == ["Dial"]
