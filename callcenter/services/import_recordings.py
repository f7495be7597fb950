"""Years of old recordings into the hotline: each a call without events, transcribed when nothing else waits.

A file is known by what is in it. So the same folder may be imported again at any time: what is there is left alone,
what failed is tried anew, what is new is added.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.asr.errors import RecordingError
from callcenter.asr.formats import HEAD_BYTES, demuxer_for
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import IMPORTED, RecordingRow, RecordingState
from callcenter.domain.calls import Direction
from callcenter.domain.recording_names import read_recording_name
from callcenter.domain.rings import Disposition

PROVIDER = "import"
SUFFIXES = frozenset({".wav", ".mp3", ".ogg", ".opus", ".webm", ".amr", ".m4a", ".mp4", ".aac", ".flac", ".wave"})
_AT_ONCE = 50
_IDS_AT_ONCE = 500


@dataclass(kw_only=True)
class Registered:
    """What became of a folder's files. `refused` says of each file why; `ids` are all that are to be transcribed."""

    new: int = 0
    known: int = 0
    doubled: int = 0
    tried_again: int = 0
    new_bytes: int = 0
    refused: dict[Path, str] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportProgress:
    """Of the recordings that one import is about."""

    waiting: int
    transcribed: int
    failed: int
    done_bytes: int
    all_bytes: int
    sound_seconds: float
    silent: int
    """Transcribed, and nobody says a word."""

    @property
    def is_over(self) -> bool:
        return not self.waiting


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    path: Path
    recording_id: str
    size_bytes: int
    changed_at: datetime


