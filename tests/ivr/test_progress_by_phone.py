"""A resident keys 4: they hear how their ticket stands, name one, or reach an agent where it cannot be looked up."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from aiohttp import ClientResponse, web
from pytest_aiohttp import AiohttpClient
from sqlalchemy import select
from twilio.request_validator import SIGNATURE_HEADER

from callcenter.config import CallFlowSettings, MenuSettings
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import RequestType
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.ports import ProgressLookup, ProgressUnknown
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.merge_tickets import merge_tickets
from callcenter.services.progress_by_phone import ProgressByPhone
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import RESIDENT, Opens, call_back, heard, inbound, leak, local, opens, rules
from tests.ivr.conftest import AGENTS, PUBLIC_URL, provider, sign

__all__ = ["opens", "rules"]
Keys = Callable[..., Awaitable[list[tuple[str, str]]]]
STRANGER = "+8613899999999"
NUMBER_HOOK = "/ivr/twilio/ticket-number"
KEYED = {"From": STRANGER, "Digits": "11240001"}
SAID = {"From": STRANGER, "SpeechResult": "嗯，幺幺二四，零零零幺", "Confidence": "0.81"}
TO_AN_AGENT = "如果没有其他问题，您可以挂机；需要人工服务请稍候，正在为您转接。"


class Slow:
    async def heard_by(self, from_number: str | None) -> str | None:
        await asyncio.sleep(30)
        return "never"

    async def heard_about(self, ticket_number: str) -> str | None:
        return await self.heard_by(None)


class Away:
    async def heard_by(self, from_number: str | None) -> str | None:
        raise ProgressUnknown("the database does not answer")

    async def heard_about(self, ticket_number: str) -> str | None:
        return await self.heard_by(None)


FAILING = pytest.mark.parametrize("lookup_that_fails", [Slow(), Away()], ids=["slow", "away"])


class Line:
    """A caller in the menu of a hotline whose tickets `lookup` knows: what follows on a hook, as verbs."""

    def __init__(self, aiohttp_client: AiohttpClient, inbox: EventInbox, clock: SetClock) -> None:
        self.aiohttp_client, self.inbox, self.clock = aiohttp_client, inbox, clock

    async def post(
        self, path: str, lookup: ProgressLookup, fields: Mapping[str, str], *, signed: bool = True
    ) -> ClientResponse:
        edge = WebhookEdge(
            providers={"twilio": provider()},
            call_flow=CallFlow(CallFlowSettings(menu=MenuSettings(enabled=True)), AGENTS),
            inbox=self.inbox,
            clock=self.clock,
            public_url=PUBLIC_URL,
            progress=ProgressOnTheLine(lookup),
        )
        app = web.Application()
        edge.add_routes(app)
        client = await self.aiohttp_client(app)
        form = {"CallSid": "CA1", "From": RESIDENT} | dict(fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers[SIGNATURE_HEADER] = sign(path, form) if signed else "wrong"
        return await client.post(path, data=urlencode(form).encode(), headers=headers)

    async def hears(self, path: str, lookup: ProgressLookup, **form: str) -> list[ElementTree.Element]:
        answer = await self.post(path, lookup, form)
        assert answer.status == 200
        assert "X-Problem" not in answer.headers
        return list(ElementTree.fromstring(await answer.text()))


@pytest.fixture
def line(aiohttp_client: AiohttpClient, inbox: EventInbox, clock: SetClock) -> Line:
    return Line(aiohttp_client, inbox, clock)


@pytest.fixture
def keys(line: Line) -> Keys:
    """Presses a key in the menu; what follows as (verb, text)."""

    async def press(digits: str, lookup: ProgressLookup, *, number: str = RESIDENT) -> list[tuple[str, str]]:
        verbs = await line.hears("/ivr/twilio/menu", lookup, From=number, Digits=digits)
        return [(verb.tag, "".join(verb.itertext())) for verb in verbs]

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
    await tickets.change_status(database, seen, to=TicketStatus.CLOSED, rules=rules)
    said = (await keys("4", lookup))[0][1]
    assert said.startswith("您有三张未办结的工单。工单号幺幺二四，零零零三")
    assert "零零零四" not in said


@pytest.mark.parametrize("number", ["+8613899999999", "anonymous"])
async def test_nothing_open_asks_for_a_ticket_number_and_an_agent_follows(
    line: Line, lookup: ProgressByPhone, number: str
) -> None:
    asked, dialled = await line.hears("/ivr/twilio/menu", lookup, From=number, Digits="4")
    assert asked.tag == "Gather"
    assert {name: asked.get(name) for name in ("input", "finishOnKey", "language", "timeout")} == {
        "input": "dtmf speech",
        "finishOnKey": "#",
        "language": "zh-CN",
        "timeout": "6",
    }
    assert asked.get("action") == f"{PUBLIC_URL}{NUMBER_HOOK}"
    assert "".join(asked.itertext()) == (
        "没有查到用这个号码登记的未办结工单。请按键输入工单号的八位数字并按井号键，或者直接说出工单号。"
    )
    assert dialled.tag == "Dial", "who neither keys nor speaks reaches an agent"


async def test_praise_alone_is_nothing_open(keys: Keys, lookup: ProgressByPhone, opens: Opens) -> None:
    await opens(inbound("CA0", local(24, 10)), leak(request_type=heard(RequestType.PRAISE)))
    assert (await keys("4", lookup))[0][0] == "Gather"


@FAILING
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


@pytest.fixture
async def ticket(opens: Opens) -> None:
    await opens(inbound("CA0", local(24, 10)), leak(promises=(call_back(local(24, 15, 30)),)))


@pytest.mark.parametrize("given", [KEYED, SAID], ids=["keyed", "said"])
async def test_who_knows_the_number_hears_state_and_promise_and_nothing_of_the_resident(
    line: Line, lookup: ProgressByPhone, ticket: None, given: dict[str, str]
) -> None:
    told, dialled = await line.hears(NUMBER_HOOK, lookup, **given)
    assert (told.tag, told.text) == (
        "Say",
        "工单号幺幺二四，零零零幺，已经受理，正在安排人员，我们会在今天下午三点半之前与您联系。" + TO_AN_AGENT,
    )
    assert dialled.tag == "Dial"


async def test_a_finished_ticket_says_so(
    line: Line, lookup: ProgressByPhone, ticket: None, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    seen = Change(number="GD-1124-0001", version=1, actor="hewen", now=clock.now())
    await tickets.change_status(database, seen, to=TicketStatus.CLOSED, rules=rules)
    told, dialled = await line.hears(NUMBER_HOOK, lookup, **KEYED)
    assert told.text == f"工单号幺幺二四，零零零幺，已经办结。{TO_AN_AGENT}"
    assert dialled.tag == "Dial"


async def test_a_merged_ticket_tells_of_the_one_that_goes_on(
    line: Line,
    lookup: ProgressByPhone,
    ticket: None,
    opens: Opens,
    database: Database,
    clock: SetClock,
    rules: FollowUpRules,
) -> None:
    await opens(inbound("CA9", local(24, 10)), leak(categories=(heard("noise"),)))
    seen = Change(number="GD-1124-0001", version=1, actor="hewen", now=clock.now())
    await merge_tickets(database, seen, into="GD-1124-0002", rules=rules)
    told = (await line.hears(NUMBER_HOOK, lookup, **KEYED))[0]
    assert (told.text or "").startswith(
        "工单号幺幺二四，零零零幺，已并入工单号幺幺二四，零零零二，已经受理，正在安排人员，我们会在今天下午三点半"
    )


async def test_a_number_that_nobody_has_is_said_and_agents_are_rung(line: Line, lookup: ProgressByPhone) -> None:
    told, dialled = await line.hears(NUMBER_HOOK, lookup, **KEYED)
    assert told.text == "没有查到工单号幺幺二四，零零零幺，正在为您转接人工客服，请稍候。"
    assert dialled.tag == "Dial"


@pytest.mark.parametrize(
    "given",
    [{"Digits": "1124"}, {"SpeechResult": "我家漏水"}, {"Digits": "x" * 3000}, {"SpeechResult": "\x00幺" * 4000}],
    ids=["short", "something else", "no digits", "endless"],
)
async def test_what_is_no_ticket_number_is_asked_for_once_more(
    line: Line, lookup: ProgressByPhone, ticket: None, given: dict[str, str]
) -> None:
    asked, dialled = await line.hears(NUMBER_HOOK, lookup, **given)
    assert (asked.tag, dialled.tag) == ("Gather", "Dial")
    assert asked.get("action") == f"{PUBLIC_URL}{NUMBER_HOOK}?again=1"
    assert "".join(asked.itertext()).startswith("没有听清")
    told, dialled = await line.hears(f"{NUMBER_HOOK}?again=1", lookup, **given)
    assert (told.text, dialled.tag) == ("没有听清工单号，正在为您转接人工客服，请稍候。", "Dial")


async def test_the_second_try_is_heard_too(line: Line, lookup: ProgressByPhone, ticket: None) -> None:
    told = (await line.hears(f"{NUMBER_HOOK}?again=1", lookup, **SAID))[0]
    assert "已经受理" in (told.text or "")


@pytest.mark.parametrize("again", ["", "?again=1", "?again=yes"])
async def test_nothing_keyed_or_said_rings_the_agents(line: Line, lookup: ProgressByPhone, again: str) -> None:
    assert [verb.tag for verb in await line.hears(f"{NUMBER_HOOK}{again}", lookup)] == ["Dial"]


@FAILING
async def test_a_database_that_fails_at_the_number_leads_to_the_agents_at_once(
    line: Line, lookup_that_fails: ProgressLookup
) -> None:
    began = time.monotonic()
    assert [verb.tag for verb in await line.hears(NUMBER_HOOK, lookup_that_fails, **KEYED)] == ["Dial"]
    assert time.monotonic() - began < 2


async def test_who_has_hung_up_is_asked_nothing(line: Line, lookup: ProgressByPhone, ticket: None) -> None:
    assert await line.hears(NUMBER_HOOK, lookup, CallStatus="completed", **KEYED) == []


async def test_the_keys_are_kept_and_what_was_said_is_not(
    line: Line, lookup: ProgressByPhone, ticket: None, database: Database
) -> None:
    await line.hears(NUMBER_HOOK, lookup, **KEYED)
    await line.hears(f"{NUMBER_HOOK}?again=1", lookup, **SAID)
    async with database.read() as session:
        stored = (await session.scalars(select(CallEventRow))).all()
    assert [(row.kind, row.data) for row in stored] == [
        ("key_pressed", {"purpose": "ticket_number", "digits": "11240001"})
    ]


async def test_only_the_provider_may_ask(line: Line, lookup: ProgressByPhone, ticket: None) -> None:
    answer = await line.post(NUMBER_HOOK, lookup, KEYED, signed=False)
    assert answer.status == 403
    assert "工单" not in await answer.text()


async def test_a_request_without_its_call_still_gets_a_voice(line: Line, lookup: ProgressByPhone) -> None:
    answer = await line.post(NUMBER_HOOK, lookup, KEYED | {"CallSid": ""})
    assert answer.status == 200
    assert "CallSid is missing" in answer.headers["X-Problem"]
    assert ElementTree.fromstring(await answer.text())[-1].tag == "Record"
