"""Open pages hear of changes, each once, and the stream ends with the login's."""

import asyncio
import json
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestServer

from callcenter.web import live
from callcenter.web.live import FEED
from tests.web.conftest import Client, SignIn, submit
from tests.web.day import LEAK


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LOOKS", 0.05)


async def next_change(client: Client, response: object) -> dict[str, str]:
    async with asyncio.timeout(5):
        while True:
            if (await response.content.readline()).strip() == b"event: changes":  # type: ignore[attr-defined]
                line = (await response.content.readline()).decode()  # type: ignore[attr-defined]
                changes: dict[str, str] = json.loads(line.removeprefix("data:"))
                return changes


async def test_a_change_reaches_an_open_page(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    stream = await client.get("/events", headers={"Accept": "text/event-stream"})
    before = await next_change(client, stream)
    saved = await submit(await sign_in("hewen"), f"/tickets/{LEAK}/notes", seen=f"/tickets/{LEAK}", text="看过了")
    assert saved.status == 303
    after = await next_change(client, stream)
    assert after["tickets"] != before["tickets"]
    assert after["calls"] == before["calls"]
    stream.close()


async def test_the_stream_ends_so_that_the_login_is_checked_again(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.web.pages.live.LONGEST", timedelta(seconds=0.2))
    stream = await (await sign_in("lijia")).get("/events")
    async with asyncio.timeout(5):
        await stream.read()


async def test_a_server_that_stops_lets_go_of_its_pages(sign_in: SignIn, console: TestServer) -> None:
    stream = await (await sign_in("lijia")).get("/events")
    await console.app[FEED].close()
    async with asyncio.timeout(5):
        await stream.read()
