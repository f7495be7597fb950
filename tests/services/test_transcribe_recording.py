"""From a ready recording to its ticket: fetched over real HTTP, decoded by real Vosk, durable through crashes."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer
from sqlalchemy import func, select, update

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.config import TwilioSettings
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import EventKind
from callcenter.domain.rings import RingRule
from callcenter.domain.tickets import Found, RequestType, TicketDraft
from callcenter.ivr.providers.twilio_recordings import TwilioRecordings
from callcenter.ports import RecordingRejected, RecordingUnavailable
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.transcribe_recording import MOST_ATTEMPTS, TranscribeRecording
from callcenter.services.understand_call import with_menu_choice
from callcenter.services.waiting_recordings import pending_recordings
from tests.conftest import SetClock
from tests.services.conftest import answered_call, happened, stereo_wav

MODEL = Path(__file__).parents[2] / "models" / "demo-zh"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LARGEST = 8_000_000


class Far:
    """The provider's media host; a test sets what it answers."""

    def __init__(self) -> None:
        self.handler: Handler | None = None
        self.requests: list[web.Request] = []
        self.host = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.handler is None:
            return web.Response(status=404)
        return await self.handler(request)


@pytest.fixture
async def far(aiohttp_server: AiohttpServer) -> Far:
    far = Far()
    app = web.Application()
    app.router.add_get("/{path:.*}", far.handle)
    server = await aiohttp_server(app)
    far.host = f"{server.host}:{server.port}"
    return far


@pytest.fixture
async def transcriber() -> AsyncIterator[Transcriber]:
    async with Transcriber(TranscriberSettings(processes=2)) as opened:
        yield opened


@pytest.fixture
async def use_case(
    database: Database, clock: SetClock, tmp_path: Path, rules: FollowUpRules, far: Far, transcriber: Transcriber
) -> AsyncIterator[TranscribeRecording]:
    settings = TwilioSettings(account_sid="AC1", auth_token=SecretStr("t"), recording_hosts=(far.host,))
    async with aiohttp.ClientSession() as session:
        yield TranscribeRecording(
            database=database,
            fetcher=TwilioRecordings(settings, session, largest_bytes=LARGEST),
            transcriber=transcriber,
            engine=EngineSettings(model_path=MODEL),
            clock=clock,
            recordings_dir=tmp_path / "recordings",
            zone=rules.zone,
            rules=rules,
        )


async def announce(
    database: Database, inbox: EventInbox, clock: SetClock, url: str, seconds: float | None = None
) -> None:
    await inbox.store(answered_call(recording_id="RE1", url=url, seconds=seconds), received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())


async def recording(database: Database) -> RecordingRow:
    async with database.read() as session:
        return (await session.execute(select(RecordingRow))).scalar_one()


async def ticket(database: Database) -> TicketRow:
    async with database.read() as session:
        return (await session.execute(select(TicketRow))).scalar_one()


def serves(file: Path) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Content-Type": "audio/x-wav"})

    return handler


