"""Old recordings: taken in once however often their folder is imported, and nothing follows from them."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.calls import EventKind
from callcenter.domain.rings import RingRule
from callcenter.ports import RecordingRejected
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.import_recordings import (
    Registered,
    audio_files,
    failed_imports,
    import_progress,
    register_files,
)
from callcenter.services.inbox import EventInbox
from callcenter.services.transcribe_recording import TranscribeRecording
from callcenter.services.waiting_recordings import Priority, pending_recordings, unfinished_recordings
from tests.conftest import SetClock
from tests.services.conftest import answered_call, happened, stereo_wav

MODEL = Path(__file__).parents[2] / "models" / "demo-zh"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A call, the same once more under another name, a page that was saved as a recording, and what is none."""
    folder = tmp_path / "old"
    (folder / "2024").mkdir(parents=True)
    stereo_wav(folder / "2024" / "20240305-143022_13800000001.wav", "04-praise")
    shutil.copy(folder / "2024" / "20240305-143022_13800000001.wav", folder / "copy.WAV")
    (folder / "error.mp3").write_text("<html>not found</html>", encoding="utf-8")
    (folder / "notes.txt").write_text("no recording", encoding="utf-8")
    (folder / ".hidden.wav").write_bytes(b"RIFF")
    return folder


async def take_in(database: Database, folder: Path, clock: SetClock) -> Registered:
    lots = register_files(
        database,
        audio_files(folder),
        recordings_dir=folder.parent / "recordings",
        zone=SHANGHAI,
        now=clock.now(),
    )
    return [registered async for registered in lots][-1]


def use_case(
    database: Database, transcriber: Transcriber, clock: SetClock, recordings_dir: Path, rules: FollowUpRules
) -> TranscribeRecording:
    return TranscribeRecording(
        database=database,
        fetcher=NoFetcher(),
        transcriber=transcriber,
        engine=EngineSettings(model_path=MODEL),
        clock=clock,
        recordings_dir=recordings_dir,
        zone=SHANGHAI,
        rules=rules,
    )


class NoFetcher:
    async def fetch(self, **_: object) -> object:  # type: ignore[override]
        raise AssertionError("an imported file is there already")


async def test_a_folder_twice_is_taken_in_once_and_makes_no_ticket(
    database: Database, folder: Path, clock: SetClock, rules: FollowUpRules
) -> None:
    first = await take_in(database, folder, clock)
    assert (first.new, first.doubled, first.known) == (1, 1, 0)
    assert [path.name for path in first.refused] == ["error.mp3"]
    assert "a web page" in next(iter(first.refused.values()))
    again = await take_in(database, folder, clock)
    assert (again.new, again.known, again.ids) == (0, 1, first.ids)

    (folder / "2024" / "20240305-143022_13800000001.wav").unlink()
    recordings = folder.parent / "recordings"
    async with Transcriber(TranscriberSettings(processes=1)) as transcriber:
        case = use_case(database, transcriber, clock, recordings, rules)
        (waiting,) = await pending_recordings(database)
        assert waiting.priority is Priority.IMPORT
        assert await case.begin(waiting.id)
        await case.fetch(waiting.id)
        await case.transcribe(waiting.id, rank=waiting.priority)
        await case.open_ticket(waiting.id)
    progress = await import_progress(database, first.ids)
    assert (progress.is_over, progress.transcribed, progress.failed) == (True, 1, 0)
    assert progress.sound_seconds > 5
    assert progress.done_bytes == progress.all_bytes > 0
    async with database.read() as session:
        call = (await session.scalars(select(CallRow))).one()
        assert call.started_at == datetime(2024, 3, 5, 6, 30, 22, tzinfo=UTC)
        assert (call.direction, call.from_number) == ("imported", "+8613800000001")
        sides = set(await session.scalars(select(SegmentRow.side)))
        assert sides == {"resident", "agent"}
        assert not await session.scalar(select(func.count()).select_from(TicketRow))
    assert await unfinished_recordings(database) == [], "it owes no ticket"


async def test_what_failed_is_tried_again_by_the_next_import(
    database: Database, folder: Path, clock: SetClock, rules: FollowUpRules
) -> None:
    first = await take_in(database, folder, clock)
    async with Transcriber(TranscriberSettings(processes=1)) as transcriber:
        case = use_case(database, transcriber, clock, folder.parent / "recordings", rules)
        shutil.rmtree(folder.parent / "recordings")
        with pytest.raises(RecordingRejected, match="import its folder again") as refused:
            await case.fetch(first.ids[0])
        await case.give_up(first.ids[0], str(refused.value))
    assert (await import_progress(database, first.ids)).failed == 1
    assert await failed_imports(database, first.ids) == [
        (
            "20240305-143022_13800000001.wav",
            "the imported file is no longer among the recordings: import its folder again",
        )
    ]
    again = await take_in(database, folder, clock)
    assert (again.new, again.tried_again) == (0, 1)
    assert [one.job_number for one in await pending_recordings(database)] == [1]
    assert any((folder.parent / "recordings" / "imported").rglob("*.wav")), "the file is kept again as well"


async def test_danger_goes_before_voice_mail_before_talk_before_imports(
    database: Database, inbox: EventInbox, folder: Path, clock: SetClock
) -> None:
    await take_in(database, folder, clock)
    for number, (content, key) in enumerate(
        [
            ("conversation", None),
            ("voice_mail", None),
            ("conversation", "9"),
            ("voice_mail", "19"),
            ("conversation", None),
        ]
    ):
        call_id = f"twilio:CA{number}"
        events = answered_call(call_id, recording_id=f"RE{number}", url="http://x/", seconds=5.0, content=content)
        if key:
            events.append(happened(EventKind.KEY_PRESSED, 2, call=call_id, purpose="menu", digits=key))
        await inbox.store(events, received_at=clock.now())
    while await fold_pending(database, RingRule(), now=clock.now()):
        continue
    async with database.write() as session:
        session.add(
            LiveCallRow(
                call_id="twilio:CA4",
                provider="twilio",
                stream_id="MZ4",
                state="ended",
                started_at=clock.now(),
                emergency_at=clock.now(),
            )
        )
    found = await pending_recordings(database, emergency_keys=("9",))
    assert [(one.id[:3], one.priority.name) for one in found] == [
        ("RE2", "EMERGENCY"),
        ("RE4", "EMERGENCY"),
        ("RE1", "VOICE_MAIL"),
        ("RE3", "VOICE_MAIL"),
        ("RE0", "CONVERSATION"),
        ("imp", "IMPORT"),
    ]
    async with database.write() as session:
        await session.execute(update(RecordingRow).values(state=RecordingState.TRANSCRIBED))
    assert await pending_recordings(database) == []


async def test_a_file_on_another_file_system_is_copied(
    database: Database, folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_file_system(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_file_system)
    first = await take_in(database, folder, clock)
    kept = [path for path in (folder.parent / "recordings").rglob("*") if path.is_file()]
    assert [path.stem for path in kept] == first.ids
    assert kept[0].stat().st_mode & 0o077 == 0
