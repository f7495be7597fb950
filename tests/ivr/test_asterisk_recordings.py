"""Fetching a conversation's two files, or a message, from an Asterisk's REST interface."""

import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from callcenter.config import AsteriskSettings
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.recordings import AsteriskRecordings, recording_address
from callcenter.ports import RecordingRejected, RecordingUnavailable

CALL = "asterisk:main:1795337364.2"


def wav(samples: list[int], *, rate_hz: int = 8000, lengths: bool = True) -> bytes:
    """As Asterisk writes it; without lengths: as it leaves it behind when it is killed."""
    body = struct.pack(f"<{len(samples)}h", *samples)
    size = len(body) if lengths else 0
    riff = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16, b"data", size
    )
    return riff + body


class FarEnd:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.seen: list[str] = []

    async def file(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization", ""))
        found = self.files.get(request.match_info["name"])
        return web.Response(status=404) if found is None else web.Response(body=found)


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


@pytest.fixture
async def recordings(far_end: FarEnd) -> AsyncIterator[AsteriskRecordings]:
    app = web.Application()
    app.router.add_get("/ari/recordings/stored/{name}/file", far_end.file)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        settings = AsteriskSettings.model_validate({"url": f"http://127.0.0.1:{server.port}", "password": "secret"})
        yield AsteriskRecordings({"main": AriClient(settings, session)}, largest_bytes=2000)


async def fetched(
    recordings: AsteriskRecordings, target: Path, content: str = "conversation", url: str = ""
) -> list[tuple[int, ...]]:
    channels = 2 if content == "conversation" else 1
    address = url or recording_address(CALL, content)
    found = await recordings.fetch(provider="asterisk", url=address, channels=channels, target=target)
    assert found.size_bytes == target.stat().st_size
    with wave.open(str(target), "rb") as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, channels)
        values = struct.unpack(f"<{file.getnframes() * channels}h", file.readframes(file.getnframes()))
        return list(zip(*(values[side::channels] for side in range(channels)), strict=True))


async def test_two_sides_become_two_channels(recordings: AsteriskRecordings, far_end: FarEnd, tmp_path: Path) -> None:
    far_end.files = {"1795337364.2-resident": wav([1, 2, 3]), "1795337364.2-agent": wav([-1, -300])}
    assert await fetched(recordings, tmp_path / "day" / "a.wav") == [(1, -1), (2, -300), (3, 0)]
    assert far_end.seen[0].startswith("Basic ")
    assert [path.name for path in (tmp_path / "day").iterdir()] == ["a.wav"]


async def test_what_a_killed_asterisk_left_is_whole(
    recordings: AsteriskRecordings, far_end: FarEnd, tmp_path: Path
) -> None:
    far_end.files = {"1795337364.2-voicemail": wav([5, 6, 7], lengths=False) + b"\x01"}
    assert await fetched(recordings, tmp_path / "a.wav", "voice_mail") == [(5,), (6,), (7,)]


async def test_what_is_not_there_yet_may_come(recordings: AsteriskRecordings, tmp_path: Path) -> None:
    with pytest.raises(RecordingUnavailable, match="404"):
        await fetched(recordings, tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>no</html>", "not a WAV file"),
        (wav([1], rate_hz=16000), "16-bit mono at 8 kHz"),
        (wav([0] * 2000), "more than 2000 bytes"),
    ],
)
async def test_what_is_no_recording_of_ours_is_refused(
    recordings: AsteriskRecordings, far_end: FarEnd, tmp_path: Path, body: bytes, why: str
) -> None:
    far_end.files = {"1795337364.2-voicemail": body}
    with pytest.raises(RecordingRejected, match=why):
        await fetched(recordings, tmp_path / "a.wav", "voice_mail")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("asterisk://other/1795337364.2/voice_mail", "no Asterisk 'other'"),
        ("http://127.0.0.1/1795337364.2/voice_mail", "no recording of an Asterisk"),
        ("asterisk://main/", "no recording of an Asterisk"),
    ],
)
async def test_only_the_asterisks_of_the_settings_are_asked(
    recordings: AsteriskRecordings, tmp_path: Path, url: str, why: str
) -> None:
    with pytest.raises(RecordingRejected, match=why):
        await fetched(recordings, tmp_path / "a.wav", "voice_mail", url=url)
