"""From which addresses recordings are fetched, and what a full disk does."""

import errno
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer

from callcenter.config import TwilioSettings
from callcenter.ivr.providers.twilio_recordings import TwilioRecordings
from callcenter.ports import RecordingRejected, RecordingUnavailable


async def sound(request: web.Request) -> web.Response:
    return web.Response(body=b"RIFF", content_type="audio/x-wav")


@pytest.fixture
async def far(aiohttp_server: AiohttpServer) -> str:
    app = web.Application()
    app.router.add_get("/{path:.*}", sound)
    server = await aiohttp_server(app)
    return f"{server.host}:{server.port}"


async def fetch(url: str, target: Path, **settings: Any) -> int:
    twilio = TwilioSettings(account_sid="AC1", auth_token=SecretStr("t"), **settings)
    async with aiohttp.ClientSession() as session:
        fetcher = TwilioRecordings(twilio, session, largest_bytes=1000)
        return (await fetcher.fetch(provider="twilio", url=url, channels=2, target=target)).size_bytes


@pytest.mark.parametrize(
    "url",
    [
        "http://api.twilio.com/RE1",
        "https://api.twilio.com:8443/RE1",
        "https://user@api.twilio.com/RE1",
        "https://:secret@api.twilio.com/RE1",
        "https://@api.twilio.com/RE1",
        "https://api.twilio.com@evil.example/RE1",
        "https://api.twilio.com\\@evil.example/RE1",
        "https://evil.example/RE1",
        "https://api.twilio.com:99999/RE1",
        "https://[nonsense/RE1",
        "ftp://api.twilio.com/RE1",
        "nonsense",
    ],
)
async def test_credentials_go_nowhere_but_to_the_provider(url: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingRejected):
        await fetch(url, tmp_path / "RE1")


async def test_a_host_alone_is_asked_as_the_api_is_and_one_with_its_port_as_listed(far: str, tmp_path: Path) -> None:
    host = far.partition(":")[0]
    assert await fetch(f"http://{far}/RE1", tmp_path / "1", recording_hosts=(far,)) == 4
    assert await fetch(f"http://{far}/RE1", tmp_path / "2", recording_hosts=(host,), api_url=f"http://{far}") == 4
    for api_url in ("https://api.twilio.com", f"https://{far}", f"http://{host}:9"):
        with pytest.raises(RecordingRejected, match="list"):
            await fetch(f"http://{far}/RE1", tmp_path / "3", recording_hosts=(host,), api_url=api_url)


async def test_a_full_disk_is_named_and_tried_again(far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(RecordingUnavailable, match="No space left"):
        await fetch(f"http://{far}/RE1", tmp_path / "RE1", recording_hosts=(far,))
