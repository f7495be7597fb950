"""What `calls.py` measures on: an Asterisk with a crowd, our server beside it when asked for, and what they take."""

import asyncio
import contextlib
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import psutil

from benchmarks.crowd import APP, CLIPS, OURS, PLAIN, POOL, Crowd, clear, clip, exchange_for, phone_endpoint, recordings
from benchmarks.whole_sound import Window, windows
from callcenter.config import REPOSITORY
from callcenter.db.engine import Database
from callcenter.db.migrate import migrate
from callcenter.demo.telephony.exchange import PASSWORD, Exchange, free_port_tcp, prompt_ones
from callcenter.ivr.providers.asterisk.prompts import Prompts
from callcenter.voice.speech import OfflineSpeech

NOTICE = "您好"
LOOK_SECONDS = 0.002
CORES = 2
START_SECONDS = 150
HANG_UP_SECONDS = 30
ON_THE_LINE = ("leg_ringing", "leg_answered", "leg_ended", "call_ended")
"""Events whose time is that of the message of Asterisk's that told of them."""


@dataclass(kw_only=True)
class Arm:
    """`cpu_seconds_a_call`: processor time a second, of everything but SIPp, divided by the calls.

    `server_cores`: our server's part, in cores; `idle_cores`: what it takes of that without any call.
    """

    name: str
    calls: int
    cpu_seconds_a_call: float
    server_cores: float
    idle_cores: float
    began: float
    ended: float
    sound: list[Window] = field(default_factory=list)

    @property
    def fits(self) -> float:
        """Calls at once for which two cores suffice."""
        return (CORES - self.idle_cores) / (self.cpu_seconds_a_call - self.idle_cores / self.calls)

    def sound_is_whole(self, calls: int) -> bool:
        """While all of them went on."""
        found = [window for window in self.sound if window.calls >= calls]
        broken = [window for window in found if not window.whole]
        worst = max(found, key=lambda window: window.missing, default=None)
        server = self.server_cores / self.cpu_seconds_a_call / self.calls
        print(
            f"{self.name}: {1000 * self.cpu_seconds_a_call:.2f} ms of processor time a second and call, our server's"
            f" part of it {server:.0%}; {len(found)} windows with {calls} calls, {len(broken)} of them broken"
            + (f"; worst: {worst.missing:.2%} missing, correlation {worst.correlation:.4f}" if worst else "")
        )
        return bool(found) and not broken


