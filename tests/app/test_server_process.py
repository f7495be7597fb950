"""The real server process: killed at any moment it loses nothing that it acknowledged, and goes on after a restart."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from multidict import MultiDict
from sqlalchemy import func, select
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow

PUBLIC_URL = "https://hotline.example.com"
PATIENCE_SECONDS = 40.0


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, database_url: str, port: int) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(
        f"""
worker_embedded = false
[server]
port = {port}
public_url = "{PUBLIC_URL}"
data_dir = "{tmp_path}"
[database]
url = "{database_url}"
[twilio]
account_sid = "AC1"
auth_token = "secret"
api_url = "http://127.0.0.1:9"
""",
        encoding="utf-8",
    )
    return file


class Server:
    """`callcenter serve`, started and killed at will."""

    def __init__(self, config: Path, port: int) -> None:
        self.config, self.port = config, port
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter", "--config", str(self.config), "serve"), start_new_session=True
        )
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as session:
            while not await self._answers(session):
                await asyncio.sleep(0.1)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self.port}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()

    async def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


@pytest.fixture
async def server(config: Path, port: int) -> AsyncIterator[Server]:
    made = Server(config, port)
    await made.start()
    yield made
    await made.kill()


async def post_status(session: aiohttp.ClientSession, port: int, number: int) -> int | None:
    """The status of the answer, or None where the server died before it answered."""
    form = {"CallSid": f"CA{number}", "CallStatus": "completed", "AccountSid": "AC1"}
    path = "/ivr/twilio/status"
    signed = RequestValidator("secret").compute_signature(PUBLIC_URL + path, MultiDict(form))
    headers = {SIGNATURE_HEADER: signed, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        async with session.post(f"http://127.0.0.1:{port}{path}", data=urlencode(form), headers=headers) as response:
            return response.status
    except aiohttp.ClientError:
        return None


async def stored_calls(database: Database) -> set[str]:
    async with database.read() as session:
        return set((await session.execute(select(CallEventRow.call_id))).scalars())


async def test_killed_server_has_stored_all_that_it_acknowledged(database: Database, server: Server) -> None:
    acknowledged: set[str] = set()
    async with aiohttp.ClientSession() as session:

        async def one(number: int) -> None:
            if await post_status(session, server.port, number) == 200:
                acknowledged.add(f"twilio:CA{number}")

        posting = [asyncio.create_task(one(number)) for number in range(600)]
        while len(acknowledged) < 100:
            await asyncio.sleep(0)
        await server.kill()
        await asyncio.gather(*posting)
        assert 100 <= len(acknowledged) < 600
        assert acknowledged <= await stored_calls(database)
        await server.start()
        assert {await post_status(session, server.port, number) for number in range(600)} == {200}
    assert await stored_calls(database) == {f"twilio:CA{number}" for number in range(600)}
    async with database.read() as reading:
        assert (await reading.execute(select(func.count()).select_from(CallEventRow))).scalar_one() == 600
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await folded(database) < 600:
            await asyncio.sleep(0.1)


async def folded(database: Database) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(CallRow))).scalar_one()


async def test_server_stops_cleanly_and_says_when_its_port_is_taken(server: Server, config: Path) -> None:
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "--config", str(config), "serve"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(second.communicate(), PATIENCE_SECONDS)
    assert second.returncode == 1
    assert f"port {server.port} is in use" in said.decode()
    assert await server.stop() == 0
