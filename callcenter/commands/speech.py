"""`callcenter transcribe` and `callcenter models list|get|check`."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from callcenter.app.parts import engine_settings
from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import SpeechError
from callcenter.asr.models import check_model, get_model, list_models
from callcenter.asr.result import TranscriptionResult
from callcenter.config import Settings
from callcenter.domain.transcript import Segment

STDERR = Console(stderr=True)


def _engine(settings: Settings, model: str | None) -> EngineSettings:
    """A folder beside us, or what the settings make of the name."""
    found = engine_settings(settings, model)
    return replace(found, model_path=Path(model)) if model is not None and Path(model).is_dir() else found


async def transcribe(settings: Settings, files: list[Path], *, as_json: bool, model: str | None) -> int:
    """Prints each file's text. 1 if any file could not be transcribed; the others are printed all the same."""
    engine = _engine(settings, model)
    failed = 0
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    workers = TranscriberSettings(processes=settings.speech.processes or 2)
    with Progress(*columns, console=STDERR, transient=True) as bar:
        async with Transcriber(workers) as transcriber:
            for file in files:
                try:
                    result = await _with_bar(bar, transcriber, file, engine)
                except SpeechError as error:
                    failed += 1
                    print(f"callcenter: {file}: {error}", file=sys.stderr)
                else:
                    print(_as_json(file, result) if as_json else _as_text(file, result, name=len(files) > 1))
    return 1 if failed else 0


async def _with_bar(bar: Progress, transcriber: Transcriber, file: Path, engine: EngineSettings) -> TranscriptionResult:
    task = bar.add_task(file.name, total=None)

    def show(done: float, total: float) -> None:
        bar.update(task, completed=done, total=total)

    try:
        return await transcriber.transcribe(file, engine=engine, sides="stereo", progress=show)
    finally:
        bar.remove_task(task)


def _as_text(file: Path, result: TranscriptionResult, *, name: bool) -> str:
    lines = [f"== {file}"] if name else []
    lines += [_line(segment) for segment in result.transcript.segments] or ["(nothing said)"]
    lines += [f"# {warning}" for warning in result.warnings]
    return "\n".join(lines)


def _line(segment: Segment) -> str:
    minutes, seconds = divmod(segment.start_ms / 1000, 60)
    return f"{int(minutes):02d}:{seconds:04.1f} {segment.side.value:8} {segment.text}"


def _as_json(file: Path, result: TranscriptionResult) -> str:
    segments: list[dict[str, Any]] = [
        {
            "side": segment.side.value,
            "start_ms": segment.start_ms,
            "end_ms": segment.end_ms,
            "text": segment.text,
            "words": [
                {"text": w.text, "start_ms": w.start_ms, "end_ms": w.end_ms, "confidence": w.confidence}
                for w in segment.words
            ],
            "alternatives": list(segment.alternatives),
        }
        for segment in result.transcript.segments
    ]
    found = {
        "file": str(file),
        "duration_ms": result.duration_ms,
        "segments": segments,
        "warnings": list(result.warnings),
    }
    return json.dumps(found, ensure_ascii=False)


def list_installed(settings: Settings) -> int:
    try:
        models = list_models(settings.speech.models_dir)
    except SpeechError as error:
        print(f"callcenter: {error}", file=sys.stderr)
        return 1
    names = Column("model", min_width=max((cell_len(one.entry.name) for one in models), default=0), no_wrap=True)
    table = Table(names, "languages", "Hz", "MB", "installed", Column("licence", overflow="fold"), box=None)
    for model in models:
        entry = model.entry
        table.add_row(
            entry.name,
            " ".join(entry.languages),
            str(entry.sample_rate_hz),
            f"{entry.size_bytes / 1e6:,.0f}",
            "yes" if model.installed else "no",
            entry.licence,
        )
    Console().print(table)
    return 0


async def get(settings: Settings, name: str) -> int:
    bar = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=STDERR, transient=True)
    with bar:
        task = bar.add_task(name, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        try:
            path = await get_model(settings.speech.models_dir, name, progress=show)
        except SpeechError as error:
            print(f"callcenter: {error}", file=sys.stderr)
            return 1
        except OSError as error:
            folder = settings.speech.models_dir
            print(f"callcenter: speech.models_dir = {str(folder)!r}: {error.strerror or error}", file=sys.stderr)
            return 1
    print(f"{name} is in {path}; set speech.model to use it")
    return 0


async def check(settings: Settings, name: str | None) -> int:
    engine = _engine(settings, name)
    found = await check_model(engine)
    if found.problem:
        print(f"callcenter: {found.path}: {found.problem}", file=sys.stderr)
        return 1
    memory = f"{(found.memory_bytes or 0) / 1e6:,.0f} MB"
    loads = f"loads in {found.load_seconds or 0:.2f} s, {memory}"
    print(f"{found.path}: works with {engine.engine}, {found.sample_rate_hz} Hz, {loads}")
    return 0