class Beside:
    """An async context manager: Asterisk and the crowd's agents are there while it is open."""

    def __init__(self, folder: Path, *, calls: int) -> None:
        self._folder = folder
        self.exchange: Exchange = exchange_for(folder / "asterisk", calls)
        self.crowd = Crowd(folder / "crowd", self.exchange.sip_port)
        self.database = folder / "calls.sqlite"
        self.idle_cores = 0.0
        self._server: asyncio.subprocess.Process | None = None
        self._port = free_port_tcp()

    async def __aenter__(self) -> Self:
        try:
            await self._prepare()
        except BaseException:
            await self._end()
            raise
        return self

    async def _prepare(self) -> None:
        prompts = Prompts(OfflineSpeech(self._folder / "speech"), self.exchange.prompts)
        await prompts.keep_as("notice", NOTICE)
        database = Database(f"sqlite+aiosqlite:///{self.database}")
        try:
            await migrate(database)
        finally:
            await database.close()
        await self.exchange.start()
        await self.crowd.agents()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        await self.crowd.stop()
        await self.stop_serving()
        await self.exchange.stop()

    async def serve(self) -> None:
        """Returns when the server has its connection to Asterisk."""
        settings = self._folder / "callcenter.toml"
        settings.write_text(self._settings(), encoding="utf-8")
        self._server = await asyncio.create_subprocess_exec(
            *(*prompt_ones(), sys.executable, "-m", "callcenter", "--config", str(settings), "serve"),
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._folder / "server.log").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await self._is_connected(session):
                if self._server.returncode is not None:
                    sys.exit(f"the server has ended:\n{(self._folder / 'server.log').read_text()[-2000:]}")
                await asyncio.sleep(0.1)

    def _settings(self) -> str:
        server = self.exchange.settings(APP)
        return f"""worker_embedded = false
[server]
port = {self._port}
data_dir = "{self._folder / "data"}"
[database]
url = "sqlite+aiosqlite:///{self.database}"
[log]
level = "warning"
[call_flow]
notice = "{NOTICE}"
[[asterisk]]
name = "main"
url = "{server.url}"
password = "{PASSWORD}"
app = "{APP}"
phone_endpoint = "{phone_endpoint()}"
prompts_dir = "{self.exchange.prompts}"
[[agents]]
id = "{POOL}"
name = "{POOL}"
phone = "sip:{POOL}@hotline"
"""

    async def _is_connected(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/healthz") as response:
                return bool((await response.json())["asterisk"]["main"]["connected"])
        except (aiohttp.ClientError, OSError, KeyError):
            return False

    async def stop_serving(self) -> None:
        if self._server is not None and self._server.returncode is None:
            self._server.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait(), 10)
            if self._server.returncode is None:
                self._server.kill()
                await self._server.wait()
        self._server = None

    async def hold(self, name: str, *, until_talking: float, seconds: float) -> Arm:
        """What the calls take for so long, once they are all talking."""
        await asyncio.sleep(until_talking)
        began = time.time()
        exchange, server = await self.taken(name, seconds=seconds)
        calls, ended = await self._calls(), time.time()
        return Arm(
            name=name,
            calls=calls,
            cpu_seconds_a_call=(exchange + server) / max(1, calls),
            server_cores=server,
            idle_cores=self.idle_cores if name == OURS else 0.0,
            began=began,
            ended=ended,
        )

    async def taken(self, name: str, *, seconds: float) -> tuple[float, float]:
        """Cores, of Asterisk and of our server, in so many seconds from now."""
        before, began = self._cpu_seconds(name), time.time()
        await asyncio.sleep(seconds)
        after, ended = self._cpu_seconds(name), time.time()
        exchange, server = (late - early for early, late in zip(before, after, strict=True))
        return exchange / (ended - began), server / (ended - began)

    def _cpu_seconds(self, name: str) -> tuple[float, float]:
        """Of Asterisk, and of our server where the calls are its."""
        server = [] if self._server is None or name == PLAIN else [psutil.Process(self._server.pid)]
        ours = [*server, *(child for process in server for child in process.children(recursive=True))]
        return _taken_by([psutil.Process(self.exchange.pid)]), _taken_by(ours)

    async def _calls(self) -> int:
        """Bridged calls, as Asterisk counts them: each has two channels."""
        return len(await self._channels()) // 2

    async def _channels(self) -> list[object]:
        headers = {"Authorization": aiohttp.encode_basic_auth("callcenter", PASSWORD)}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"http://127.0.0.1:{self.exchange.http_port}/ari/channels") as response,
        ):
            return list(await response.json())

    async def all_hung_up(self) -> None:
        async with asyncio.timeout(HANG_UP_SECONDS):
            while await self._channels():  # noqa: ASYNC110 - Asterisk is asked, it tells nobody
                await asyncio.sleep(0.2)

    async def heard(self, arm: Arm) -> Arm:
        """With what became of the sound; the recordings are gone afterwards."""
        await self.all_hung_up()
        clips = {speaker: clip(speaker) for speaker in CLIPS}
        arm.sound = windows(list(recordings(self.exchange.recordings)), clips)
        await self.forget()
        return arm

    async def forget(self) -> None:
        clear(self.exchange.recordings)


class EventTimes:
    """While it is open: how many ms after its own time each event stands in the database, seen from outside."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.milliseconds: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(1)
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM call_events").fetchone()
            query = "SELECT id, kind, earliest FROM call_events WHERE id > ? ORDER BY id"
            while not self._over.is_set():
                rows = connection.execute(query, (last,)).fetchall()
                now = datetime.now(UTC)
                for last, kind, earliest in rows:  # noqa: B007 - the last id is where the next look begins
                    if kind in ON_THE_LINE:
                        at = datetime.fromisoformat(earliest).replace(tzinfo=UTC)
                        self.milliseconds.append((now - at).total_seconds() * 1000)
                time.sleep(LOOK_SECONDS)


def _taken_by(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
