"""Stored recordings to transcripts: decoded once, then both sides recognised at the same time."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from callcenter.asr.audio import MAX_SECONDS
from callcenter.asr.child import prepare_recording, recognise_side, warm_up
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import EngineCrashed, NotAudio
from callcenter.asr.preparation import PreparationTask, PreparedRecording, PreparedSide
from callcenter.asr.process_pool import DisposableProcesses
from callcenter.asr.progress import Progress, watch_progress
from callcenter.asr.recognition import RecognisedSide, RecognitionTask
from callcenter.asr.result import SideReport, Sides, TranscriptionResult
from callcenter.asr.talk import measure_talk
from callcenter.asr.turns import Turns
from callcenter.domain.transcript import Transcript

T = TypeVar("T")

_WARM_UP_SECONDS = 0.1
_DECODES_AT_LEAST_TIMES_REAL = 100
_RANK = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class TranscriberSettings:
    """How the disposable processes are run."""

    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    tasks_per_process: int = 200
    """A process is replaced after so many; a two-sided call is three tasks."""
    max_seconds: float = MAX_SECONDS
    start_seconds: float = 60.0
    """Part of every deadline: loading the model on a busy machine."""
    slowest_speed: float = 1.0
    """Deadline of a side: so many seconds for each second of audio, besides `start_seconds`."""
    memory_bytes: int | None = None
    """Address space of a process; None leaves it to the operating system (a large model needs 6 GB and more)."""
    scratch_folder: Path | None = None
    """Where decoded samples live for as long as the transcription runs; None is the system's temporary folder."""


class Transcriber:
    """Use as an async context manager, in the worker process; transcribe as many at a time as there are processes."""

    def __init__(self, settings: TranscriberSettings | None = None) -> None:
        self._settings = settings or TranscriberSettings()
        self._processes = DisposableProcesses(
            processes=self._settings.processes,
            tasks_per_process=self._settings.tasks_per_process,
            memory_bytes=self._settings.memory_bytes,
        )
        # One more than there are processes, so that none waits for its next task.
        processes = self._settings.processes
        self._turns = Turns(places=processes + 1, background_places=max(1, processes - 1))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the processes; whatever still runs in them is cancelled."""
        await self._processes.close()

    async def warm_up(self, engine: EngineSettings) -> int:
        """Load the model into every process; returns its sample rate. Raises ModelError, EngineCrashed.

        A process that dies over it may have been killed from outside: once more, before the model is blamed.
        """
        try:
            return await self._load_everywhere(engine)
        except EngineCrashed:
            return await self._load_everywhere(engine)

    async def _load_everywhere(self, engine: EngineSettings) -> int:
        processes = range(self._settings.processes)
        loads = [self._run(warm_up, engine, _WARM_UP_SECONDS, audio_seconds=0, rank=0) for _ in processes]
        return (await _all(loads))[0]

    async def transcribe(
        self,
        path: Path,
        *,
        engine: EngineSettings,
        sides: Sides,
        stated_seconds: float | None = None,
        progress: Progress | None = None,
        rank: int = _RANK,
    ) -> TranscriptionResult:
        """`stated_seconds` is the duration that the provider gave: a shorter file is marked `truncated`.

        Of those that wait the lowest `rank` goes first; from `turns.BACKGROUND` on one process is left to the others.

        Raises NotAudio, EmptyRecording, TooLong, ModelError, EngineUnknown; EngineCrashed and TranscriptionTimedOut,
        which are worth one more try. Other recordings go on whatever happens to this one.
        """
        folder = await asyncio.to_thread(self._scratch)
        try:
            task = PreparationTask(
                path=path,
                folder=Path(folder.name),
                sides=sides,
                stated_seconds=stated_seconds,
                max_seconds=self._settings.max_seconds,
            )
            prepared = await self._prepare(task, engine, rank)
            recognised = await self._recognise(prepared, engine, progress, rank)
            return _result(prepared, recognised)
        finally:
            await asyncio.to_thread(folder.cleanup)

    def _scratch(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="transcribe-", dir=self._settings.scratch_folder)

    async def _prepare(self, task: PreparationTask, engine: EngineSettings, rank: int) -> PreparedRecording:
        longest = self._settings.max_seconds / _DECODES_AT_LEAST_TIMES_REAL / self._settings.slowest_speed
        try:
            return await self._run(prepare_recording, task, engine, audio_seconds=longest, rank=rank)
        except FileNotFoundError as error:
            raise NotAudio(f"there is no file {task.path}") from error

    async def _recognise(
        self, prepared: PreparedRecording, engine: EngineSettings, progress: Progress | None, rank: int
    ) -> list[RecognisedSide]:
        seconds = prepared.duration_ms / 1000
        tasks = [_recognition_task(side, prepared.rate_hz, watched=progress is not None) for side in prepared.sides]
        running = _all([self._run(recognise_side, task, engine, audio_seconds=seconds, rank=rank) for task in tasks])
        if progress is None:
            return await running
        paths = [task.progress_path for task in tasks if task.progress_path]
        async with watch_progress(progress, paths, total_seconds=seconds):
            return await running

    async def _run(self, function: Callable[..., T], *args: Any, audio_seconds: float, rank: int) -> T:
        deadline = self._settings.start_seconds + audio_seconds * self._settings.slowest_speed
        async with self._turns.turn(rank):
            return await self._processes.run(function, *args, deadline_seconds=deadline)


def _recognition_task(side: PreparedSide, rate_hz: int, *, watched: bool) -> RecognitionTask:
    progress_path = side.pcm_path.with_suffix(".progress") if watched else None
    return RecognitionTask(side=side.side, pcm_path=side.pcm_path, rate_hz=rate_hz, progress_path=progress_path)


async def _all(coroutines: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Like gather, but the first failure cancels the rest: half a call is of no use."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _result(prepared: PreparedRecording, recognised: list[RecognisedSide]) -> TranscriptionResult:
    segments = (segment for side in recognised for segment in side.segments)
    talk = measure_talk([side.spoken for side in recognised], duration_ms=prepared.duration_ms)
    return TranscriptionResult(
        transcript=Transcript.of(segments, duration_ms=prepared.duration_ms),
        duration_ms=prepared.duration_ms,
        talk=talk,
        sides=tuple(
            SideReport(side=ready.side, speech_ms=heard.speech_ms, peaks=ready.peaks)
            for ready, heard in zip(prepared.sides, recognised, strict=True)
        ),
        warnings=(*prepared.warnings, *(warning for heard in recognised for warning in heard.warnings)),
    )


async def transcribe_file(
    path: Path,
    model_path: Path,
    *,
    sides: Sides = "stereo",
    language: str = "zh",
    max_seconds: float = MAX_SECONDS,
    progress: Progress | None = None,
) -> TranscriptionResult:
    """One file from the command line; for many, open one Transcriber and keep it."""
    engine = EngineSettings(model_path=model_path, language=language)
    async with Transcriber(TranscriberSettings(processes=2, max_seconds=max_seconds)) as transcriber:
        return await transcriber.transcribe(path, engine=engine, sides=sides, progress=progress)
