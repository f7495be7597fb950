"""The webhook edge: who may speak to it, what it stores, what the caller hears, and what bad input gets."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict, MultiDictProxy
from sqlalchemy import func, select, text
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from callcenter.config import AgentSettings, CallFlowSettings, MenuSettings, RingStrategy
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.domain.agent_states import Available
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.provider import (
    DialEnded,
    EndpointClosed,
    Incoming,
    Menu,
    Question,
    RingAgents,
    TakeVoiceMail,
    Trouble,
    WebhookRequest,
)
from callcenter.ivr.providers.twilio import FORM, signature_is_valid, usual_signature
from callcenter.services.inbox import EventInbox
from tests.ivr.conftest import AGENTS, PUBLIC_URL, TOKEN, Post, provider, sign

VOICE = {
    "CallSid": "CA1",
    "AccountSid": "AC1",
    "From": "+8613812346207",
    "To": "+862112345678",
    "CallStatus": "ringing",
}
Client = TestClient[web.Request, web.Application]


async def events(database: Database) -> list[CallEventRow]:
    async with database.read() as session:
        return list((await session.execute(select(CallEventRow).order_by(CallEventRow.id))).scalars())


async def test_incoming_call_is_stored_and_rings_the_first_agent(post: Post, database: Database) -> None:
    response = await post("/ivr/twilio/voice", **VOICE)
    assert response.status == 200
    root = ElementTree.fromstring(await response.text())
    assert [verb.tag for verb in root] == ["Say", "Dial"]
    assert "录音" in (root[0].text or "")
    assert root[1].get("record") == "record-from-answer-dual"
    assert root[1][0].text == "sip:hewen@pbx.example"
    assert root[1][0].get("statusCallbackEvent") == "initiated ringing answered completed"
    stored = await events(database)
    assert [(row.kind, row.call_id) for row in stored] == [("call_started", "twilio:CA1")]
    assert stored[0].data["from"] == "+8613812346207"


async def test_same_webhook_twice_changes_nothing_and_answers_alike(post: Post, database: Database) -> None:
    first, second = [await (await post("/ivr/twilio/voice", **VOICE)).text() for _ in range(2)]
    assert first == second
    assert len(await events(database)) == 1


async def test_next_agent_then_voice_mail(post: Post, database: Database) -> None:
    form = {"CallSid": "CA1", "DialCallStatus": "no-answer"}
    root = ElementTree.fromstring(await (await post("/ivr/twilio/dial?attempt=0", **form)).text())
    number = root[0][0]
    assert (number.tag, number.text) == ("Number", "+8613900004471")
    assert "/ivr/twilio/confirm" in (number.get("url") or "")
    root = ElementTree.fromstring(await (await post("/ivr/twilio/dial?attempt=1", **form)).text())
    assert [verb.tag for verb in root] == ["Say", "Record"]
    assert [row.kind for row in await events(database)] == ["voice_mail_started"]


async def test_resident_who_gave_up_is_not_sent_to_voice_mail(post: Post, database: Database) -> None:
    """The provider asks after the round of ringing also when the caller has gone."""
    form = {"CallSid": "CA1", "CallStatus": "completed", "DialCallStatus": "canceled"}
    response = await post("/ivr/twilio/dial?attempt=1", **form)
    assert len(ElementTree.fromstring(await response.text())) == 0
    assert await events(database) == []


async def test_leg_progress_is_stored_with_its_clock(post: Post, database: Database) -> None:
    form = {"CallSid": "CA2", "ParentCallSid": "CA1", "CallStatus": "ringing", "To": "sip:hewen@pbx.example"}
    stamp = {"Timestamp": "Tue, 24 Nov 2026 02:00:05 +0000", "SequenceNumber": "1"}
    response = await post("/ivr/twilio/leg?call=CA1&agent=hewen", **form, **stamp)
    assert response.status == 200
    row = (await events(database))[0]
    assert (row.kind, row.leg_id, row.clock) == ("leg_ringing", "CA2", "provider")
    assert (row.latest - row.earliest).total_seconds() == 1
    assert row.data == {"agent": "hewen", "number": "sip:hewen@pbx.example"}


async def test_outside_number_must_press_a_key(post: Post, database: Database) -> None:
    asked = await post("/ivr/twilio/confirm?call=CA1&agent=lijia", CallSid="CA3", CallStatus="in-progress")
    root = ElementTree.fromstring(await asked.text())
    assert [verb.tag for verb in root] == ["Gather", "Hangup"]
    wrong = await post("/ivr/twilio/confirmed?call=CA1&agent=lijia", CallSid="CA3", Digits="5")
    assert "Hangup" in await wrong.text()
    right = await post("/ivr/twilio/confirmed?call=CA1&agent=lijia", CallSid="CA3", Digits="1")
    assert len(ElementTree.fromstring(await right.text())) == 0
    assert [row.kind for row in await events(database)] == ["leg_confirmed"]


@pytest.mark.parametrize(("signature", "status"), [(None, 403), ("", 403), ("d3Jvbmc=", 403), ("right", 200)], ids=str)
async def test_signature_decides(post: Post, database: Database, signature: str | None, status: int) -> None:
    response = await post("/ivr/twilio/voice", signature=signature, **VOICE)
    assert response.status == status
    assert len(await events(database)) == (1 if status == 200 else 0)


async def test_signature_of_another_request_is_refused(post: Post, database: Database) -> None:
    stolen = sign("/ivr/twilio/voice", VOICE)
    assert (await post("/ivr/twilio/voice", signature=stolen, **(VOICE | {"From": "+8613800000000"}))).status == 403
    assert (await post("/ivr/twilio/fallback", signature=stolen, **VOICE)).status == 403
    assert await events(database) == []


async def test_replayed_request_changes_nothing(post: Post, database: Database) -> None:
    signature = sign("/ivr/twilio/voice", VOICE)
    for _ in range(3):
        assert (await post("/ivr/twilio/voice", signature=signature, **VOICE)).status == 200
    assert len(await events(database)) == 1


def test_provider_without_a_secret_is_closed() -> None:
    request = WebhookRequest(
        hook="voice",
        url=PUBLIC_URL + "/ivr/twilio/voice",
        query={},
        headers={SIGNATURE_HEADER: sign("/ivr/twilio/voice", VOICE, token="")},
        content_type=FORM,
        body=urlencode(VOICE).encode(),
        received_at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    with pytest.raises(EndpointClosed, match="auth_token is not set"):
        provider(token="").verify(request)


@pytest.mark.parametrize(
    ("path", "form", "status", "named"),
    [
        ("/ivr/nobody/voice", VOICE, 404, "no such provider"),
        ("/ivr/twilio/nothing", VOICE, 404, "no such hook"),
        ("/ivr/twilio/leg?call=CA1", {"CallSid": "CA2"}, 400, "CallStatus"),
        ("/ivr/twilio/leg?call=CA1", {"CallSid": "CA2", "CallStatus": "dancing"}, 400, "dancing"),
        ("/ivr/twilio/leg", {"CallSid": "CA2", "CallStatus": "ringing"}, 400, "call"),
        ("/ivr/twilio/recording", {"CallSid": "CA1"}, 400, "RecordingSid"),
        (
            "/ivr/twilio/recording",
            {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": "u", "RecordingChannels": "two"},
            400,
            "RecordingChannels",
        ),
        (
            "/ivr/twilio/status",
            {"CallSid": "CA1", "CallStatus": "completed", "Timestamp": "yesterday"},
            400,
            "Timestamp",
        ),
        ("/ivr/twilio/status", {"CallSid": "CA1", "CallStatus": "completed", "AccountSid": "AC2"}, 400, "AccountSid"),
        (
            "/ivr/twilio/recording",
            {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": "u", "RecordingChannels": "99999999999"},
            400,
            "RecordingChannels",
        ),
        (
            "/ivr/twilio/recording",
            {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": "u", "RecordingDuration": "nan"},
            400,
            "RecordingDuration",
        ),
    ],
)
async def test_bad_input_is_named(
    post: Post, database: Database, path: str, form: dict[str, str], status: int, named: str
) -> None:
    response = await post(path, **form)
    assert response.status == status
    assert named in await response.text()
    assert await events(database) == []


@pytest.mark.parametrize(
    ("path", "form", "named"),
    [
        ("/ivr/twilio/voice", {"From": "+86"}, "CallSid"),
        ("/ivr/twilio/voice", VOICE | {"AccountSid": "AC2"}, "AccountSid"),
        ("/ivr/twilio/voice", VOICE | {"Timestamp": "yesterday"}, "Timestamp"),
        ("/ivr/twilio/dial?attempt=x", {"CallSid": "CA1", "DialCallStatus": "busy"}, "attempt"),
        ("/ivr/twilio/dial?attempt=" + "9" * 5000, {"CallSid": "CA1", "DialCallStatus": "busy"}, "attempt"),
    ],
)
async def test_caller_never_hears_an_error(
    post: Post, database: Database, path: str, form: dict[str, str], named: str
) -> None:
    """What cannot be read is named in the provider's log and ours; the caller gets the fallback."""
    response = await post(path, **form)
    assert response.status == 200
    assert named in response.headers["X-Problem"]
    assert "<Record" in await response.text()
    assert await events(database) == []


