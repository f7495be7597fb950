"""The websocket edge against a provider that is well behaved, and against one that is not."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient
from pydantic import SecretStr
from pytest_aiohttp import AiohttpClient
from twilio.request_validator import RequestValidator

from callcenter.config import AgentSettings, CallFlowSettings, TwilioSettings
from callcenter.demo.far_end.media_stream import MediaStream
from callcenter.demo.far_end.twiml import read_twiml
from callcenter.demo.sound import Sound
from callcenter.domain.transcript import Side
from callcenter.ivr import media
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.media import MediaEdge
from callcenter.ivr.mu_law import decoded, encoded
from callcenter.ivr.provider import DialEnded, HearLive, Incoming
from callcenter.ivr.providers.twilio_media import TwilioMedia, stream_token
from callcenter.ivr.providers.twiml import TwimlWriter
from tests.conftest import SetClock
from tests.live.conftest import CALL, Listener

TOKEN = "a-secret-of-the-provider"
PUBLIC_URL = "https://hotline.example.com"
MEDIA_URL = "wss://hotline.example.com/ivr/twilio/media"
SILENT = Sound(samples=bytes(16000))
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, listener: Listener, clock: SetClock) -> Client:
    twilio = TwilioMedia(TwilioSettings(account_sid="AC1", auth_token=SecretStr(TOKEN)))
    app = web.Application()
    edge = MediaEdge(providers={"twilio": twilio}, listener=listener, clock=clock, public_url=PUBLIC_URL)
    edge.add_routes(app)
    return await aiohttp_client(app)


def signature(token: str = TOKEN, url: str = MEDIA_URL) -> dict[str, str]:
    return {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, {})}


@asynccontextmanager
async def opened(client: Client, sid: str = "CA1") -> AsyncIterator[MediaStream]:
    async with client.ws_connect("/ivr/twilio/media", headers=signature()) as socket:
        yield MediaStream(socket, account_sid="AC1", call_sid=sid, sid="MZ1")  # type: ignore[arg-type]


@asynccontextmanager
async def started(client: Client, sid: str = "CA1") -> AsyncIterator[MediaStream]:
    async with opened(client, sid) as stream:
        await stream.start({"token": stream_token(TOKEN, sid)})
        yield stream


async def closed_with(stream: MediaStream) -> int | None:
    """The code with which the server closes the stream."""
    message = await asyncio.wait_for(stream.socket.receive(), 10)
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED), message
    return stream.socket.close_code


async def ended(listener: Listener) -> None:
    async with asyncio.timeout(10):
        while not (CALL in listener.ears and listener.ears[CALL].report):
            await asyncio.sleep(0.01)


async def test_both_sides_are_heard_as_they_were_spoken(client: Client, listener: Listener) -> None:
    resident, agent = Sound(samples=bytes(range(256)) * 20), Sound(samples=bytes(range(0, 256, 2)) * 40)
    async with started(client) as stream:
        await stream.play({"inbound": resident, "outbound": agent}, pace=20)
        await stream.send("dtmf", dtmf={"track": "inbound_track", "digit": "1"})
        await stream.send("mark", mark={"name": "here"})
        await stream.stop()
        await ended(listener)
    ear = listener.ears[CALL]
    assert ear.pcm(Side.RESIDENT) == decoded(encoded(resident.samples))
    assert ear.pcm(Side.AGENT) == decoded(encoded(agent.samples))
    assert ear.report is not None
    assert (ear.report.whole, ear.report.closed_for, ear.report.bad_messages) == (True, None, 0)


@pytest.mark.parametrize("headers", [{}, signature("another"), signature(url="wss://elsewhere.example.com/")])
async def test_an_unsigned_stream_is_refused_before_it_opens(client: Client, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/ivr/twilio/media", headers=headers)
    assert refused.value.status == 403


async def test_a_signature_over_the_address_with_a_slash_behind_is_the_vendors_too(client: Client) -> None:
    socket = await client.ws_connect("/ivr/twilio/media", headers=signature(url=f"{MEDIA_URL}/"))
    await socket.close()


async def test_without_a_secret_the_endpoint_is_closed(aiohttp_client: AiohttpClient, listener: Listener) -> None:
    app = web.Application()
    edge = MediaEdge(
        providers={"twilio": TwilioMedia(TwilioSettings())}, listener=listener, clock=SetClock(), public_url=PUBLIC_URL
    )
    edge.add_routes(app)
    client = await aiohttp_client(app)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/ivr/twilio/media", headers=signature(""))
    assert refused.value.status == 403


@pytest.mark.parametrize("parameters", [{}, {"token": "guessed"}, {"token": stream_token(TOKEN, "CA2")}])
async def test_a_start_without_the_calls_own_token_is_refused(
    client: Client, listener: Listener, parameters: dict[str, str]
) -> None:
    async with opened(client) as stream:
        await stream.start(parameters)
        assert await closed_with(stream) == 1008
    assert not listener.ears


async def test_a_stream_of_an_unknown_call_is_closed(client: Client, listener: Listener) -> None:
    async with started(client, "CA9") as stream:
        assert await closed_with(stream) == 1008
    assert not listener.ears


async def test_a_second_stream_of_a_call_is_closed_and_the_first_goes_on(client: Client, listener: Listener) -> None:
    async with started(client) as first:
        await first.play({"inbound": SILENT}, pace=50)
        async with started(client) as second:
            assert await closed_with(second) == 1008
        await first.stop()
        await ended(listener)
    assert listener.ears[CALL].report is not None
    assert listener.ears[CALL].report.whole


async def test_a_stream_that_never_starts_is_closed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "START_SECONDS", 0.1)
    async with opened(client) as stream:
        await stream.send("connected", protocol="Call", version="1.0.0")
        assert await closed_with(stream) == 1008


async def test_a_stream_that_stalls_is_closed_and_its_call_waits_for_the_recording(
    client: Client, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "STALL_SECONDS", 0.1)
    async with started(client) as stream:
        await stream.media("inbound", 0, bytes(160))
        assert await closed_with(stream) == 1008
        await ended(listener)
    report = listener.ears[CALL].report
    assert report is not None
    assert report.closed_for is not None
    assert "nothing came" in report.closed_for


async def test_a_connection_that_breaks_off_without_a_stop_is_not_whole(client: Client, listener: Listener) -> None:
    async with started(client) as stream:
        await stream.media("inbound", 0, bytes(160))
    await ended(listener)
    report = listener.ears[CALL].report
    assert report is not None
    assert (report.whole, report.closed_for) == (False, None)
    assert len(listener.ears[CALL].pcm(Side.RESIDENT)) == 320


@pytest.mark.parametrize(
    "bad",
    [
        "no JSON at all",
        "[" * 30_000,
        "17",
        '{"event": "media"}',
        '{"event": "media", "media": {"track": "inbound", "timestamp": "-5", "payload": ""}}',
        '{"event": "media", "media": {"track": "sideways", "timestamp": "5", "payload": ""}}',
        '{"event": "media", "media": {"track": "inbound", "timestamp": "20", "payload": "%%% no base64 %%%"}}',
        '{"event": "media", "media": {"track": "inbound", "timestamp": "20", "payload": 7}}',
        '{"event": "start", "start": 3}',
        '{"event": "unheard of"}',
        '{"no": "event"}',
    ],
)
async def test_a_bad_message_is_counted_and_the_rest_is_heard(client: Client, listener: Listener, bad: str) -> None:
    async with started(client) as stream:
        await stream.media("inbound", 0, bytes(160))
        await stream.socket.send_str(bad)
        await stream.media("inbound", 20, bytes(160))
        await stream.stop()
        await ended(listener)
    report = listener.ears[CALL].report
    assert report is not None
    assert (report.whole, report.bad_messages) == (True, 1)
    assert len(listener.ears[CALL].pcm(Side.RESIDENT)) == 640


async def test_too_many_bad_messages_close_the_stream(client: Client, listener: Listener) -> None:
    async with started(client) as stream:
        for _ in range(media.MOST_BAD_MESSAGES + 1):
            await stream.socket.send_bytes(b"\x00")
        assert await closed_with(stream) == 1008


async def test_an_oversized_message_closes_the_stream(client: Client, listener: Listener) -> None:
    async with started(client) as stream:
        await stream.socket.send_str(json.dumps({"event": "media", "x": "y" * media.LARGEST_MESSAGE_BYTES}))
        assert await closed_with(stream) == 1009
    await ended(listener)


async def test_sound_faster_than_anybody_speaks_closes_the_stream(client: Client, listener: Listener) -> None:
    payload = base64.b64encode(bytes(160)).decode()
    async with started(client) as stream:
        for number in range(300):  # 6 s at once: the clock stands still
            media_part = {"track": "inbound", "chunk": "1", "timestamp": str(number * 20), "payload": payload}
            await stream.send("media", media=media_part)
        assert await closed_with(stream) == 1008
        await ended(listener)
    report = listener.ears[CALL].report
    assert report is not None
    assert report.closed_for == "faster than anybody speaks"


async def test_what_the_network_held_back_is_heard(client: Client, listener: Listener, clock: SetClock) -> None:
    async with started(client) as stream:
        await stream.media("inbound", 0, bytes(160))
        while CALL not in listener.ears:
            await asyncio.sleep(0.01)
        clock.at += timedelta(seconds=20)
        for number in range(1, 1000):
            await stream.media("inbound", number * 20, bytes(160))
        await stream.stop()
        await ended(listener)
    assert len(listener.ears[CALL].pcm(Side.RESIDENT)) == 320_000


async def test_a_call_whose_ear_is_lost_is_not_sent_any_further(client: Client, listener: Listener) -> None:
    async with started(client) as stream:
        await stream.media("inbound", 0, bytes(160))
        while CALL not in listener.ears:
            await asyncio.sleep(0.01)
        listener.ears[CALL].is_lost = True
        await stream.media("inbound", 20, bytes(160))
        assert await closed_with(stream) == 1000


def test_the_sound_is_asked_for_once_a_call() -> None:
    agents = tuple(AgentSettings(id=one, name=one, phone=f"sip:{one}@pbx") for one in ("a", "b"))
    flow = CallFlow(CallFlowSettings(), agents, hears_live=True)
    asked = [HearLive() in flow.next_steps(one) for one in (Incoming(), DialEnded(attempt=0, answered=False))]
    assert asked == [True, False]
    nobody = CallFlow(CallFlowSettings(), (), hears_live=True)
    assert HearLive() in nobody.next_steps(Incoming()), "a voice mail is heard as well"
    assert HearLive() not in CallFlow(CallFlowSettings(), agents).next_steps(Incoming())


def test_the_document_starts_the_stream_with_the_calls_token() -> None:
    writer = TwimlWriter(public_url=PUBLIC_URL, language="zh-CN", voice="", stream_token=lambda sid: f"of-{sid}")
    document = writer.response([HearLive()], sid="CA1")
    assert (
        '<Start><Stream name="live" track="both_tracks" url="wss://hotline.example.com/ivr/twilio/media">' in document
    )
    assert '<Parameter name="token" value="of-CA1" />' in document
    assert read_twiml(document), "the demonstration's far end understands it"
