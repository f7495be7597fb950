"""What is older than the operator keeps it: the sound goes, what was said stays, and what still waits is left alone."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.users import AuditRow
from callcenter.domain.rings import RingRule
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from callcenter.services.retention import delete_old
from tests.services.conftest import AT_ZERO, answered_call

NOW = AT_ZERO + timedelta(days=40)


async def recorded(database: Database, inbox: EventInbox, folder: Path, name: str, state: RecordingState) -> Path:
    call = f"twilio:{name}"
    await inbox.store(answered_call(call, recording_id=name, url=f"https://far.example/{name}"), received_at=AT_ZERO)
    while await fold_pending(database, RingRule(), now=AT_ZERO):
        continue
    async with database.write() as session:
        changed = {"path": f"{name}.wav", "state": state.value, "ready_at": AT_ZERO}
        await session.execute(update(RecordingRow).where(RecordingRow.call_id == call).values(changed))
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.wav").write_bytes(b"RIFF")
    return folder / f"{name}.wav"


async def test_old_sound_goes_and_what_waits_stays(database: Database, inbox: EventInbox, tmp_path: Path) -> None:
    folder = tmp_path / "sound"
    old = await recorded(database, inbox, folder, "CA1", RecordingState.TRANSCRIBED)
    waits = await recorded(database, inbox, folder, "CA2", RecordingState.PENDING)
    kept = {"recording_days": 41, "audit_days": 0}
    assert await delete_old(database, folder, now=NOW, **kept) == 0
    assert await delete_old(database, folder, now=NOW, recording_days=0, audit_days=0) == 0
    assert old.exists()
    assert await delete_old(database, folder, now=NOW, recording_days=39, audit_days=0) == 1
    assert not old.exists()
    assert waits.exists()
    async with database.read() as session:
        found = await session.execute(select(RecordingRow.call_id, RecordingRow.path))
        paths = {row.call_id: row.path for row in found}
        audit = (await session.scalars(select(AuditRow).where(AuditRow.action == "recordings_deleted"))).one()
    assert paths == {"twilio:CA1": None, "twilio:CA2": "CA2.wav"}
    assert audit.data == {"recordings": 1}
    await delete_old(database, folder, now=NOW + timedelta(days=10), recording_days=0, audit_days=5)
    async with database.read() as session:
        assert (await session.scalars(select(AuditRow))).all() == []
