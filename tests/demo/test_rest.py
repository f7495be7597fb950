"""The far end's REST interface and the calls that it places for the server."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.rest import EXCHANGE, TASKS
from callcenter.demo.simulator import SimulatorConfig, simulator_app
from callcenter.demo.sound import Sound, mono_wav, stereo_wav
from tests.demo.conftest import AGENTS, START, TOKEN, Hotline

SID = "AC" + "1" * 32
BASE = f"/2010-04-01/Accounts/{SID}"
AUTH = {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
CALLER = 'title = "x"\n[caller]\nnumber = "+8613812346207"\ndials_at = "10:02:00"\n'
EXPECT = '[expect.call_back]\nkind = "missed_call"\nby = "10:30:00"\nresident = "{}"\npresses = "1"\n'

Client = TestClient[Any, Any]


@pytest.fixture
async def far_end(
    hotline: Hotline, clock_file: Path, tmp_path: Path, script: Callable[..., Any], request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    """The simulator; the resident does what the test's parameter says (default: answers)."""
    script(CALLER + EXPECT.format(getattr(request, "param", "answers")), seconds=None)
    config = SimulatorConfig(
        account_sid=SID,
        auth_token=TOKEN,
        from_number="+862156780000",
        public_url=hotline.url,
        clock_file=str(clock_file),
        calls=str(tmp_path / "calls"),
        agents=AGENTS,
    )
    async with TestClient(TestServer(simulator_app(config)), headers=AUTH) as client:
        yield client


def exchange_of(client: Client) -> Exchange:
    return client.app[EXCHANGE]  # type: ignore[no-any-return, union-attr]


async def all_played(client: Client) -> None:
    await asyncio.gather(*client.app[TASKS])  # type: ignore[union-attr]


def order(**more: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"To": "+8613812346207", "From": "+862156780000", "Timeout": "30"})
    fields = {"Twiml": "<Response><Say>您好</Say></Response>"} | more
    for key, value in fields.items():
        form.add_field(key, value)
    form.add_field("StatusCallback", "/ivr/twilio/outbound-status?reminder=1")
    for event in ("initiated", "ringing", "answered", "completed"):
        form.add_field("StatusCallbackEvent", event)
    return form


async def test_without_the_accounts_secret_nothing_is_to_be_had(far_end: Client) -> None:
    secrets = (
        aiohttp.encode_basic_auth(SID, "wrong"),
        aiohttp.encode_basic_auth("AC" + "2" * 32, TOKEN),
        "Basic ?",
        "",
    )
    for secret in secrets:
        async with aiohttp.ClientSession(headers={"Authorization": secret}) as stranger:
            answer = await stranger.get(far_end.make_url(f"{BASE}/Calls.json"))
            assert (answer.status, (await answer.json())["code"]) == (401, 20003)


async def test_a_call_is_placed_once_for_the_same_token(far_end: Client, hotline: Hotline) -> None:
    headers = {"I-Twilio-Idempotency-Token": "reminder-1-1"}
    first = await far_end.post(f"{BASE}/Calls.json", data=order(), headers=headers)
    again = await far_end.post(f"{BASE}/Calls.json", data=order(), headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert (await first.json())["sid"] == (await again.json())["sid"]
    await all_played(far_end)
    assert len({form["CallSid"] for form in hotline.forms("outbound-status")}) == 1


async def test_a_resident_who_answers_hears_the_text_and_presses_a_key(far_end: Client, hotline: Hotline) -> None:
    hotline.answers["outbound-key"] = "<Say>谢谢</Say><Hangup/>"
    twiml = (
        '<Response><Say>您好</Say><Gather numDigits="1" timeout="6" action="/ivr/twilio/outbound-key">'
        "<Say>请按1</Say></Gather></Response>"
    )
    answer = await (await far_end.post(f"{BASE}/Calls.json", data=order(Twiml=twiml))).json()
    assert (answer["status"], answer["direction"]) == ("queued", "outbound-api")
    await all_played(far_end)
    statuses = {form["CallStatus"]: form for form in hotline.forms("outbound-status")}
    assert set(statuses) == {"initiated", "ringing", "in-progress", "completed"}
    assert hotline.forms("outbound-key")[0]["Digits"] == "1"
    assert exchange_of(far_end).calls[answer["sid"]].heard == ["您好", "请按1", "谢谢"]
    assert all(one.signed for one in hotline.got)


@pytest.mark.parametrize(
    ("far_end", "status", "reports"),
    [("busy", "busy", {"initiated", "busy"}), ("no_answer", "no-answer", {"initiated", "ringing", "no-answer"})],
    indirect=["far_end"],
)
async def test_a_resident_who_is_not_reached(far_end: Client, hotline: Hotline, status: str, reports: set[str]) -> None:
    placed = await (await far_end.post(f"{BASE}/Calls.json", data=order())).json()
    await all_played(far_end)
    assert {form["CallStatus"] for form in hotline.forms("outbound-status")} == reports
    asked = await (await far_end.get(f"{BASE}/Calls/{placed['sid']}.json")).json()
    assert (asked["status"], asked["duration"]) == (status, "0")


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"To": "12"}, 21211), ({"From": "+861"}, 21210), ({"Twiml": ""}, 21205), ({"Twiml": "x" * 4001}, 21605)],
)
async def test_a_call_that_cannot_be_placed_is_refused_with_the_providers_code(
    far_end: Client, fields: dict[str, str], code: int
) -> None:
    form = {"To": "+8613812346207", "From": "+862156780000", "Twiml": "<Response/>"} | fields
    answer = await far_end.post(f"{BASE}/Calls.json", data=form)
    assert (answer.status, (await answer.json())["code"]) == (400, code)