async def test_mistake_of_ours_gives_the_fallback_too(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(CallFlow, "_welcome", fail)
    response = await post("/ivr/twilio/voice", **VOICE)
    assert response.status == 200
    assert "<Record" in await response.text()


async def test_slow_body_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.ivr.webhooks.BODY_SECONDS", 0.2)

    async def body() -> AsyncIterator[bytes]:
        yield b"Call"
        await asyncio.sleep(5)
        yield b"Sid=CA1"

    response = await client.post("/ivr/twilio/voice", data=body())
    assert response.status == 408


def test_fallback_number_is_rung_recorded_and_followed_by_voice_mail() -> None:
    flow = CallFlow(CallFlowSettings(fallback_number="+8613900000000"), AGENTS)
    ring = flow.next_steps(Trouble())[0]
    assert isinstance(ring, RingAgents)
    assert [(target.agent, target.phone) for target in ring.targets] == [("fallback", "+8613900000000")]
    assert isinstance(flow.next_steps(DialEnded(attempt=ring.attempt, answered=False))[0], TakeVoiceMail)


async def test_unbridged_dial_goes_on_to_the_next_agent(post: Post) -> None:
    form = {"CallSid": "CA1", "DialCallStatus": "completed", "DialBridged": "false"}
    assert "<Number" in await (await post("/ivr/twilio/dial?attempt=0", **form)).text()


def test_more_agents_than_the_provider_rings_at_once() -> None:
    many = tuple(AgentSettings(id=f"a{n}", name="x", phone=f"sip:a{n}@pbx.example") for n in range(12))
    flow = CallFlow(CallFlowSettings(strategy=RingStrategy.ALL_AT_ONCE), many)
    first = flow.next_steps(Incoming())[1]
    assert isinstance(first, RingAgents)
    second = flow.next_steps(DialEnded(attempt=first.attempt, answered=False))[0]
    assert isinstance(second, RingAgents)
    assert (len(first.targets), len(second.targets)) == (10, 2)


async def test_body_over_the_limit_is_refused(post: Post, database: Database) -> None:
    response = await post("/ivr/twilio/voice", **(VOICE | {"Padding": "x" * (256 * 1024)}))
    assert response.status == 413
    assert await events(database) == []


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"no equals sign", b"a=%zz&b"])
async def test_malformed_form_is_refused(client: Client, database: Database, body: bytes) -> None:
    headers = {"Content-Type": FORM, "X-Twilio-Signature": "x"}
    response = await client.post("/ivr/twilio/voice", data=body, headers=headers)
    assert response.status in (400, 403)
    assert await events(database) == []


