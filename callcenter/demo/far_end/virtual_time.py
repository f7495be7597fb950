"""The time of one call: it moves on only when everyone who takes part in the call waits for it.

Takers of part (the caller's line, each agent's phone, the caller's patience) are asyncio tasks of which exactly
one runs at any moment; it hands over by waiting. The shared clock is set to the call's time at each hand-over,
so a request that is sent at a virtual moment is also received at that moment.
"""

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from callcenter.demo.clock import SharedClock


class NobodyLeft(Exception):
    """Everyone waits for somebody else: the call would never end."""


class Part:
    """One who takes part. `error` is what it failed with, once it is `over`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = False
        self.error: BaseException | None = None
        self.task: asyncio.Task[None] | None = None
        self.waits: asyncio.Future[None] | None = None
        self.waited_for: list[Part] = []


class VirtualTime:
    def __init__(self, clock: SharedClock, start: datetime | None = None) -> None:
        self._clock = clock
        self.now = max(clock.now(), start) if start else clock.now()
        self._queue: list[tuple[datetime, int, int, asyncio.Future[None], BaseException | None]] = []
        self._number = itertools.count()
        self._parts: list[Part] = []
        self._running: Part | None = None

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Plays the call from its first step to its last; whoever still waits then is sent home."""
        main = self.spawn("call", work)
        self._hand_over()
        try:
            assert main.task is not None
            await asyncio.wait([main.task])
        finally:
            await self._send_home()
        for part in (main, *self._parts):
            if part.error is not None:
                raise part.error

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> Part:
        """Somebody new takes part, from now on, as soon as whoever runs waits."""
        part = Part(name)
        part.waits = self._queued(self.now)
        part.task = asyncio.create_task(self._play(part, work), name=name)
        self._parts.append(part)
        return part

    async def sleep(self, seconds: float) -> None:
        await self.until(self.now + timedelta(seconds=seconds))

    async def until(self, at: datetime) -> None:
        """Waits for that moment. Raises what `interrupt` was given, if that comes first."""
        await self._wait(self._queued(max(at, self.now)))

    async def park(self) -> None:
        """Waits until woken or interrupted."""
        await self._wait(asyncio.get_running_loop().create_future())

    async def join(self, part: Part) -> None:
        """Waits until `part` is over."""
        if not part.over:
            assert self._running is not None
            part.waited_for.append(self._running)
            await self.park()

    def wake(self, part: Part, error: BaseException | None = None) -> None:
        """Lets a waiting part go on now; with `error` it is raised there, before anything else of this moment."""
        if part.over or part.waits is None or part.waits.done():
            return
        urgency = 1 if error is None else 0
        heapq.heappush(self._queue, (self.now, urgency, next(self._number), part.waits, error))

    @property
    def running(self) -> Part:
        assert self._running is not None
        return self._running

    def _queued(self, at: datetime) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (at, 1, next(self._number), future, None))
        return future

    async def _wait(self, future: asyncio.Future[None]) -> None:
        part = self.running
        part.waits = future
        self._hand_over()
        try:
            await future
        finally:
            self._running = part
            part.waits = None

    def _hand_over(self) -> None:
        self._running = None
        while self._queue:
            at, _, _, future, error = heapq.heappop(self._queue)
            if future.done():
                continue
            self.now = max(self.now, at)
            self._clock.advance_to(self.now)
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
            return
        waiting = [part for part in self._parts if not part.over]
        if waiting and waiting[0].waits is not None and not waiting[0].waits.done():
            waiting[0].waits.set_exception(NobodyLeft(", ".join(part.name for part in waiting)))

    async def _play(self, part: Part, work: Coroutine[Any, Any, None]) -> None:
        try:
            assert part.waits is not None
            await part.waits
            self._running, part.waits = part, None
            await work
        except asyncio.CancelledError:
            work.close()
            raise
        except Exception as error:  # noqa: BLE001 - kept for run(), which raises it
            part.error = error
        finally:
            part.over = True
        for other in part.waited_for:
            self.wake(other)
        self._part_over(part)

    def _part_over(self, part: Part) -> None:
        main = self._parts[0]
        if part.error is not None and part is not main:
            self.wake(main, part.error)
        if part is not main:
            self._hand_over()

    async def _send_home(self) -> None:
        for part in self._parts:
            if part.task is not None and not part.task.done():
                part.task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*(part.task for part in self._parts if part.task), return_exceptions=True)
