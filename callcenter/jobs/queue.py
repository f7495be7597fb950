"""Durable transcription jobs on DBOS: what was begun is finished after a crash, once.

The rows in `recordings` say what is to be done; `enqueue_pending` puts each into the queue under an id of its own,
so that doing it twice changes nothing. DBOS keeps its own state in a SQLite file beside ours, or in a schema of the
PostgreSQL database.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos import error as dbos_error
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from callcenter.asr.errors import SpeechError
from callcenter.db.engine import Database
from callcenter.ports import RecordingRejected, RecordingUnavailable
from callcenter.services.transcribe_recording import TranscribeRecording, reason_of
from callcenter.services.waiting_recordings import Priority, pending_recordings, put_back, unfinished_recordings

log = structlog.get_logger()

QUEUE = "transcription"
IMPORTS = "imports"
"""A queue of their own, so that years of old recordings never hold the places of what comes in now."""
APPLICATION_VERSION = "1"
POLL_SECONDS = 0.1
MOST_RECOVERIES = 10
FETCH_ATTEMPTS = 12
DEAD = {"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"}


class TranscriptionJobs:
    """Launch it in the worker's event loop; `tick` regularly; close it."""

    def __init__(
        self,
        use_case: TranscribeRecording,
        *,
        database: Database,
        data_dir: Path,
        worker_id: str,
        at_once: int,
        emergency_keys: Collection[str] = (),
    ) -> None:
        self._use_case = use_case
        self._database = database
        self._data_dir = data_dir
        self._worker_id = worker_id
        self._at_once = at_once
        self._emergency_keys = emergency_keys
        self._enqueued: dict[str, str] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def launch(self) -> None:
        """Starts DBOS, which goes on with what this worker left unfinished."""
        DBOS(config=self._config())
        self._register()
        DBOS.launch()
        for queue, poll_seconds in ((QUEUE, POLL_SECONDS), (IMPORTS, POLL_SECONDS * 10)):
            await DBOS.register_queue_async(
                queue, worker_concurrency=self._at_once, polling_interval_sec=poll_seconds, on_conflict="always_update"
            )

    async def close(self) -> None:
        """Leaves what still runs to the next start: a job that is cancelled stays as it is in DBOS's own tables.

        DBOS then shuts its threads down, which the loop had been using as its own: the loop gets new ones. A job that
        went on beyond that would find neither threads nor tables to write its end to.
        """
        self._is_closing = True
        if self._running:
            log.info("jobs left to the next start of the worker", jobs=len(self._running))
            logging.getLogger("dbos").setLevel(logging.ERROR)  # it would warn of each
        while running := tuple(self._running):
            for job in running:
                job.cancel()
            await asyncio.wait(running)
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    def _config(self) -> DBOSConfig:
        return DBOSConfig(
            name="callcenter",
            system_database_url=self._system_database(),
            application_version=APPLICATION_VERSION,
            executor_id=self._worker_id,
            log_level="WARNING",
        )

    def _system_database(self) -> str:
        url = self._database.url
        if not self._database.is_sqlite:
            return url.set(drivername="postgresql").render_as_string(hide_password=False)
        path = self._data_dir.resolve() / "jobs.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        return make_url("sqlite://").set(database=str(path)).render_as_string()

    def _register(self) -> None:
        use_case = self._use_case

        @DBOS.step(
            name="fetch",
            retries_allowed=True,
            max_attempts=FETCH_ATTEMPTS,
            interval_seconds=1.0,
            should_retry=lambda error: isinstance(error, RecordingUnavailable),
        )
        async def fetch(recording_id: str) -> None:
            await use_case.fetch(recording_id)

        @DBOS.step(name="transcribe")
        async def transcribe(recording_id: str, rank: int) -> None:
            await use_case.transcribe(recording_id, rank=rank)

        @DBOS.step(name="open_ticket")
        async def open_ticket(recording_id: str) -> None:
            await use_case.open_ticket(recording_id)

        @DBOS.workflow(name="transcribe_recording", max_recovery_attempts=MOST_RECOVERIES)
        async def transcribe_recording(recording_id: str, rank: int = Priority.CONVERSATION.value) -> None:
            self._note_running()
            if not await use_case.begin(recording_id):
                return
            try:
                await fetch(recording_id)
                await transcribe(recording_id, rank)
            except (
                RecordingRejected,
                RecordingUnavailable,
                SpeechError,
                dbos_error.DBOSMaxStepRetriesExceeded,
            ) as error:
                await use_case.give_up(recording_id, reason_of(error))
            else:
                await open_ticket(recording_id)

        self._workflow = transcribe_recording

    def _note_running(self) -> None:
        """Raises CancelledError for a job that DBOS hands out while the worker stops."""
        if self._is_closing:
            raise asyncio.CancelledError
        job = asyncio.current_task()
        assert job is not None
        self._running.add(job)
        job.add_done_callback(self._running.discard)

    async def enqueue_pending(self) -> int:
        """Puts the first waiting recordings into the queue by their priority; how many are new there."""
        waiting = await pending_recordings(self._database, emergency_keys=self._emergency_keys)
        pending = {workflow_id(one.id, one.job_number): one for one in waiting}
        new = [job for job in pending if job not in self._enqueued]
        for job in new:
            one = pending[job]
            queue = IMPORTS if one.priority is Priority.IMPORT else QUEUE
            with SetWorkflowID(job), SetEnqueueOptions(priority=one.priority):
                await DBOS.enqueue_workflow_async(queue, self._workflow, one.id, one.priority.value)
        self._enqueued = {job: one.id for job, one in pending.items()}
        return len(new)

    async def revive_dead(self) -> None:
        """A job that died for good leaves its recording to the next attempt."""
        for recording_id, job_number, begun in await unfinished_recordings(
            self._database, enqueued=tuple(self._enqueued.values())
        ):
            status = await DBOS.get_workflow_status_async(workflow_id(recording_id, job_number))
            if begun if status is None else status.status in DEAD:
                log.warning("transcription job died; putting its recording back", recording_id=recording_id)
                await put_back(self._database, recording_id, job_number)

    async def run(
        self,
        stop: asyncio.Event,
        *,
        is_orphan: Callable[[], bool] = lambda: False,
        poll_seconds: float = 0.2,
        revive_every: int = 50,
    ) -> None:
        """Until `stop` is set or the starting process is gone. A database that is away is asked again next turn."""
        turn = 0
        while not stop.is_set() and not is_orphan():
            try:
                await self.enqueue_pending()
                if turn % revive_every == 0:
                    await self.revive_dead()
            except (SQLAlchemyError, OSError) as error:
                log.warning("the database is away; the jobs wait", error=repr(error))
            turn += 1
            try:
                await asyncio.wait_for(stop.wait(), timeout=poll_seconds)
            except TimeoutError:
                continue


def workflow_id(recording_id: str, job_number: int) -> str:
    return f"{recording_id}#{job_number}"