def audio_files(folder: Path) -> list[Path]:
    """Everything below the folder that is named like a recording, in the order of the names; hidden files are not."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if path.is_file() and not _is_hidden(path.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


async def register_files(
    database: Database, files: Sequence[Path], *, recordings_dir: Path, zone: ZoneInfo, now: datetime
) -> AsyncIterator[Registered]:
    """Puts them into the queue, some at a time; yields what has become of them so far after each lot.

    The file itself is linked (or copied, across file systems) into the recordings folder: what happens to the
    original afterwards does not matter.
    """
    so_far, seen = Registered(), set[str]()
    for at in range(0, len(files), _AT_ONCE):
        read: list[_File] = []
        for path in files[at : at + _AT_ONCE]:
            try:
                found = await asyncio.to_thread(_read, path)
            except RecordingError as error:
                so_far.refused[path] = str(error)
            except OSError as error:
                so_far.refused[path] = f"cannot be read ({error.strerror})"
            else:
                so_far.doubled += found.recording_id in seen
                if found.recording_id not in seen:
                    seen.add(found.recording_id)
                    read.append(found)
        await _register(database, read, so_far, recordings_dir=recordings_dir, zone=zone, now=now)
        yield so_far


def _read(path: Path) -> _File:
    """Raises RecordingError, OSError."""
    with path.open("rb") as file:
        demuxer_for(file.read(HEAD_BYTES))
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        about = os.fstat(file.fileno())
    return _File(
        path=path,
        recording_id=f"{PROVIDER}-{sha256[:32]}",
        size_bytes=about.st_size,
        changed_at=datetime.fromtimestamp(about.st_mtime, UTC),
    )


async def _register(
    database: Database, files: list[_File], so_far: Registered, *, recordings_dir: Path, zone: ZoneInfo, now: datetime
) -> None:
    ids = [file.recording_id for file in files]
    async with database.read() as session:
        rows = await session.execute(select(RecordingRow.id, RecordingRow.state).where(RecordingRow.id.in_(ids)))
        states = {row.id: row.state for row in rows}
    new = [file for file in files if file.recording_id not in states]
    again = [id_ for id_, state in states.items() if state == RecordingState.FAILED]
    names = {
        file.recording_id: await asyncio.to_thread(_keep, file, recordings_dir)
        for file in files
        if file in new or file.recording_id in again
    }
    async with database.write() as session:
        for file in new:
            _add(session, file, names[file.recording_id], zone=zone, now=now)
        await _try_again(session, again)
    so_far.new += len(new)
    so_far.new_bytes += sum(file.size_bytes for file in new)
    so_far.known += len(states) - len(again)
    so_far.tried_again += len(again)
    so_far.ids += ids


def _keep(file: _File, recordings_dir: Path) -> str:
    """The file among our recordings; its name there."""
    name = f"imported/{file.recording_id[-2:]}/{file.recording_id}{file.path.suffix.lower()}"
    target = recordings_dir / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.exists():
        return name
    try:
        os.link(file.path, target)
    except OSError:
        part = target.with_suffix(".part")
        shutil.copyfile(file.path, part)
        part.chmod(0o600)
        os.replace(part, target)
    return name


def _add(session: AsyncSession, file: _File, name: str, *, zone: ZoneInfo, now: datetime) -> None:
    told = read_recording_name(file.path.stem, zone)
    began_at = told.began_at or file.changed_at
    call_id = f"{PROVIDER}:{file.recording_id.removeprefix(PROVIDER + '-')}"
    session.add(
        CallRow(
            id=call_id,
            provider=PROVIDER,
            direction=Direction.IMPORTED.value,
            from_number=told.from_number,
            started_at=began_at,
            last_event_at=began_at,
            ended_at=began_at,
            disposition=Disposition.UNKNOWN.value,
            event_count=0,
        )
    )
    session.add(
        RecordingRow(
            id=file.recording_id,
            call_id=call_id,
            provider=PROVIDER,
            url=file.path.name,
            content=IMPORTED,
            channels=0,
            ready_at=now,
            path=name,
            size_bytes=file.size_bytes,
        )
    )


async def _try_again(session: AsyncSession, recording_ids: Sequence[str]) -> None:
    if recording_ids:
        await session.execute(
            update(RecordingRow)
            .where(RecordingRow.id.in_(recording_ids))
            .values(state=RecordingState.PENDING, attempts=0, error=None, job_number=RecordingRow.job_number + 1)
        )


async def import_progress(database: Database, ids: Sequence[str]) -> ImportProgress:
    counts: dict[str, int] = {}
    done_bytes, all_bytes, sound_ms, silent = 0, 0, 0, 0
    async with database.read() as session:
        for part in _parts(ids):
            query = select(
                RecordingRow.state,
                func.count(),
                func.sum(RecordingRow.size_bytes),
                func.sum(RecordingRow.duration_ms),
                func.count().filter(RecordingRow.silence_ms >= RecordingRow.duration_ms),
            ).where(RecordingRow.id.in_(part))
            for state, count, size, duration_ms, quiet in await session.execute(query.group_by(RecordingRow.state)):
                counts[state] = counts.get(state, 0) + count
                all_bytes += size or 0
                if state in (RecordingState.TRANSCRIBED, RecordingState.FAILED):
                    done_bytes += size or 0
                if state == RecordingState.TRANSCRIBED:
                    sound_ms, silent = sound_ms + (duration_ms or 0), silent + quiet
    return ImportProgress(
        waiting=counts.get(RecordingState.PENDING, 0) + counts.get(RecordingState.RUNNING, 0),
        transcribed=counts.get(RecordingState.TRANSCRIBED, 0),
        failed=counts.get(RecordingState.FAILED, 0),
        done_bytes=done_bytes,
        all_bytes=all_bytes,
        sound_seconds=sound_ms / 1000,
        silent=silent,
    )


async def failed_imports(database: Database, ids: Sequence[str]) -> list[tuple[str, str]]:
    """(file name, reason) of each that could not be transcribed."""
    found: list[tuple[str, str]] = []
    async with database.read() as session:
        for part in _parts(ids):
            query = select(RecordingRow.url, RecordingRow.error).where(
                RecordingRow.id.in_(part), RecordingRow.state == RecordingState.FAILED
            )
            found += [(name, error or "") for name, error in await session.execute(query)]
    return sorted(found)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Databases take a limited number of values in a query."""
    for at in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[at : at + _IDS_AT_ONCE]
