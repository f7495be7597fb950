"""A demo call's sound streamed in real protocol to the real server with real Vosk: words, alarm, ticket, correction."""

import asyncio
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from multidict import MultiDict
from pytest_aiohttp import AiohttpServer
from sqlalchemy import func, select
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow, LiveSegmentRow, LiveState
from callcenter.db.on_call import OnCallAlarmRow
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.demo.far_end.media_stream import MediaStream, media_stream
from callcenter.demo.far_end.twiml import StartStream, read_twiml
from callcenter.demo.sound import Sound, read_wav
from tests.services.conftest import CALLS, stereo_wav

TOKEN = "a-secret-of-the-provider"
PATIENCE_SECONDS = 60.0
T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):
            await asyncio.sleep(0.05)
        return found


class Hotline:
    """`callcenter serve` with its worker, and the provider's side of its calls."""

    def __init__(self, config: Path, port: int, media_host: str, database: Database) -> None:
        self.config, self.port, self.media_host, self.database = config, port, media_host, database
        self.session = aiohttp.ClientSession()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter", "--config", str(self.config), "serve"), start_new_session=True
        )
        await until(self._hears)

    async def health(self) -> dict[str, object]:
        async with self.session.get(f"http://127.0.0.1:{self.port}/healthz") as response:
            return dict(await response.json())

    async def _hears(self) -> bool:
        try:
            live = (await self.health()).get("live")
        except aiohttp.ClientError:
            return False
        return isinstance(live, dict) and bool(live["ready_processes"])

    async def close(self) -> None:
        await self.session.close()
        if self.process is not None and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()

    async def post(self, path: str, **form: str) -> str:
        base = f"http://127.0.0.1:{self.port}"
        signed = RequestValidator(TOKEN).compute_signature(base + path, MultiDict(form))
        headers = {SIGNATURE_HEADER: signed, "Content-Type": "application/x-www-form-urlencoded"}
        async with self.session.post(base + path, data=urlencode(form).encode(), headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def answered(self, sid: str) -> StartStream:
        """The call comes in and is answered; where the server wants its sound."""
        twiml = await self.post("/ivr/twilio/voice", CallSid=sid, From="+8618612345560", To="+862112345678")
        stream = next(verb for verb in read_twiml(twiml) if isinstance(verb, StartStream))
        for status in ("initiated", "ringing", "in-progress"):
            path = f"/ivr/twilio/leg?call={sid}&agent=hewen"
            await self.post(path, CallSid=f"{sid}leg", ParentCallSid=sid, CallStatus=status, To="sip:hewen@pbx")
        return stream

    async def hung_up(self, sid: str) -> None:
        await self.post("/ivr/twilio/status", CallSid=sid, CallStatus="completed")

    async def recorded(self, sid: str) -> None:
        await self.post(
            "/ivr/twilio/recording?content=conversation",
            CallSid=sid,
            RecordingSid=f"RE{sid}",
            RecordingStatus="completed",
            RecordingUrl=f"http://{self.media_host}/{sid}",
            RecordingChannels="2",
            RecordingDuration="41",
        )

    def stream(self, sid: str, request: StartStream) -> AbstractAsyncContextManager[MediaStream]:
        return media_stream(
            self.session, request, auth_token=TOKEN, account_sid="AC1", call_sid=sid, sid=f"MZ{uuid.uuid4().hex}"
        )

    async def one(self, row: type[T], **by: object) -> T | None:
        async with self.database.read() as session:
            return (await session.scalars(select(row).filter_by(**by))).one_or_none()

    async def count(self, row: type[T], **by: object) -> int:
        async with self.database.read() as session:
            return (await session.execute(select(func.count()).select_from(row).filter_by(**by))).scalar_one()


@pytest.fixture
async def hotline(
    tmp_path: Path, database_url: str, database: Database, aiohttp_server: AiohttpServer
) -> AsyncIterator[Hotline]:
    wav = stereo_wav(tmp_path / "call.wav", "05-lift-trapped")

    async def recording(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(wav, headers={"Content-Type": "audio/x-wav"})

    app = web.Application()
    app.router.add_get("/{path:.*}", recording)
    host = await aiohttp_server(app)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = tmp_path / "callcenter.toml"
    config.write_text(
        f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
data_dir = "{tmp_path}"
[database]
url = "{database_url}"
[twilio]
account_sid = "AC1"
auth_token = "{TOKEN}"
api_url = "http://127.0.0.1:9"
recording_hosts = ["{host.host}:{host.port}"]
[speech]
live = true
live_processes = 1
processes = 1
[[agents]]
id = "hewen"
name = "何雯"
phone = "sip:hewen@pbx"
""",
        encoding="utf-8",
    )
    opened = Hotline(config, port, f"{host.host}:{host.port}", database)
    try:
        await opened.start()
        yield opened
    finally:
        await opened.close()


def first_seconds(side: str, seconds: float) -> Sound:
    return read_wav(CALLS / "05-lift-trapped" / f"{side}.wav").first(seconds)


async def play(stream: MediaStream, *, seconds: float) -> None:
    """Somewhat faster than it is spoken, as far as the server lets it."""
    tracks = {"inbound": first_seconds("resident", seconds), "outbound": first_seconds("agent", seconds)}
    await stream.play(tracks, pace=1.25)


async def test_a_call_is_heard_while_it_goes_on(hotline: Hotline) -> None:
    sid, call_id = "CAlift", "twilio:CAlift"
    request = await hotline.answered(sid)
    async with hotline.stream(sid, request) as stream:
        await play(stream, seconds=24)

        # People are trapped: the alarm runs while they still talk.
        alarm = await until(lambda: hotline.one(OnCallAlarmRow))
        call = await hotline.one(CallRow, id=call_id)
        assert call is not None
        assert call.ended_at is None
        deadline = await hotline.one(TicketDeadlineRow, kind="on_site")
        assert deadline is not None
        assert deadline.counts_from is not None
        assert deadline.counts_from > call.started_at
        await stream.stop()
        stopped = time.monotonic()
        live = await until(lambda: hotline.one(LiveCallRow, call_id=call_id, state=LiveState.ENDED))
        await until(lambda: _settled(hotline, call_id))
        print(f"ticket {time.monotonic() - stopped:.2f} s after the stop")
    assert live.lost_frames == live.late_frames == live.bad_messages == 0
    ticket = await hotline.one(TicketRow)
    assert ticket is not None
    assert (ticket.urgency, ticket.category, ticket.building, ticket.owner) == ("emergency", "lift", "6", "hewen")
    words = [row.text for row in await _segments(hotline, call_id)]
    assert any("电梯卡住了" in text for text in words)
    assert "六栋一单元电梯门打不开里面有人我很着急" in words

    # The recording has the last word, on the same ticket and with the same alarm.
    await hotline.hung_up(sid)
    await hotline.recorded(sid)
    await until(lambda: hotline.one(RecordingRow, state=RecordingState.TRANSCRIBED))
    await until(lambda: hotline.one(TicketCallRow, call_id=call_id, heard_live=False))
    assert await hotline.count(TicketRow) == 1
    assert await hotline.count(OnCallAlarmRow) == 1
    again = await hotline.one(TicketDeadlineRow, kind="on_site")
    assert again is not None
    assert (again.id, again.counts_from, again.cancelled_at) == (deadline.id, deadline.counts_from, None)
    assert (await hotline.one(OnCallAlarmRow)).id == alarm.id  # type: ignore[union-attr]
    corrected = await hotline.one(TicketRow)
    assert corrected is not None
    assert (corrected.number, corrected.unit, corrected.urgency) == (ticket.number, "1", "emergency")


async def _settled(hotline: Hotline, call_id: str) -> bool:
    live = await hotline.one(LiveCallRow, call_id=call_id)
    return live is not None and live.settled_at is not None


async def _segments(hotline: Hotline, call_id: str) -> list[LiveSegmentRow]:
    async with hotline.database.read() as session:
        query = select(LiveSegmentRow).where(LiveSegmentRow.call_id == call_id).order_by(LiveSegmentRow.number)
        return list((await session.scalars(query)).all())
