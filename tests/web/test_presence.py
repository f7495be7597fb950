"""Who else has a ticket open: named while they have it open, in however many tabs, and no longer."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from callcenter.web.presence import PRESENCE, Presence
from tests.web.conftest import SignIn
from tests.web.day import LEAK


async def next_readers(response: Any) -> list[str]:
    async with asyncio.timeout(10):
        while True:
            if (await response.content.readline()).strip() == b"event: readers":
                words: list[str] = json.loads((await response.content.readline()).decode().removeprefix("data:"))
                return words


async def test_readers_of_one_ticket_hear_of_each_other(sign_in: SignIn) -> None:
    agent, supervisor = await sign_in("lijia"), await sign_in("hewen")
    mine = await agent.get(f"/events?ticket={LEAK}")
    assert await next_readers(mine) == []
    theirs = await supervisor.get(f"/events?ticket={LEAK}")
    assert await next_readers(theirs) == ["李佳 也在看这张工单"]
    assert await next_readers(mine) == ["何雯 也在看这张工单"]
    assert "何雯 也在看这张工单" in await (await agent.get(f"/tickets/{LEAK}")).text()
    theirs.close()
    assert await next_readers(mine) == []
    mine.close()


async def test_a_closed_page_is_noticed_though_the_server_cancels_nothing(
    console: TestServer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `serve` runs: there a handler goes on when its browser has gone, until somebody looks."""
    monkeypatch.setattr("callcenter.web.pages.live.SECONDS_BETWEEN_GLANCES", 0.05)
    client = await sign_in("lijia")
    runner = web.AppRunner(console.app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        cookies = {one.key: one.value for one in client.session.cookie_jar}
        async with ClientSession(cookies=cookies) as browser:
            stream = await browser.get(f"http://127.0.0.1:{port}/events?ticket={LEAK}")
            await next_readers(stream)
            presence = console.app[PRESENCE]
            assert presence.others(LEAK, "hewen") == ("lijia",)
            stream.close()
            async with asyncio.timeout(5):
                while presence.others(LEAK, "hewen"):
                    await asyncio.sleep(0.02)
    finally:
        await runner.cleanup()


def test_two_tabs_are_one_reader_until_both_are_closed() -> None:
    presence = Presence()
    presence.come("GD-1", "lijia")
    presence.come("GD-1", "lijia")
    presence.go("GD-1", "lijia")
    assert presence.others("GD-1", "hewen") == ("lijia",)
    assert presence.others("GD-1", "lijia") == ()
    assert presence.others("GD-2", "hewen") == ()
    presence.go("GD-1", "lijia")
    assert presence.others("GD-1", "hewen") == ()
