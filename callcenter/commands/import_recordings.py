"""`callcenter import-recordings FOLDER`: into the queue of the running workers, with progress until all is done."""

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.surroundings import clock_of, opened_database
from callcenter.commands.speech import STDERR
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.services.import_recordings import (
    ImportProgress,
    Registered,
    audio_files,
    failed_imports,
    import_progress,
    register_files,
)

LOOK_SECONDS = 1.0
NOBODY_WORKS_SECONDS = 60.0
SHOWN_REFUSALS = 20


async def import_recordings(settings: Settings, folder: Path, *, wait: bool) -> int:
    """0 where everything is transcribed (or, without `wait`, queued); 1 where a file was refused or failed.

    Stopping it stops only the looking on: the workers go on, and the same command takes it up again.
    """
    if not folder.is_dir():
        print(f"callcenter: {folder}: no such folder", file=sys.stderr)
        return 1
    files = await asyncio.to_thread(audio_files, folder)
    if not files:
        print(f"callcenter: {folder}: holds no recordings (wav, mp3, ogg, webm, amr, m4a, aac, flac)", file=sys.stderr)
        return 1
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        async with opened_database(settings) as database:
            with Progress(*columns, TextColumn("{task.fields[left]}"), console=STDERR) as bar:
                registered = await _register(bar, settings, database, files)
                over = await _wait(bar, database, registered.ids) if wait else None
            await _summary(database, registered, over)
    except SQLAlchemyError as error:
        print(f"callcenter: {error}; has the database been migrated (callcenter migrate)?", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"callcenter: {settings.recordings_dir}: {error.strerror}", file=sys.stderr)
        return 1
    return 1 if registered.refused or (over is not None and (over.failed or not over.is_over)) else 0


async def _register(bar: Progress, settings: Settings, database: Database, files: list[Path]) -> Registered:
    task = bar.add_task("reading the files", total=len(files), left="")
    registered = Registered()
    now = clock_of(settings).now()
    async for registered in register_files(
        database, files, recordings_dir=settings.recordings_dir, zone=settings.zone, now=now
    ):
        bar.update(task, completed=len(registered.ids) + len(registered.refused) + registered.doubled)
    return registered


async def _wait(bar: Progress, database: Database, ids: list[str]) -> ImportProgress:
    """Until all is done, or until nothing has moved for so long that nobody can be at work."""
    first = now = await import_progress(database, ids)
    began = moved = time.monotonic()
    task = bar.add_task("transcribing", total=len(ids), left="")
    while True:
        bar.update(task, completed=len(ids) - now.waiting, left=_left(first, now, time.monotonic() - began))
        if now.is_over:
            return now
        await asyncio.sleep(LOOK_SECONDS)
        before, now = now, await import_progress(database, ids)
        if now != before:
            moved = time.monotonic()
        elif time.monotonic() - moved > NOBODY_WORKS_SECONDS:
            bar.console.print(
                f"nothing has moved for {NOBODY_WORKS_SECONDS:.0f} s: is `callcenter serve` or `callcenter worker`"
                " running? (what comes in now goes first)"
            )
            moved = time.monotonic()


def _left(first: ImportProgress, now: ImportProgress, elapsed_seconds: float) -> str:
    """By bytes: recordings differ in length more than in coding."""
    done, left = now.done_bytes - first.done_bytes, now.all_bytes - now.done_bytes
    if not done:
        return ""
    minutes = elapsed_seconds / done * left / 60
    return f"about {minutes / 60:.1f} h left" if minutes >= 90 else f"about {max(1, round(minutes))} min left"


async def _summary(database: Database, registered: Registered, over: ImportProgress | None) -> None:
    print(
        f"{registered.new} new ({registered.new_bytes / 1e6:,.0f} MB), {registered.known} known already,"
        f" {registered.tried_again} tried again, {registered.doubled} the same as another,"
        f" {len(registered.refused)} refused"
    )
    for path, reason in list(registered.refused.items())[:SHOWN_REFUSALS]:
        print(f"  {path}: {reason}")
    if len(registered.refused) > SHOWN_REFUSALS:
        print(f"  and {len(registered.refused) - SHOWN_REFUSALS} more")
    if over is None:
        print("the workers transcribe them when nothing else waits; the same command shows how far they are")
        return
    print(
        f"{over.transcribed} transcribed ({over.sound_seconds / 3600:.1f} h of sound, in {over.silent} nobody speaks),"
        f" {over.failed} failed"
    )
    for reason, count in Counter(reason for _, reason in await failed_imports(database, registered.ids)).most_common():
        print(f"  {count} x {reason}")
