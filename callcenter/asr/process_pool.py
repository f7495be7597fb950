"""Disposable processes: each task's death or delay is that task's own, and the pool goes on."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from callcenter.asr import child
from callcenter.asr.errors import EngineCrashed, TranscriptionTimedOut

T = TypeVar("T")

_ATTEMPTS_ON_A_BROKEN_POOL = 3


class DisposableProcesses:
    """Runs functions of `child` in other processes, many at a time, from one event loop."""

    def __init__(self, *, processes: int, tasks_per_process: int, memory_bytes: int | None) -> None:
        self._processes = processes
        self._tasks_per_process = tasks_per_process
        self._memory_bytes = memory_bytes
        self._pool: ProcessPool | None = None
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, function: Callable[..., T], *args: Any, deadline_seconds: float) -> T:
        """Raises EngineCrashed, TranscriptionTimedOut, and whatever the function raises."""
        for _ in range(_ATTEMPTS_ON_A_BROKEN_POOL):
            pool = await self._open_pool()
            try:
                return await self._run_in(pool, function, args, deadline_seconds)
            except (BrokenProcessPool, RuntimeError) as error:
                if pool.active:
                    raise
                reason = error  # an idle process was killed and pebble gave up its pool: not the recording's fault
        raise EngineCrashed("the speech processes cannot be kept running: check memory and limits") from reason

    async def _run_in(self, pool: ProcessPool, function: Callable[..., T], args: Any, deadline_seconds: float) -> T:
        running = asyncio.wrap_future(pool.schedule(function, args=args, timeout=deadline_seconds))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            return await running
        except ProcessExpired as error:
            raise EngineCrashed(f"the speech process {_cause(error.exitcode)} during this recording") from error
        except TimeoutError as error:
            raise TranscriptionTimedOut(
                f"not finished after {deadline_seconds:.0f} s, so the speech process was killed"
            ) from error

    async def _open_pool(self) -> ProcessPool:
        async with self._opening:
            if self._pool is None or not self._pool.active:
                broken, self._pool = self._pool, None
                if broken is not None:
                    await asyncio.to_thread(_stop, broken)
                self._pool = await asyncio.to_thread(self._new_pool)
            return self._pool

    def _new_pool(self) -> ProcessPool:
        """The fork server has our modules loaded, but no engine: native code stays out of it."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([child.__name__])
        pool = ProcessPool(
            max_workers=self._processes,
            max_tasks=self._tasks_per_process,
            initializer=child.limit_process,
            initargs=(self._memory_bytes,),
            context=context,
        )
        assert pool.active, "reading `active` starts the pool, here rather than on the event loop"
        return pool

    async def close(self) -> None:
        """End the processes; tasks that still run are cancelled, for pebble would leave their callers waiting."""
        async with self._opening:
            for running in tuple(self._running):
                running.cancel()
            if self._pool is not None:
                pool, self._pool = self._pool, None
                await asyncio.to_thread(_stop, pool)


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _cause(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"
