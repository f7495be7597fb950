"""The provider's REST side over real HTTP: placing calls, and asking after them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer

from callcenter.config import TwilioSettings
from callcenter.domain.calls import EventKind, LegOutcome
from callcenter.domain.folding import fold
from callcenter.domain.rings import Disposition, RingRule
from callcenter.ivr.providers import twilio_rest
from callcenter.ivr.providers.twilio_rest import TwilioRest
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ports import DialRefused, DialUncertain, OutboundCall, ProviderUnreachable

CALL = OutboundCall(
    idempotency_key="7-1", purpose="reminder:7", to_number="+8613812346207", speech="您好", asks_key=True
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FarEnd:
    """Answers as a test sets it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.placing: Handler | None = None
        self.forms: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []

    async def place(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.forms.append({name: [str(value) for value in form.getall(name)] for name in form})
        self.headers.append(dict(request.headers))
        if self.placing is not None:
            return await self.placing(request)
        return web.json_response({"sid": "CA99"}, status=201)

    async def look(self, request: web.Request) -> web.StreamResponse:
        found = self.answers.get(request.match_info["path"])
        return web.json_response(found) if found is not None else web.Response(status=404)


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


@pytest.fixture
async def rest(aiohttp_server: AiohttpServer, far_end: FarEnd) -> AsyncIterator[TwilioRest]:
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/Calls.json", far_end.place)
    app.router.add_get("/2010-04-01/Accounts/AC1/{path:.*}", far_end.look)
    server = await aiohttp_server(app)
    settings = TwilioSettings(
        account_sid="AC1",
        auth_token=SecretStr("t"),
        from_number="+862112345678",
        api_url=f"http://{server.host}:{server.port}",
    )
    async with aiohttp.ClientSession() as session:
        yield TwilioRest(settings, TwimlWriter(public_url="https://h.example", language="zh-CN", voice=""), session)


async def test_placed_call_carries_its_key_text_and_callbacks(rest: TwilioRest, far_end: FarEnd) -> None:
    assert await rest.place_call(CALL) == "twilio:CA99"
    form = far_end.forms[0]
    assert form["To"] == ["+8613812346207"]
    assert form["StatusCallback"][0].startswith("https://h.example/ivr/twilio/outbound-status")
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert "您好" in form["Twiml"][0]
    assert "<Gather" in form["Twiml"][0]
    assert far_end.headers[0]["I-Twilio-Idempotency-Token"] == "7-1"
    assert far_end.headers[0]["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("status", [400, 401, 404, 429])
async def test_clear_refusal_means_that_nobody_was_phoned(rest: TwilioRest, far_end: FarEnd, status: int) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "no"}, status=status)

    far_end.placing = refuse
    with pytest.raises(DialRefused, match=str(status)):
        await rest.place_call(CALL)


async def server_error(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


async def no_call_named(_: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "queued"}, status=201)


async def cut_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


@pytest.mark.parametrize("placing", [server_error, no_call_named, cut_off, never])
async def test_unclear_answer_is_never_taken_for_a_refusal(
    rest: TwilioRest, far_end: FarEnd, placing: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_rest, "REST_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    far_end.placing = placing
    with pytest.raises(DialUncertain):
        await rest.place_call(CALL)


async def test_provider_that_is_not_there_phoned_nobody() -> None:
    settings = TwilioSettings(account_sid="AC1", auth_token=SecretStr("t"), api_url="http://127.0.0.1:9")
    writer = TwimlWriter(public_url="https://h.example", language="zh-CN", voice="")
    async with aiohttp.ClientSession() as session:
        rest = TwilioRest(settings, writer, session)
        with pytest.raises(DialRefused, match="cannot be reached"):
            await rest.place_call(CALL)
        with pytest.raises(ProviderUnreachable):
            await rest.events_of("twilio:CA1")


async def test_what_the_provider_knows_of_a_call_becomes_its_events(rest: TwilioRest, far_end: FarEnd) -> None:
    far_end.answers = {
        "Calls/CA1.json": {
            "sid": "CA1",
            "status": "completed",
            "direction": "inbound",
            "from": "+8613812346207",
            "to": "+862112345678",
            "end_time": "Tue, 24 Nov 2026 02:01:00 +0000",
        },
        "Calls.json": {
            "calls": [
                {
                    "sid": "CL1",
                    "status": "completed",
                    "to": "sip:hewen@pbx.example",
                    "duration": "40",
                    "end_time": "Tue, 24 Nov 2026 02:01:00 +0000",
                },
                {"sid": "CL2", "status": "in-progress", "to": "sip:chenmin@pbx.example"},
            ]
        },
        "Calls/CA1/Recordings.json": {
            "recordings": [
                {
                    "sid": "RE1",
                    "status": "completed",
                    "channels": 2,
                    "duration": "40",
                    "source": "DialVerb",
                    "uri": "/2010-04-01/Accounts/AC1/Recordings/RE1.json",
                    "date_created": "Tue, 24 Nov 2026 02:01:01 +0000",
                },
                {"sid": "RE2", "status": "processing"},
            ]
        },
    }
    events = await rest.events_of("twilio:CA1")
    assert events is not None
    kinds = sorted(event.kind for event in events)
    assert kinds == [EventKind.CALL_ENDED, EventKind.LEG_ANSWERED, EventKind.LEG_ENDED, EventKind.RECORDING_READY]
    state = fold(events, RingRule())
    assert state.disposition is Disposition.ANSWERED
    assert [leg.outcome for leg in state.legs] == [LegOutcome.ANSWERED]
    assert state.talk is not None
    assert state.talk.low_ms <= 40_000 <= state.talk.high_ms
    assert state.recordings[0].url.endswith("/2010-04-01/Accounts/AC1/Recordings/RE1")


async def test_call_unknown_to_the_provider_has_no_events(rest: TwilioRest) -> None:
    assert await rest.events_of("twilio:CA404") is None


async def test_call_that_goes_on_is_known_and_has_no_end(rest: TwilioRest, far_end: FarEnd) -> None:
    far_end.answers = {"Calls/CA1.json": {"sid": "CA1", "status": "in-progress"}, "Calls.json": {"calls": []}}
    assert list(await rest.events_of("twilio:CA1") or []) == []
    assert await rest.events_of("twilio:CA1") is not None


async def test_unusable_time_is_not_guessed(rest: TwilioRest, far_end: FarEnd) -> None:
    far_end.answers = {"Calls/CA1.json": {"sid": "CA1", "status": "completed", "end_time": None}}
    with pytest.raises(ProviderUnreachable, match="no usable time"):
        await rest.events_of("twilio:CA1")
