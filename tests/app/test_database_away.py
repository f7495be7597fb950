"""`serve` begins without its database: what the provider tells is kept in the spool until the schema is there."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callcenter.db.engine import Database
from callcenter.services.schema import DatabaseAway, make_ready
from callcenter.services.spool import SpoolCounts, spool_counts
from tests.app.test_server_process import PATIENCE_SECONDS, PUBLIC_URL, post_status, stored_calls
from tests.conftest import POSTGRES


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(folder: Path, port: int, database_url: str) -> Path:
    file = folder / "callcenter.toml"
    file.write_text(
        f"""
worker_embedded = false
[server]
port = {port}
public_url = "{PUBLIC_URL}"
data_dir = "{folder}/data"
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


async def health(port: int) -> int | None:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as response:
            return response.status
    except aiohttp.ClientError:
        return None


async def until(there: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await there():
            await asyncio.sleep(0.1)


async def begins_without_and_catches_up(
    folder: Path, url: str, bring_back: Callable[[], Awaitable[object]], direct_url: str
) -> str:
    """What the server wrote to standard error."""
    port = free_port()
    command = (sys.executable, "-m", "callcenter", "--config", str(config(folder, port, url)), "serve")
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:

        async def is_up() -> bool:
            return await health(port) is not None

        await until(is_up)
        assert await health(port) == 503
        async with aiohttp.ClientSession() as session:
            assert await post_status(session, port, 1) == 200
        spool = folder / "data" / "spool.sqlite"
        assert spool_counts(spool) == SpoolCounts(waiting=1)
        assert spool.parent.stat().st_mode & 0o777 == 0o700
        assert spool.stat().st_mode & 0o077 == 0, "it holds residents' numbers"
        await bring_back()

        async def is_ready() -> bool:
            return await health(port) == 200

        await until(is_ready)
        database = Database(direct_url)

        async def is_stored() -> bool:
            return await stored_calls(database) == {"twilio:CA1"}

        await until(is_stored)
        await database.close()
    finally:
        server.terminate()
        _, said = await asyncio.wait_for(server.communicate(), PATIENCE_SECONDS)
    assert server.returncode == 0
    return said.decode()


async def test_serve_begins_before_its_database_can_be_opened(tmp_path: Path, database_url: str) -> None:
    await (before_postgresql_answers if POSTGRES else before_the_file_can_be_opened)(tmp_path, database_url)


async def before_the_file_can_be_opened(tmp_path: Path, _: str) -> None:
    blocked = tmp_path / "disk"
    blocked.write_text("not mounted yet")

    async def mount() -> None:
        blocked.unlink()

    url = f"sqlite+aiosqlite:///{blocked}/hotline.sqlite"
    said = await begins_without_and_catches_up(tmp_path, url, mount, url)
    assert "unable to open database file" in said
    assert "the database is ready" in said
    assert "Traceback" not in said


@asynccontextmanager
async def forwarding(port: int, host: str, to_port: int) -> AsyncIterator[None]:
    """The address at which the database comes back."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, to_port)
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    yield
    server.close()


async def before_postgresql_answers(tmp_path: Path, database_url: str) -> None:
    address, port = make_url(database_url), free_port()
    away = address.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    back = forwarding(port, address.host or "127.0.0.1", address.port or 5432)
    try:
        said = await begins_without_and_catches_up(tmp_path, away, back.__aenter__, database_url)
    finally:
        await back.__aexit__(None, None, None)
    assert "Connect call failed" in said
    assert "Traceback" not in said


async def test_a_database_that_is_away_is_named_in_one_line() -> None:
    database = Database(f"postgresql+asyncpg://u:secret@127.0.0.1:{free_port()}/x")
    try:
        with pytest.raises(DatabaseAway, match="Connect call failed") as away:
            await make_ready(database)
    finally:
        await database.close()
    assert "\n" not in str(away.value)
    assert "secret" not in str(away.value)


async def test_a_schema_of_another_version_is_named(tmp_path: Path, database: Database, database_url: str) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'zzzz'"))
    command = (sys.executable, "-m", "callcenter", "--config", str(config(tmp_path, 0, database_url)), "serve")
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(server.communicate(), PATIENCE_SECONDS)
    assert server.returncode == 1
    assert "zzzz" in said.decode()
    assert "Traceback" not in said.decode()
