"""Live recognition in disposable processes: many calls a process, bounded queues, and a clear order of what is shed.

Where recognition falls behind, partial words are shed first, then new calls are refused, and at last a call that is
hopelessly behind loses its live words. Recordings are transcribed whatever happens here.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import structlog

from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import SpeechError
from callcenter.asr.live_process import Answer, LiveProcess
from callcenter.asr.live_wire import read_words
from callcenter.asr.text import join_words
from callcenter.domain.transcript import Segment, Side
from callcenter.ports import LiveAudio, LiveRefused

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, STEADY_SECONDS = 0.5, 30.0, 60.0
FINISH_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveSettings:
    """How many, and how far behind (in ms of sound that waits) what is shed."""

    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    calls_per_process: int = 30
    calls_until_replaced: int = 500
    partials_until_ms: int = 600
    new_calls_until_ms: int = 2000
    drop_at_ms: int = 20_000


class Shed(StrEnum):
    """What is shed now."""

    NOTHING = "nothing"
    PARTIALS = "partials"
    NEW_CALLS = "new_calls"


@dataclass(kw_only=True)
class LiveCounts:
    """Since the start."""

    calls: int = 0
    refused: int = 0
    dropped: int = 0
    partials_shed: int = 0
    processes_died: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Partial:
    """What a side has said since its last segment; it may still change."""

    side: Side
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """No more comes for this call; `reason` is died or behind."""

    reason: str


Heard = Partial | Segment | Lost
Take = Callable[[Heard], None]


class LiveRecognisers:
    """Use as an async context manager. It is there at once; calls are taken as soon as a process is ready."""

    def __init__(self, engine: EngineSettings, settings: LiveSettings | None = None) -> None:
        self._engine = engine
        self._settings = settings or LiveSettings()
        self._processes: list[LiveProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._said = Shed.NOTHING
        self.counts = LiveCounts()

    async def __aenter__(self) -> Self:
        for number in range(self._settings.processes):
            self._begin(self._keep_running(), f"live recogniser {number + 1}")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def ready_processes(self) -> int:
        return sum(process.is_ready for process in self._processes)

    @property
    def open_sides(self) -> int:
        return sum(process.streams for process in self._processes)

    @property
    def behind_ms(self) -> int:
        """Of the process that is furthest behind."""
        return max((process.behind_ms for process in self._processes), default=0)

    @property
    def shed(self) -> Shed:
        behind_ms = self.behind_ms
        if behind_ms > self._settings.new_calls_until_ms:
            return Shed.NEW_CALLS
        return Shed.PARTIALS if behind_ms > self._settings.partials_until_ms else Shed.NOTHING

    def open(self, sides: Iterable[Side], take: Take) -> "LiveCallRecogniser":
        """`take` is called on the event loop with what is heard. Raises LiveRefused."""
        able = [process for process in self._processes if process.is_ready and self._has_room(process)]
        process = min(able, key=lambda one: (one.behind_ms // 100, one.streams), default=None)
        if process is None or process.behind_ms > self._settings.new_calls_until_ms:
            self.counts.refused += 1
            log.warning("live transcription refuses a call", ready=self.ready_processes, behind_ms=self.behind_ms)
            raise LiveRefused("busy" if self.ready_processes else "no_recogniser")
        self.counts.calls += 1
        process.calls_begun += 1
        return LiveCallRecogniser(process, sides, take, settings=self._settings, counts=self.counts)

    def _has_room(self, process: LiveProcess) -> bool:
        if process.calls_begun >= self._settings.calls_until_replaced:
            return False
        return process.streams < 2 * self._settings.calls_per_process

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep_running(self) -> None:
        """One process after another; one that has had its number of calls ends with the last of them."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS
        while True:
            began, process = loop.time(), LiveProcess(self._engine)
            try:
                await process.start()
            except (SpeechError, OSError) as error:
                log.error("live recogniser does not start", error=str(error), pause_seconds=pause)
            else:
                self._processes.append(process)
                running = self._begin(self._run(process), "live recogniser running")
                while not running.done() and process.calls_begun < self._settings.calls_until_replaced:
                    await asyncio.wait((running,), timeout=1.0)
                if not running.done():
                    process.retire()
                    continue
            pause = (
                FIRST_PAUSE_SECONDS if loop.time() - began > STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            )
            await asyncio.sleep(pause)

    async def _run(self, process: LiveProcess) -> None:
        try:
            code = await process.run()
        finally:
            self._processes.remove(process)
        if not process.is_retired:
            self.counts.processes_died += 1
            log.error("live recogniser died; its calls have lost their live words", exit_code=code)


class LiveCallRecogniser:
    """The sides of one call. `hear` never waits; after `lost` nothing more comes."""

    def __init__(
        self, process: LiveProcess, sides: Iterable[Side], take: Take, *, settings: LiveSettings, counts: LiveCounts
    ) -> None:
        self._process = process
        self._take = take
        self._settings = settings
        self._counts = counts
        self._over = asyncio.Event()
        self.is_lost = False
        self._streams = {side: process.open(self._taker(side)) for side in sides}
        self._open = set(self._streams)

    def hear(self, audio: LiveAudio) -> None:
        if self.is_lost:
            return
        process, stream = self._process, self._streams[audio.side]
        if process.stream_behind_ms(stream) > self._settings.drop_at_ms:
            self._counts.dropped += 1
            self._lose("behind")
            return
        wants_partial = process.behind_ms <= self._settings.partials_until_ms
        self._counts.partials_shed += not wants_partial
        process.hear(stream, audio.pcm, at_ms=audio.at_ms, wants_partial=wants_partial)

    async def finish(self) -> bool:
        """Everything that was sent has been heard; False where that was lost."""
        for stream in self._streams.values():
            self._process.finish(stream)
        try:
            await asyncio.wait_for(self._over.wait(), FINISH_SECONDS)
        except TimeoutError:
            self._lose("behind")
        return not self.is_lost

    def drop(self) -> None:
        """Nobody wants to hear the rest."""
        for stream in self._streams.values():
            self._process.drop(stream)
        self._over.set()

    def _taker(self, side: Side) -> Callable[[Answer], None]:
        return lambda said: self._answered(side, said)

    def _answered(self, side: Side, said: Answer) -> None:
        match said["kind"]:
            case "partial":
                self._take(Partial(side=side, text=join_words(str(said["text"]).split())))
            case "final" if said["words"]:
                self._take(_segment(side, said))
            case "finished":
                self._open.discard(side)
                if not self._open:
                    self._over.set()
            case "lost":
                self._lose("died")

    def _lose(self, reason: str) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        self.drop()
        self._take(Lost(reason=reason))


def _segment(side: Side, said: Answer) -> Segment:
    words = read_words(said["words"])
    text = join_words(word.text for word in words)
    readings = (join_words(reading) for reading in said["alternatives"])
    return Segment(
        side=side,
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        text=text,
        words=words,
        alternatives=tuple(reading for reading in dict.fromkeys(readings) if reading != text),
    )
