"""The worker process: killed while it transcribes, it finishes the job after its restart, once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from sqlalchemy import func, select

from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.rings import RingRule
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from callcenter.services.spool import Spool
from tests.conftest import SetClock
from tests.services.conftest import answered_call, stereo_wav

PATIENCE_SECONDS = 240.0


@pytest.fixture
async def inbox(database: Database, tmp_path: Path) -> AsyncIterator[EventInbox]:
    opened = EventInbox(database, Spool(tmp_path / "spool.sqlite"))
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def media_host(aiohttp_server: AiohttpServer, tmp_path: Path) -> str:
    file = stereo_wav(tmp_path / "call.wav", "01-kitchen-leak")

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Content-Type": "audio/x-wav"})

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    server = await aiohttp_server(app)
    return f"{server.host}:{server.port}"


@pytest.fixture
def config(tmp_path: Path, database_url: str, media_host: str) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(
        f"""
[server]
data_dir = "{tmp_path}"
[database]
url = "{database_url}"
[twilio]
account_sid = "AC1"
auth_token = "t"
recording_hosts = ["{media_host}"]
""",
        encoding="utf-8",
    )
    return file


async def start_worker(config: Path, stderr: int | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "--config", str(config), "worker"), stderr=stderr, start_new_session=True
    )


async def kill(worker: asyncio.subprocess.Process) -> None:
    """The worker and its children at once, as a machine that loses its power."""
    if worker.returncode is None:
        os.killpg(worker.pid, signal.SIGKILL)
    await worker.wait()


async def until(database: Database, state: set[str]) -> RecordingRow:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.read() as session:
                row = (await session.execute(select(RecordingRow))).scalar_one()
            if row.state in state:
                return row
            await asyncio.sleep(0.02)


async def count(database: Database, table: type[object]) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def until_ticket(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await count(database, TicketCallRow):
            await asyncio.sleep(0.05)


async def test_killed_worker_finishes_the_job_once_after_restart(
    database: Database, inbox: EventInbox, clock: SetClock, config: Path, media_host: str
) -> None:
    url = f"http://{media_host}/RE1"
    await inbox.store(answered_call(recording_id="RE1", url=url, seconds=50.0), received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())
    worker = await start_worker(config)
    try:
        await until(database, {"running", "transcribed"})
        await asyncio.sleep(0.3)
        await kill(worker)
        worker = await start_worker(config)
        row = await until(database, {"transcribed", "failed"})
        assert row.state == "transcribed"
        await until_ticket(database)
        segments = await count(database, SegmentRow)
        await asyncio.sleep(2)
        assert await count(database, TicketRow) == 1
        assert await count(database, SegmentRow) == segments > 0
        assert row.path is not None
        kept = config.parent / "recordings" / row.path
        assert kept.stat().st_mode & 0o077 == 0, "nobody else on the machine may listen"
    finally:
        await kill(worker)


async def test_stopped_in_the_middle_of_a_job_it_says_so_and_the_next_one_finishes_it(
    database: Database, inbox: EventInbox, clock: SetClock, config: Path, media_host: str
) -> None:
    url = f"http://{media_host}/RE1"
    await inbox.store(answered_call(recording_id="RE1", url=url, seconds=50.0), received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())
    worker = await start_worker(config, stderr=asyncio.subprocess.PIPE)
    try:
        await until(database, {"running"})
        worker.terminate()
        _, said = await asyncio.wait_for(worker.communicate(), PATIENCE_SECONDS)
        assert worker.returncode == 0
        assert b"Traceback" not in said, said.decode()
        assert b"jobs left to the next start" in said, said.decode()
        assert (await until(database, {"running"})).transcribed_at is None, "it was stopped too late for this test"
        worker = await start_worker(config)
        await until(database, {"transcribed"})
        await until_ticket(database)
    finally:
        await kill(worker)


async def test_recogniser_that_aborts_does_not_take_the_worker_along(
    database: Database, inbox: EventInbox, clock: SetClock, config: Path, media_host: str
) -> None:
    worker = await start_worker(config)
    try:
        for number in range(2):
            events = answered_call(
                f"twilio:CA{number}", recording_id=f"RE{number}", url=f"http://{media_host}/RE{number}", seconds=50.0
            )
            await inbox.store(events, received_at=clock.now())
        await fold_pending(database, RingRule(), now=clock.now())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (aborted := abort_children(worker.pid)):
                await asyncio.sleep(0.02)
            while await count(database, TicketCallRow) < 2:
                await asyncio.sleep(0.05)
        assert aborted
        assert worker.returncode is None
    finally:
        await kill(worker)


def abort_children(pid: int) -> int:
    """SIGABRT, as libvosk does to itself, to every recogniser that has worked for a moment; how many there were.

    They are grandchildren of the worker: its children are the server that forks them and the tracker of resources.
    """
    helpers = {child.pid for child in psutil.Process(pid).children()}
    everyone = psutil.Process(pid).children(recursive=True)
    return sum(abort(one) for one in everyone if one.pid not in helpers)


def abort(recogniser: psutil.Process) -> bool:
    """False where it has hardly worked, or is gone."""
    try:
        if sum(recogniser.cpu_times()[:2]) <= 0.3:
            return False
        recogniser.send_signal(signal.SIGABRT)
    except psutil.NoSuchProcess:
        return False
    return True


async def test_wrong_model_is_named_and_the_recordings_wait(
    database: Database, inbox: EventInbox, clock: SetClock, config: Path, media_host: str
) -> None:
    await inbox.store(
        answered_call(recording_id="RE1", url=f"http://{media_host}/RE1", seconds=50.0), received_at=clock.now()
    )
    await fold_pending(database, RingRule(), now=clock.now())
    config.write_text(config.read_text(encoding="utf-8") + '[speech]\nmodel = "no-such-model"\n', encoding="utf-8")
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "--config", str(config), "worker"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(worker.communicate(), PATIENCE_SECONDS)
    assert worker.returncode == 2
    assert "speech.model = 'no-such-model'" in said.decode()
    assert (await until(database, {"pending", "running", "failed"})).state == "pending"


async def test_stops_when_asked(config: Path, database: Database) -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "--config", str(config), "worker"),
        start_new_session=True,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert worker.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"worker started" not in (line := await worker.stderr.readline()):
                assert line, "it ended before it had started"
        worker.terminate()
        assert await asyncio.wait_for(worker.wait(), 15) == 0
    finally:
        await kill(worker)


async def test_job_that_died_before_it_began_leaves_its_recording_to_a_new_one(
    database: Database, inbox: EventInbox, clock: SetClock, config: Path, media_host: str
) -> None:
    """The database fails at the job's very first statement, in a process of its own; the next look revives it."""
    await inbox.store(
        answered_call(recording_id="RE1", url=f"http://{media_host}/RE1", seconds=50.0), received_at=clock.now()
    )
    await fold_pending(database, RingRule(), now=clock.now())
    program = config.with_name("worker_that_stumbles.py")
    program.write_text(
        """
import sys
from sqlalchemy.exc import OperationalError
from callcenter.jobs import queue
from callcenter.services.transcribe_recording import TranscribeRecording

real, stumbled = TranscribeRecording.begin, []

async def begin(self, recording_id):
    if not stumbled:
        stumbled.append(1)
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))
    return await real(self, recording_id)

if __name__ == "__main__":
    TranscribeRecording.begin = begin
    queue.TranscriptionJobs.run.__kwdefaults__["revive_every"] = 5
    from callcenter.cli import run
    sys.exit(run(["--config", sys.argv[1], "worker"]))
""",
        encoding="utf-8",
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), str(config)),
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert (await until(database, {"transcribed", "failed"})).state == "transcribed"
        await until_ticket(database)
    finally:
        await kill(worker)
