"""The clockwork: runs tick functions at an interval, and goes on whatever becomes of one of them.

APScheduler keeps nothing here: what is to be done stands in the database, and every tick looks there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import tzinfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger()

Tick = Callable[[], Awaitable[object]]
STOP_SECONDS = 20.0


class Scheduler:
    """Each tick has a job of its own, so that a slow one delays no other; none overlaps itself.

    `stop` lets running ticks end, so that no call is left between being placed and being written down.
    """

    def __init__(self, *, zone: tzinfo, seconds: float) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._seconds = seconds
        self._running: set[asyncio.Task[object]] = set()
        self._scheduler = AsyncIOScheduler(
            timezone=zone, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def add(self, name: str, tick: Tick, *, seconds: float | None = None) -> None:
        """Runs `tick` every `seconds` (default: the scheduler's own interval). `name` is unique."""
        self._scheduler.add_job(
            self._run, "interval", seconds=seconds or self._seconds, args=(name, tick), id=name, name=name
        )

    def start(self) -> None:
        """Call it inside the running event loop."""
        self._scheduler.start()

    async def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """No tick begins any more; those that run are awaited, and cancelled after `seconds`."""
        if not self._scheduler.running:
            return
        self._scheduler.remove_all_jobs()
        running = set(self._running)
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._scheduler.shutdown(wait=False)

    async def _run(self, name: str, tick: Tick) -> None:
        task: asyncio.Task[object] = asyncio.ensure_future(_awaited(tick))
        self._running.add(task)
        try:
            await task
        except Exception:
            log.exception("tick failed", tick=name)
        finally:
            self._running.discard(task)


async def _awaited(tick: Tick) -> object:
    return await tick()
