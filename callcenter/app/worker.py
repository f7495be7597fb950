"""The worker process: transcribes what is ready. It shares the database with the server, and nothing else."""

import asyncio
import contextlib
import os
import signal

import aiohttp
import structlog
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import (
    emergency_keys,
    engine_settings,
    engines_of_numbers,
    language_checker,
    own_words,
    recordings_of,
    rule_folder,
    rules_of,
)
from callcenter.app.surroundings import clock_of
from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.jobs.queue import TranscriptionJobs
from callcenter.services.console_settings import last_change
from callcenter.services.transcribe_recording import TranscribeRecording

log = structlog.get_logger()

SECONDS_BETWEEN_LOOKS = 10.0


async def run_worker(settings: Settings, *, parent: int | None = None, number_in_use: int = 0) -> bool:
    """Transcribes until SIGTERM or SIGINT, or until the server that started it (`parent`) is gone.

    A worker of its own ends as well where something was changed in the console since `number_in_use`, and answers
    True: start it with the settings as they are now. An embedded one is started anew by its server.
    Raises SpeechError where the configured model does not work: then no recording is touched.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = Database(settings.database_url)
    processes = settings.speech.processes or os.cpu_count() or 1
    transcriber_settings = TranscriberSettings(processes=processes, max_seconds=settings.speech.max_recording_seconds)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        transcriber = await stack.enter_async_context(Transcriber(transcriber_settings))
        await transcriber.warm_up(engine_settings(settings))
        use_case = TranscribeRecording(
            database=database,
            fetcher=recordings_of(settings, session),
            transcriber=transcriber,
            engine=engine_settings(settings),
            clock=clock_of(settings),
            recordings_dir=settings.recordings_dir,
            zone=settings.zone,
            rules=rules_of(settings),
            wording=rule_folder(settings),
            area_code=settings.understanding.area_code or None,
            menu_choices=settings.call_flow.menu.choices,
            language=language_checker(settings),
            own_words=own_words(settings),
            engines_of_numbers=engines_of_numbers(settings),
        )
        jobs = TranscriptionJobs(
            use_case,
            database=database,
            data_dir=settings.server.data_dir,
            worker_id=f"worker-{settings.worker_name}",
            at_once=processes * 4,
            emergency_keys=emergency_keys(settings),
        )
        await jobs.launch()
        stack.push_async_callback(jobs.close)
        log.info("worker started", processes=processes, model=str(engine_settings(settings).model_path))
        changed = asyncio.Event()
        if parent is None:
            looking = asyncio.create_task(_until_changed(database, number_in_use, changed=changed, stop=stop))
            stack.callback(looking.cancel)
        await jobs.run(stop, is_orphan=lambda: parent is not None and os.getppid() != parent)
        return changed.is_set()


async def _until_changed(database: Database, number: int, *, changed: asyncio.Event, stop: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        with contextlib.suppress(SQLAlchemyError, OSError):
            async with database.read() as session:
                if await last_change(session) != number:
                    break
    changed.set()
    stop.set()
