"""The estate register in the database: imported whole, read again after an import; residents who want no calls."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState, SegmentRow
from callcenter.db.register import RegisterImportRow, RegisterResidentRow, RegisterRoomRow
from callcenter.db.reminders import DoNotCallRow, ReminderRow
from callcenter.db.tickets import TicketFieldRow, TicketHistoryRow, TicketRow
from callcenter.domain.rings import RingRule
from callcenter.domain.tickets import Place
from callcenter.domain.understanding import CallContext, understand_text
from callcenter.domain.understanding.register_file import RegisterFile, read_register
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.open_ticket import open_ticket
from callcenter.services.register import ImportedRegister, KnownRegister, import_register
from callcenter.services.transcribe_recording import TranscribeRecording
from tests.conftest import SetClock
from tests.services.conftest import answered_call

RESIDENT = "+8613812346207"


def _file(*rows: str) -> RegisterFile:
    return read_register("\n".join(["estate,building,room,phone", *rows]).encode())


async def _count(database: Database, table: type) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def _import(database: Database, clock: SetClock, *rows: str, dry_run: bool = False) -> ImportedRegister:
    return await import_register(database, _file(*rows), source="a.csv", now=clock.now(), dry_run=dry_run)


async def test_an_import_replaces_its_estates_and_leaves_the_others(database: Database, clock: SetClock) -> None:
    await _import(database, clock, "枫桦景苑,4,1103,13812346207", "枫桦景苑,4,1104,", "翠湖花园,3,501,")
    done = await _import(database, clock, "枫桦景苑,4,1103,", "枫桦景苑,5,201,13912344471")
    assert (done.rooms, done.residents, done.added, done.removed) == (2, 1, 1, 1)
    async with database.read() as session:
        rooms = (await session.execute(select(RegisterRoomRow.estate, RegisterRoomRow.room))).all()
        phones = (await session.scalars(select(RegisterResidentRow.phone))).all()
    assert sorted(tuple(room) for room in rooms) == [("枫桦景苑", "1103"), ("枫桦景苑", "201"), ("翠湖花园", "501")]
    assert phones == ["+8613912344471"]


async def test_a_dry_run_changes_nothing(database: Database, clock: SetClock) -> None:
    done = await _import(database, clock, "枫桦景苑,4,1103,", dry_run=True)
    assert done.added == 1
    assert await _count(database, RegisterRoomRow) == await _count(database, RegisterImportRow) == 0


async def test_the_known_register_follows_the_imports(database: Database, clock: SetClock) -> None:
    known = KnownRegister()
    assert await known.current(database) is None
    await _import(database, clock, "枫桦景苑,4,1103,13812346207")
    first = await known.current(database)
    assert first is not None
    assert first.home_of(RESIDENT) == Place(estate="枫桦景苑", building="4", room="1103")
    assert await known.current(database) is first
    await _import(database, clock, "枫桦景苑,4,1104,")
    second = await known.current(database)
    assert second is not None
    assert not second.contains(Place(building="4", room="1103"))


async def test_many_rooms(database: Database, clock: SetClock) -> None:
    rows = [f"枫桦景苑,{building},{room}," for building in range(1, 26) for room in range(101, 201)]
    assert (await _import(database, clock, *rows)).rooms == 2500
    assert await _count(database, RegisterRoomRow) == 2500


@pytest.fixture
async def call(database: Database, inbox: EventInbox, clock: SetClock) -> CallRow:
    await inbox.store(answered_call(caller=RESIDENT), received_at=clock.now())
    await fold_pending(database, RingRule(), now=clock.now())
    async with database.read() as session:
        return (await session.scalars(select(CallRow))).one()


async def _opened(database: Database, call: CallRow, text: str, clock: SetClock, rules: FollowUpRules) -> None:
    context = CallContext(heard_at=clock.now().astimezone(rules.zone), caller_number=call.from_number)
    draft = understand_text(text, context=context)
    async with database.write() as session:
        row = await session.get_one(CallRow, call.id)
        await open_ticket(session, call=row, transcript=None, draft=draft, now=clock.now(), rules=rules)


async def test_a_resident_who_wants_no_calls_gets_none(
    database: Database, call: CallRow, clock: SetClock, rules: FollowUpRules
) -> None:
    text = "住户：三栋五零一漏水\n客服：半小时内给您回电\n住户：以后别再给我打电话了"
    await _opened(database, call, text, clock, rules)
    async with database.read() as session:
        stopped = (await session.scalars(select(DoNotCallRow.number))).all()
        states = set((await session.scalars(select(ReminderRow.state).where(ReminderRow.to_number == RESIDENT))).all())
        actions = (await session.scalars(select(TicketHistoryRow.action))).all()
    assert stopped == [RESIDENT]
    assert states == {"cancelled"}
    assert "note" in actions


async def test_a_number_that_the_resident_gave_is_stopped_too(
    database: Database, call: CallRow, clock: SetClock, rules: FollowUpRules
) -> None:
    text = "住户：三栋五零一漏水，电话幺三九幺二三四四四七幺\n住户：修好就行，以后别再打电话来了"
    await _opened(database, call, text, clock, rules)
    async with database.read() as session:
        stopped = set((await session.scalars(select(DoNotCallRow.number))).all())
    assert stopped == {RESIDENT, "+8613912344471"}


async def test_what_has_no_column_is_kept_with_its_words(
    database: Database, call: CallRow, clock: SetClock, rules: FollowUpRules
) -> None:
    text = "三栋五零一厨房水管漏水，另外物业费多收了一百二十元，必须退给我"
    await _opened(database, call, text, clock, rules)
    async with database.read() as session:
        fields = {row.field: row for row in (await session.scalars(select(TicketFieldRow))).all()}
    assert fields["amount.1"].value == "120元"
    assert fields["demand.1"].value == "必须退给我"
    assert {"problem.1", "problem.2"} <= fields.keys()
    assert fields["amount.1"].evidence[0]["words"] == "一百二十元"


async def _transcribed(database: Database, call: CallRow, clock: SetClock, text: str) -> None:
    async with database.write() as session:
        session.add(
            RecordingRow(
                id="RE1",
                call_id=call.id,
                provider="twilio",
                url="-",
                content="conversation",
                channels=2,
                ready_at=clock.now(),
                state=RecordingState.TRANSCRIBED,
            )
        )
        await session.flush()
        session.add(
            SegmentRow(
                recording_id="RE1",
                number=0,
                call_id=call.id,
                side="resident",
                start_ms=0,
                end_ms=900,
                text=text,
                words=[],
            )
        )


@pytest.mark.parametrize(
    ("text", "state", "room"), [("厨房水管漏水", "unsure", None), ("风华1984号1103厨房水管漏水", "heard", "1103")]
)
async def test_the_ticket_of_a_recording_knows_the_register(
    database: Database,
    call: CallRow,
    clock: SetClock,
    rules: FollowUpRules,
    tmp_path: Path,
    text: str,
    state: str,
    room: str | None,
) -> None:
    file = read_register("estate,lane,building,room,phone\n枫桦景苑,198,4,1103,13812346207\n".encode())
    await import_register(database, file, source="a.csv", now=clock.now())
    await _transcribed(database, call, clock, text)
    nobody: Any = None
    use_case = TranscribeRecording(
        database=database,
        fetcher=nobody,
        transcriber=nobody,
        engine=nobody,
        clock=clock,
        recordings_dir=tmp_path,
        zone=rules.zone,
        rules=rules,
    )
    await use_case.open_ticket("RE1")
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
        place = (await session.scalars(select(TicketFieldRow).where(TicketFieldRow.field == "place"))).one()
    assert (place.state, place.heard) == (state, "枫桦景苑198弄4号1103室")
    assert (ticket.room, ticket.needs_review) == (room, room is None)
