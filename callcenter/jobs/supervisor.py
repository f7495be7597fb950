"""Starts the embedded worker and starts it again, with growing pauses, when it dies."""

import asyncio
import contextlib
import os
import sys
from typing import Self

import structlog

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
STOP_SECONDS = 10.0


class WorkerSupervisor:
    """An async context manager: one `callcenter worker` process runs while it is open."""

    def __init__(self, config_file: str | None) -> None:
        config = ["--config", config_file] if config_file else []
        self._command = [sys.executable, "-m", "callcenter", *config, "worker", "--parent", str(os.getpid())]
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_running(), name="worker-supervisor")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            await self._stop(self._process)

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = loop.time()
            ended = await self._run_once()
            pause = (
                FIRST_PAUSE_SECONDS if loop.time() - began > STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            )
            log.error("the worker is not running; starting it again", pause_seconds=pause, **ended)
            await asyncio.sleep(pause)

    async def _run_once(self) -> dict[str, object]:
        """How it ended. A machine without memory or processes to spare may have some later."""
        try:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.DEVNULL)
        except OSError as error:
            return {"error": repr(error)}
        return {"exit_code": await self._process.wait()}

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout=STOP_SECONDS)
        except TimeoutError:
            log.warning("the worker does not stop; killing it")
            process.kill()
            await process.wait()