async def test_event_of_an_unknown_call_is_kept(post: Post, database: Database) -> None:
    assert (await post("/ivr/twilio/status", CallSid="CA404", CallStatus="completed")).status == 200
    assert [row.call_id for row in await events(database)] == ["twilio:CA404"]


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "Restricted"])
async def test_withheld_number_is_no_number(post: Post, database: Database, caller: str) -> None:
    await post("/ivr/twilio/voice", **(VOICE | {"From": caller}))
    assert "from" not in (await events(database))[0].data


@pytest.mark.parametrize(
    ("base", "accepted"),
    [
        (PUBLIC_URL, True),
        (PUBLIC_URL + ":443", True),
        ("https://hotline.example.com:8443", False),
        ("http://hotline.example.com", False),
    ],
)
def test_signature_with_and_without_the_port(base: str, accepted: bool) -> None:
    path = "/ivr/twilio/voice"
    assert valid(PUBLIC_URL + path, urlencode(VOICE).encode(), sign(path, VOICE, base=base)) is accepted


def valid(url: str, body: bytes, signature: str, *, json: bool = False) -> bool:
    pairs = None if json else MultiDict(parse_qsl(body.decode()))
    return signature_is_valid(RequestValidator(TOKEN), url=url, pairs=pairs, body=body, signature=signature)


