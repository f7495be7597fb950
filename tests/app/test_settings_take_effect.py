"""From an empty database to a setting of the console that callers hear, while providers' requests keep coming."""

import asyncio
import re
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from multidict import MultiDict
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from tests.app.test_server_process import PATIENCE_SECONDS, Server, config, port

__all__ = ["config", "port"]

PUBLIC_URL = "http://hotline.example.com"
NEW_NOTICE = "您好，碧湖物业，通话会被录音。"


async def phone(session: aiohttp.ClientSession, server: Server, number: int, hook: str = "voice") -> str:
    """What a caller hears first, as the provider is told. Fails where the request is not answered with 200."""
    form = {"CallSid": f"CA{number}", "AccountSid": "AC1", "From": "+8613900000000", "CallStatus": "completed"}
    path = f"/ivr/twilio/{hook}"
    signed = RequestValidator("secret").compute_signature(PUBLIC_URL + path, MultiDict(form))
    headers = {SIGNATURE_HEADER: signed, "Content-Type": "application/x-www-form-urlencoded"}
    async with session.post(f"http://127.0.0.1:{server.port}{path}", data=urlencode(form), headers=headers) as response:
        assert response.status == 200
        return await response.text()


def _visitor() -> aiohttp.ClientSession:
    """A connection a request: one that is kept may be closed by the server just when it is used again."""
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True))


async def first_administrator(session: aiohttp.ClientSession, base: str, data_dir: Path) -> None:
    page = await (await session.get(f"{base}/setup")).text()
    form = {
        "csrf": hidden(page, "csrf"),
        "code": (data_dir / "setup-code").read_text(),
        "login": "boss",
        "name": "老板",
        "password": "a long password",
    }
    assert "做完这几步" in await (await session.post(f"{base}/setup", data=form)).text()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page[:500]
    return found[1]


async def test_a_changed_notice_is_heard_and_no_request_is_refused_meanwhile(
    config: Path, port: int, tmp_path: Path
) -> None:
    config.write_text(config.read_text().replace("https://hotline.example.com", PUBLIC_URL))
    server, base = Server(config, port), f"http://127.0.0.1:{port}"
    await server.start()
    try:
        async with _visitor() as session:
            await first_administrator(session, base, tmp_path)
            before = await phone(session, server, 1)
            await phone(session, server, 1, hook="status")
            page = await (await session.get(f"{base}/admin/flow")).text()
            typed = dict(re.findall(r'name="(call_flow[^"]+|answering[^"]+)" value="([^"]*)"', page))
            typed |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)<', page))
            typed |= {"csrf": hidden(page, "csrf"), "number": hidden(page, "number")}
            typed |= {"call_flow.strategy": "in_order", "call_flow.notice": NEW_NOTICE}
            saved = await session.post(f"{base}/admin/flow", data=typed)
            assert "已保存" in await saved.text()
            heard, number = before, 2
            async with asyncio.timeout(PATIENCE_SECONDS):
                while NEW_NOTICE not in heard:
                    heard = await phone(session, server, number)
                    await phone(session, server, number, hook="status")
                    number += 1
                    await asyncio.sleep(0.2)
            assert NEW_NOTICE not in before
            page = await (await session.get(f"{base}/admin/flow")).text()
            assert NEW_NOTICE in page
            assert "自动生效" not in page, "nothing waits any more"
            copy = (tmp_path / "console-settings.json").read_text()
            assert NEW_NOTICE in copy, "for a start while the database is away"
        assert await server.stop() == 0
    finally:
        await server.kill()
