"""What agents corrected comes out as a labelled set, and the set measures the machine: there and back."""

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcenter.commands.corrections import export_corrections
from callcenter.commands.speech_evaluation import evaluate_speech
from callcenter.commands.understanding import evaluate_set
from callcenter.config import DatabaseSettings, Settings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.rings import RingRule
from callcenter.domain.understanding.labels import read_labels
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.tickets import Change, confirm_all, correct_field
from callcenter.services.transcribe_recording import TranscribeRecording
from tests.conftest import SetClock
from tests.services.conftest import answered_call

RESIDENT = "+8613812346207"
SAID = (
    ("resident", "我是三栋二单元五零一的王女士，厨房水管漏水，电话幺三九幺二三四四四七幺，明天上午在家"),
    ("agent", "好的，马上安排"),
)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=database_url))


async def ticket_of(
    database: Database, inbox: EventInbox, clock: SetClock, rules: FollowUpRules, folder: Path, call_id: str, at: int
) -> str:
    """A ticket as the transcription job makes it from SAID; its number."""
    await inbox.store(answered_call(f"twilio:{call_id}", caller=f"{RESIDENT[:-1]}{at}"), received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())
    async with database.write() as session:
        call = await session.get_one(CallRow, f"twilio:{call_id}")
        recording = RecordingRow(
            id=call_id,
            call_id=call.id,
            provider="twilio",
            url="-",
            content="conversation",
            channels=2,
            ready_at=clock.now(),
            state=RecordingState.TRANSCRIBED,
        )
        session.add(recording)
        await session.flush()
        for number, (side, text) in enumerate(SAID):
            times = {"start_ms": number * 9000, "end_ms": number * 9000 + 8000}
            values = {"number": number, "side": side, "text": text, "words": []} | times
            session.add(SegmentRow(recording_id=call_id, call_id=call.id, **values))
    nobody: Any = None
    use_case = TranscribeRecording(
        database=database,
        fetcher=nobody,
        transcriber=nobody,
        engine=nobody,
        clock=clock,
        recordings_dir=folder,
        zone=rules.zone,
        rules=rules,
    )
    await use_case.open_ticket(call_id)
    async with database.read() as session:
        query = select(TicketRow.number).where(TicketRow.first_call_id == call.id)
        return (await session.scalars(query)).one()


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


async def test_there_and_back(
    database: Database,
    inbox: EventInbox,
    clock: SetClock,
    rules: FollowUpRules,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = await ticket_of(database, inbox, clock, rules, tmp_path, "CA1", 1)
    change = Change(number=number, version=1, actor="chenmin", now=clock.now())
    await correct_field(database, change, field="place", value="3栋502", rules=rules)
    await confirm_all(database, Change(number=number, version=2, actor="chenmin", now=clock.now()), rules=rules)
    file = tmp_path / "corrections.jsonl"
    assert await export_corrections(settings, file, since=None, speech=False) == 0
    assert "exported 1 calls" in capsys.readouterr().out
    (row,) = rows_of(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert row["text"] == "\n".join(f"{'客服' if side == 'agent' else '住户'}：{text}" for side, text in SAID)
    assert (row["ticket"], row["call_id"], row["heard_at"]) == (number, "twilio:CA1", "2026-11-24T10:00:10+08:00")
    place = {"building": "3", "unit": None, "room": "502"}
    assert {slot: row["expect"][slot] for slot in place} == place, "the unit was heard and is not so"
    assert (row["expect"]["phone"], row["expect"]["contact"]) == ("13912344471", "王女士")
    assert row["expect"]["from"] == "2026-11-25T08:00:00+08:00"
    assert (row["by"]["room"], row["by"]["category"]) == ("corrected", "confirmed")
    assert row["personal"] == ["building", "contact", "phone", "room", "text", "unit"]
    assert len(read_labels(file.read_text("utf-8"))) == 1
    assert evaluate_set(settings, file, register=None, as_json=True, misses=False, at=clock.now()) == 0
    slots = json.loads(capsys.readouterr().out)["slots"]
    assert (slots["room"]["wrong"], slots["unit"]["invented"], slots["building"]["right"]) == (1, 1, 1)
    assert (slots["phone"]["right"], slots["from"]["right"], slots["category"]["right"]) == (1, 1, 1)


async def test_corrected_words_become_a_regression_set(
    database: Database,
    inbox: EventInbox,
    clock: SetClock,
    rules: FollowUpRules,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was heard beside what was said, with the ticket's corrected fields; measured with the operator's words."""
    number = await ticket_of(database, inbox, clock, rules, tmp_path, "CA1", 1)
    change = Change(number=number, version=1, actor="chenmin", now=clock.now())
    await correct_field(database, change, field="place", value="3栋502", rules=rules)
    async with database.write() as session:
        row = await session.get_one(SegmentRow, ("CA1", 1))
        row.text, row.corrected_text = "好的，码上安排", "好的，马上安排"
    file, words = tmp_path / "speech.jsonl", tmp_path / "words.txt"
    words.write_text("马上安排\n", "utf-8")
    assert await export_corrections(settings, file, since=None, speech=True) == 0
    assert "exported 1 calls" in capsys.readouterr().out
    (found,) = rows_of(file)
    assert found["passages"] == [["好的，码上安排", "好的，马上安排", []]]
    assert found["expect"]["room"] == "502"
    assert [segment[3] for segment in found["segments"]] == [SAID[0][1], "好的，码上安排"]
    for list_file, errors in ((None, 1), (words, 0)):
        assert evaluate_speech(settings, file, register=None, words=list_file, as_json=True, at=clock.now()) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["character_error_rate"] == {"before": 1 / 6, "after": errors / 6}
        assert told["slots"]["room"] == {"judged": 1, "before": 0, "after": 0}
        assert told["slots"]["building"] == {"judged": 1, "before": 1, "after": 1}
    words.write_text("x\n", "utf-8")
    assert evaluate_speech(settings, file, register=None, words=words, as_json=False, at=clock.now()) == 1
    assert "line 1: 'x'" in capsys.readouterr().err


async def test_only_what_was_looked_at_since(
    database: Database,
    inbox: EventInbox,
    clock: SetClock,
    rules: FollowUpRules,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = await ticket_of(database, inbox, clock, rules, tmp_path, "CA1", 1)
    change = Change(number=number, version=1, actor="chenmin", now=clock.now())
    await correct_field(database, change, field="category", value="lift", rules=rules)
    file = tmp_path / "corrections.jsonl"
    for since, calls in ((clock.now(), 1), (clock.now() + timedelta(seconds=1), 0)):
        assert await export_corrections(settings, file, since=since, speech=False) == 0
        assert len(rows_of(file)) == calls
    assert "no ticket has a field" in capsys.readouterr().out
    assert await export_corrections(settings, tmp_path, since=None, speech=False) == 1
    assert "give a file that can be written" in capsys.readouterr().err