def test_repeated_parameters_are_signed_once_each() -> None:
    body = b"Digits=1&Digits=1&Digits=2"
    pairs = MultiDict([("Digits", "1"), ("Digits", "1"), ("Digits", "2")])
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + "/x", pairs)
    assert valid(PUBLIC_URL + "/x", body, signature)
    assert not valid(PUBLIC_URL + "/x", b"Digits=1&Digits=1&Digits=3", signature)


WRITTEN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    url=WRITTEN, pairs=st.lists(st.tuples(st.sampled_from(["a", "ab", "b", "To", "地"]) | WRITTEN, WRITTEN), max_size=8)
)
def test_the_usual_signature_is_the_vendors(url: str, pairs: list[tuple[str, str]]) -> None:
    vendors = RequestValidator(TOKEN).compute_signature(url, MultiDict(pairs))
    assert usual_signature(TOKEN.encode(), url, MultiDictProxy(MultiDict(pairs))).decode() == vendors


def test_json_body_is_checked_by_its_hash() -> None:
    body = b'{"a": 1}'
    url = f"{PUBLIC_URL}/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    assert valid(url, body, signature, json=True)
    assert not valid(url, b'{"a": 2}', signature, json=True)
    bare = f"{PUBLIC_URL}/x"
    unhashed = RequestValidator(TOKEN).compute_signature(bare, {})
    assert not valid(bare, body, unhashed, json=True)


async def test_without_database_events_go_to_the_spool_and_come_back(
    post: Post, database: Database, inbox: EventInbox
) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE call_events RENAME TO gone"))
    response = await post("/ivr/twilio/voice", **VOICE)
    assert response.status == 200
    assert "Dial" in await response.text()
    async with database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE gone RENAME TO call_events"))
    await inbox.replay_once()
    assert [row.call_id for row in await events(database)] == ["twilio:CA1"]


async def test_without_database_and_spool_the_caller_gets_the_fallback(
    post: Post, database: Database, inbox: EventInbox
) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE call_events RENAME TO gone"))
    inbox.spool.close()
    response = await post("/ivr/twilio/voice", **VOICE)
    assert response.status == 200
    assert "<Record" in await response.text()
    status = await post("/ivr/twilio/status", CallSid="CA1", CallStatus="completed")
    assert status.status == 503


async def test_many_at_once_are_all_stored(post: Post, database: Database) -> None:
    responses = await asyncio.gather(
        *(post("/ivr/twilio/status", CallSid=f"CA{number}", CallStatus="completed") for number in range(300))
    )
    assert {response.status for response in responses} == {200}
    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(CallEventRow))).scalar_one() == 300


def test_all_at_once_then_voice_mail() -> None:
    flow = CallFlow(CallFlowSettings(strategy=RingStrategy.ALL_AT_ONCE), AGENTS)
    ring = flow.next_steps(Incoming())[1]
    assert isinstance(ring, RingAgents)
    assert [target.agent for target in ring.targets] == ["hewen", "lijia"]
    assert isinstance(flow.next_steps(DialEnded(attempt=ring.attempt, answered=False))[0], TakeVoiceMail)


def test_menu_where_switched_on_and_voice_mail_without_agents() -> None:
    menu = CallFlow(CallFlowSettings(menu=MenuSettings(enabled=True)), AGENTS)
    assert isinstance(menu.next_steps(Incoming())[1], Menu)
    nobody: tuple[AgentSettings, ...] = ()
    assert isinstance(CallFlow(CallFlowSettings(), nobody).next_steps(Incoming())[1], TakeVoiceMail)