async def test_voice_mail_which_nobody_has_heard_goes_first(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    contents = ("conversation", "voice_mail", "conversation", "voice_mail")
    for number, content in enumerate(contents):
        events = answered_call(f"twilio:CA{number}", recording_id=f"RE{number}", url="http://h/RE", content=content)
        await inbox.store(events, received_at=clock.now())
    while await fold_pending(database, RingRule(), now=clock.now()):
        continue
    async with database.write() as session:
        await session.execute(
            update(RecordingRow).where(RecordingRow.id == "RE3").values(ready_at=clock.now() - timedelta(hours=1))
        )
    assert [one.id for one in await pending_recordings(database)] == ["RE3", "RE1", "RE0", "RE2"]
    assert [one.id for one in await pending_recordings(database, limit=1)] == ["RE3"]


async def test_recording_becomes_a_ticket(
    database: Database, inbox: EventInbox, clock: SetClock, far: Far, use_case: TranscribeRecording, tmp_path: Path
) -> None:
    far.handler = serves(stereo_wav(tmp_path / "call.wav", "01-kitchen-leak"))
    await announce(database, inbox, clock, f"http://{far.host}/2010-04-01/Accounts/AC1/Recordings/RE1")
    assert [(one.id, one.job_number) for one in await pending_recordings(database)] == [("RE1", 0)]
    assert await use_case.begin("RE1")
    await use_case.fetch("RE1")
    await use_case.transcribe("RE1")
    await use_case.open_ticket("RE1")
    await use_case.open_ticket("RE1")
    row = await recording(database)
    assert (row.state, row.error) == ("transcribed", None)
    assert row.peaks is not None
    assert set(row.peaks) == {"resident", "agent"}
    assert far.requests[0].query["RequestedChannels"] == "2"
    assert far.requests[0].headers["Authorization"].startswith("Basic ")
    made = await ticket(database)
    assert (made.building, made.unit, made.room) == ("3", "2", "501")
    assert (made.request_type, made.category) == ("repair", "plumbing")
    async with database.read() as session:
        sides = set((await session.execute(select(SegmentRow.side))).scalars())
        assert (await session.execute(select(func.count()).select_from(TicketCallRow))).scalar_one() == 1
    assert sides == {"resident", "agent"}


async def test_cut_download_is_resumed(
    database: Database, inbox: EventInbox, clock: SetClock, far: Far, use_case: TranscribeRecording, tmp_path: Path
) -> None:
    whole = stereo_wav(tmp_path / "call.wav", "12-silence").read_bytes()

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/x-wav", "Content-Length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        await asyncio.sleep(0.3)
        assert request.transport is not None
        request.transport.close()
        return response

    far.handler = cut
    await announce(database, inbox, clock, f"http://{far.host}/RE1")
    with pytest.raises(RecordingUnavailable):
        await use_case.fetch("RE1")
    far.handler = serves(tmp_path / "call.wav")
    await use_case.fetch("RE1")
    assert far.requests[-1].headers["Range"].startswith("bytes=")
    row = await recording(database)
    assert row.path is not None
    assert (use_case.recordings_dir / row.path).read_bytes() == whole


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "audio/x-wav"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"\0" * 65536)
    except (ConnectionError, asyncio.CancelledError):
        return response


async def redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://169.254.169.254/secret")


async def page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>log in first</html>", content_type="text/html")


async def too_large(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "audio/x-wav", "Content-Length": str(LARGEST + 1)})
    await response.prepare(request)
    return response


@pytest.mark.parametrize(
    ("handler", "named"),
    [(endless, "larger than"), (too_large, "more than"), (redirect, "redirects"), (page, "text/html"), (None, None)],
    ids=["endless", "too large", "redirecting", "html", "missing"],
)
async def test_bad_recording_host_is_named(
    database: Database,
    inbox: EventInbox,
    clock: SetClock,
    far: Far,
    use_case: TranscribeRecording,
    handler: Handler | None,
    named: str | None,
) -> None:
    far.handler = handler
    await announce(database, inbox, clock, f"http://{far.host}/RE1")
    if named is None:
        with pytest.raises(RecordingUnavailable, match="404"):
            await use_case.fetch("RE1")
    else:
        with pytest.raises(RecordingRejected, match=named):
            await use_case.fetch("RE1")


@pytest.mark.parametrize("url", ["http://evil.example/RE1", "file:///etc/passwd", "http://127.0.0.1:1/RE1", "nonsense"])
async def test_other_hosts_are_never_asked(
    database: Database, inbox: EventInbox, clock: SetClock, use_case: TranscribeRecording, url: str
) -> None:
    await announce(database, inbox, clock, url)
    with pytest.raises(RecordingRejected):
        await use_case.fetch("RE1")


async def test_what_is_not_audio_gets_a_ticket_to_listen_to(
    database: Database, inbox: EventInbox, clock: SetClock, far: Far, use_case: TranscribeRecording, tmp_path: Path
) -> None:
    fake = tmp_path / "fake.wav"
    fake.write_text("<html>not a recording</html>", encoding="utf-8")
    far.handler = serves(fake)
    await announce(database, inbox, clock, f"http://{far.host}/RE1")
    await use_case.fetch("RE1")
    with pytest.raises(Exception, match=r"\S") as refused:
        await use_case.transcribe("RE1")
    await use_case.give_up("RE1", str(refused.value))
    await use_case.give_up("RE1", str(refused.value))
    made = await ticket(database)
    assert made.must_listen
    assert made.must_listen_reason
    assert (await recording(database)).state == "failed"


