"""Deletes what is older than the operator keeps it: the sound of calls, and who looked at what."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import delete, select, update

from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.users import AuditRow

log = structlog.get_logger()

AT_ONCE = 500
SYSTEM = "system"


async def delete_old(
    database: Database, recordings_dir: Path, *, now: datetime, recording_days: int, audit_days: int
) -> int:
    """How many recordings lost their sound; 0 days: nothing is deleted. A recording not yet transcribed is kept."""
    removed = 0
    if recording_days:
        while done := await _some_recordings(database, recordings_dir, now=now, before=now - timedelta(recording_days)):
            removed += done
    if audit_days:
        async with database.write() as session:
            await session.execute(delete(AuditRow).where(AuditRow.at < now - timedelta(audit_days)))
    if removed:
        log.info("recordings older than they are kept were deleted", recordings=removed, days=recording_days)
    return removed


async def _some_recordings(database: Database, folder: Path, *, now: datetime, before: datetime) -> int:
    """The files first: should we be stopped between the two, the next round finds the rows again."""
    old = (
        select(RecordingRow.id, RecordingRow.path)
        .where(
            RecordingRow.ready_at < before,
            RecordingRow.path.is_not(None),
            RecordingRow.state.in_((RecordingState.TRANSCRIBED, RecordingState.FAILED)),
        )
        .limit(AT_ONCE)
    )
    async with database.read() as session:
        found = (await session.execute(old)).all()
    if not found:
        return 0
    await asyncio.to_thread(_unlink, [folder / row.path for row in found if row.path])
    async with database.write() as session:
        ids = [row.id for row in found]
        gone = {"path": None, "size_bytes": None, "peaks": None}
        await session.execute(update(RecordingRow).where(RecordingRow.id.in_(ids)).values(gone))
        data = {"recordings": len(ids)}
        session.add(AuditRow(at=now, login=SYSTEM, action="recordings_deleted", subject="retention", data=data))
    return len(found)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