async def test_locked_database_does_not_keep_the_caller_waiting(
    post: Post, database: Database, database_url: str, inbox: EventInbox
) -> None:
    other = Database(database_url)
    try:
        async with other.writer.begin() as connection:
            if not other.is_sqlite:
                await connection.execute(text("LOCK TABLE call_events IN ACCESS EXCLUSIVE MODE"))
            began = asyncio.get_running_loop().time()
            response = await post("/ivr/twilio/voice", **VOICE)
            assert asyncio.get_running_loop().time() - began < 2.5
            assert "Dial" in await response.text()
            assert len(await asyncio.to_thread(inbox.spool.oldest, 10)) == 1
    finally:
        await other.close()
    async with asyncio.timeout(20):
        while await asyncio.to_thread(inbox.spool.oldest, 10):
            await asyncio.sleep(0.1)
    assert [row.call_id for row in await events(database)] == ["twilio:CA1"]


async def test_full_or_broken_database_loses_nothing(post: Post, database: Database, inbox: EventInbox) -> None:
    """SQLite: no page left to write to. PostgreSQL: every connection cut and read-only from then on."""
    await (_fill_up if database.is_sqlite else _cut_off)(database)
    for number in range(40):
        status = await post("/ivr/twilio/status", CallSid=f"CA{number}", CallStatus="completed", To="x" * 2000)
        assert status.status == 200
    assert await asyncio.to_thread(inbox.spool.oldest, 10)
    await (_make_room if database.is_sqlite else _let_in)(database)
    async with asyncio.timeout(20):
        while await asyncio.to_thread(inbox.spool.oldest, 10):
            await asyncio.sleep(0.1)
    assert {row.call_id for row in await events(database)} == {f"twilio:CA{number}" for number in range(40)}


async def _fill_up(database: Database) -> None:
    async with database.writer.connect() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def _make_room(database: Database) -> None:
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")


async def _cut_off(database: Database) -> None:
    name = database.url.database
    async with database.writer.begin() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    async with database.writer.begin() as connection:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        await connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    await database.writer.dispose()


async def _let_in(database: Database) -> None:
    name = database.url.database
    async with database.writer.connect() as connection:
        await connection.execute(text("SET TRANSACTION READ WRITE"))
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = off"))
        await connection.commit()
    await database.writer.dispose()


def rings(flow: CallFlow, question: Question) -> tuple[list[str], int]:
    ring = next(step for step in flow.next_steps(question) if isinstance(step, RingAgents))
    return [target.agent for target in ring.targets], ring.attempt


def test_only_who_is_ready_is_rung() -> None:
    ready = Available(free=frozenset({"lijia"}), ready=frozenset({"lijia"}))
    flow = CallFlow(CallFlowSettings(), AGENTS, available=lambda: ready)
    agents, attempt = rings(flow, Incoming())
    assert agents == ["lijia"]
    assert isinstance(flow.next_steps(DialEnded(attempt=attempt, answered=False))[0], TakeVoiceMail)


def test_an_agent_who_leaves_while_it_rings_is_passed_over() -> None:
    states = [Available(free=frozenset({"hewen", "lijia"}), ready=frozenset({"hewen", "lijia"}))]
    flow = CallFlow(CallFlowSettings(), AGENTS, available=lambda: states[-1])
    agents, attempt = rings(flow, Incoming())
    assert agents == ["hewen"]
    states.append(Available(free=frozenset({"hewen"}), ready=frozenset({"hewen"})))
    assert isinstance(flow.next_steps(DialEnded(attempt=attempt, answered=False))[0], TakeVoiceMail)


def test_when_nobody_is_ready_the_fallback_number_is_asked_to_confirm_then_voice_mail() -> None:
    nobody = Available(free=frozenset(), ready=frozenset())
    flow = CallFlow(CallFlowSettings(fallback_number="+8613900000000"), AGENTS, available=lambda: nobody)
    ring = flow.next_steps(Incoming())[1]
    assert isinstance(ring, RingAgents)
    assert [(target.agent, target.must_confirm) for target in ring.targets] == [("fallback", True)]
    assert isinstance(flow.next_steps(DialEnded(attempt=ring.attempt, answered=False))[0], TakeVoiceMail)
    without = CallFlow(CallFlowSettings(), AGENTS, available=lambda: nobody)
    assert isinstance(without.next_steps(Incoming())[1], TakeVoiceMail)