async def test_child_legs_and_recordings_can_be_asked_for(far_end: Client) -> None:
    exchange = exchange_of(far_end)
    parent = exchange.new_call(direction="inbound", from_number="+861", to="+862", at=START)
    child = exchange.new_call(direction="outbound-dial", from_number="+861", to="sip:x@y", at=START, parent=parent)
    kept = exchange.keep_recording(parent, wav=b"", channels=2, seconds=4.2, at=START, source="DialVerb")
    legs = await (await far_end.get(f"{BASE}/Calls.json", params={"ParentCallSid": parent.sid})).json()
    assert [leg["sid"] for leg in legs["calls"]] == [child.sid]
    found = await (await far_end.get(f"{BASE}/Calls/{parent.sid}/Recordings.json")).json()
    assert [(one["sid"], one["duration"], one["channels"]) for one in found["recordings"]] == [(kept.sid, "4", 2)]
    assert (await far_end.get(f"{BASE}/Calls/CA{'0' * 32}.json")).status == 404


async def test_a_recording_can_be_fetched_whole_and_in_parts(far_end: Client) -> None:
    exchange = exchange_of(far_end)
    call = exchange.new_call(direction="inbound", from_number="+861", to="+862", at=START)
    left, right = (Sound(samples=number.to_bytes(2, "little") * 800) for number in (100, 300))
    wav = stereo_wav(left, right)
    kept = exchange.keep_recording(call, wav=wav, channels=2, seconds=0.1, at=START, source="DialVerb")
    whole = await far_end.get(f"{kept.path}.wav", params={"RequestedChannels": "2"})
    assert (whole.status, await whole.read(), whole.content_type) == (200, wav, "audio/x-wav")
    part = await far_end.get(f"{kept.path}.wav", headers={"Range": "bytes=1000-"})
    assert (part.status, await part.read()) == (206, wav[1000:])
    assert part.headers["Content-Range"] == f"bytes 1000-{len(wav) - 1}/{len(wav)}"
    beyond = await far_end.get(f"{kept.path}.wav", headers={"Range": f"bytes={len(wav)}-"})
    assert beyond.status == 416
    mono = await far_end.get(kept.path, params={"RequestedChannels": "1"})
    with wave.open(io.BytesIO(await mono.read())) as opened:
        assert (opened.getnchannels(), opened.readframes(1)) == (1, (200).to_bytes(2, "little"))


async def test_a_mono_recording_has_no_two_channels(far_end: Client) -> None:
    exchange = exchange_of(far_end)
    call = exchange.new_call(direction="inbound", from_number="+861", to="+862", at=START)
    wav = mono_wav(Sound(samples=bytes(1600)))
    kept = exchange.keep_recording(call, wav=wav, channels=1, seconds=0.1, at=START, source="RecordVerb")
    answer = await far_end.get(f"{kept.path}.wav", params={"RequestedChannels": "2"})
    assert (answer.status, (await answer.json())["code"]) == (400, 16113)