async def test_silence_makes_no_words(
    database: Database, inbox: EventInbox, clock: SetClock, far: Far, use_case: TranscribeRecording, tmp_path: Path
) -> None:
    far.handler = serves(stereo_wav(tmp_path / "call.wav", "12-silence"))
    await announce(database, inbox, clock, f"http://{far.host}/RE1")
    await use_case.begin("RE1")
    await use_case.fetch("RE1")
    await use_case.transcribe("RE1")
    await use_case.open_ticket("RE1")
    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(SegmentRow))).scalar_one() == 0
    assert (await ticket(database)).must_listen


async def test_second_recording_of_a_call_adds_what_the_first_did_not_have(
    database: Database, inbox: EventInbox, clock: SetClock, far: Far, use_case: TranscribeRecording, tmp_path: Path
) -> None:
    silent = stereo_wav(tmp_path / "silent.wav", "12-silence").read_bytes()
    spoken = stereo_wav(tmp_path / "spoken.wav", "01-kitchen-leak").read_bytes()

    async def handler(request: web.Request) -> web.StreamResponse:
        body = spoken if "RE2" in request.path else silent
        return web.Response(body=body, headers={"Content-Type": "audio/x-wav"})

    far.handler = handler
    more = happened(EventKind.RECORDING_READY, 70, recording_id="RE2", url=f"http://{far.host}/RE2", channels=2)
    first = answered_call(recording_id="RE1", url=f"http://{far.host}/RE1")
    await inbox.store([*first, more], received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())
    for name in ("RE1", "RE2", "RE2"):
        await use_case.begin(name)
        await use_case.fetch(name)
        await use_case.transcribe(name)
        await use_case.open_ticket(name)
    made = await ticket(database)
    assert not made.must_listen
    assert (made.building, made.unit, made.room) == ("3", "2", "501")
    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(ReminderRow))).scalar_one() == 1


def test_menu_key_speaks_where_the_words_do_not() -> None:
    choices = {"2": RequestType.COMPLAINT}
    chosen = with_menu_choice(TicketDraft(), [["menu", "2"]], choices).request_type
    assert chosen is not None
    assert chosen.value is RequestType.COMPLAINT
    assert with_menu_choice(TicketDraft(), [["menu", "9"]], choices).request_type is None
    said = TicketDraft(request_type=Found(value=RequestType.REPAIR, confidence=0.9))
    assert with_menu_choice(said, [["menu", "2"]], choices) is said


async def test_attempts_are_counted_and_end(
    database: Database, inbox: EventInbox, clock: SetClock, use_case: TranscribeRecording
) -> None:
    await announce(database, inbox, clock, "http://never.example/RE1")
    for _ in range(MOST_ATTEMPTS):
        assert await use_case.begin("RE1")
    assert not await use_case.begin("RE1")
    assert (await recording(database)).state == "failed"
    assert (await ticket(database)).must_listen


async def test_killed_recogniser_is_tried_once_more(
    database: Database,
    inbox: EventInbox,
    clock: SetClock,
    far: Far,
    use_case: TranscribeRecording,
    transcriber: Transcriber,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first try's children are killed while they work; the second try gives the whole transcript."""
    far.handler = serves(stereo_wav(tmp_path / "call.wav", "01-kitchen-leak"))
    await announce(database, inbox, clock, f"http://{far.host}/RE1")
    await use_case.begin("RE1")
    await use_case.fetch("RE1")
    await transcriber.warm_up(EngineSettings(model_path=MODEL))
    working = asyncio.create_task(use_case.transcribe("RE1"))
    await asyncio.sleep(0.15)
    killed = kill_children(signal.SIGKILL)
    await working
    assert killed
    assert (await recording(database)).state == "transcribed"


def kill_children(number: signal.Signals) -> int:
    import psutil

    children = [
        child for child in psutil.Process().children(recursive=True) if "resource_tracker" not in str(child.cmdline())
    ]
    for child in children:
        child.send_signal(number)
    return len(children)
