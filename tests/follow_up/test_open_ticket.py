"""From calls to tickets: once a call, sure values only, joined where the resident calls again."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderState
from callcenter.db.tickets import (
    TicketCallRow,
    TicketDeadlineRow,
    TicketFieldRow,
    TicketHistoryRow,
    TicketRow,
)
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.rings import Disposition
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import Place, RequestType, TicketDraft, Urgency
from callcenter.domain.transcript import Transcript
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.missed_calls import plan_missed_call
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    HOME,
    RESIDENT,
    Opens,
    Round,
    call_back,
    ended,
    heard,
    inbound,
    leak,
    local,
    missed,
    reminders,
)


async def ticket(database: Database, number: str) -> TicketRow:
    async with database.read() as session:
        return (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one()


async def test_a_call_becomes_a_ticket_with_everything_that_was_heard(opens: Opens, database: Database) -> None:
    opened = await opens(inbound("CA1", local(24, 9, 59)), leak(promises=(call_back(local(24, 10, 30)),)))
    assert opened.number == "GD-1124-0001"
    assert not opened.joined
    row = await ticket(database, opened.number)
    assert (row.request_type, row.category, row.urgency) == ("repair", "plumbing", "normal")
    assert (row.building, row.unit, row.room) == ("3", "2", "501")
    assert (row.phone, row.caller_number, row.contact) == ("13912344471", RESIDENT, "王女士")
    assert (row.owner, row.status, row.needs_review, row.must_listen) == ("hewen", "open", False, False)
    async with database.read() as session:
        fields = {field.field: field for field in (await session.scalars(select(TicketFieldRow))).all()}
        deadline = (await session.scalars(select(TicketDeadlineRow))).one()
    assert fields["place"].heard == "3栋2单元501"
    assert fields["place"].evidence == [
        {"side": "resident", "words": "words", "start_ms": 1000, "end_ms": 2000, "call_id": "CA1"}
    ]
    assert (deadline.kind, deadline.due_at) == ("promise", local(24, 10, 30))
    (reminder,) = await reminders(database)
    assert (reminder.kind, reminder.to_number) == ("call_back_promised", "+8613912344471")
    assert reminder.due_at == local(24, 10, 25)
    assert reminder.promised_for == local(24, 10, 30)


async def test_opening_a_ticket_twice_changes_nothing(opens: Opens, database: Database) -> None:
    call, draft = inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),))
    first = await opens(call, draft)
    before = await _everything(database)
    assert await opens(inbound("CA1", local(24, 10)), draft) == first
    assert await _everything(database) == before


async def _everything(database: Database) -> list[int]:
    tables = (TicketRow, TicketFieldRow, TicketDeadlineRow, TicketHistoryRow, TicketCallRow)
    async with database.read() as session:
        counts = [await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
    return [*counts, len(await reminders(database))]


async def test_an_unsure_value_is_kept_for_the_reviewer_and_not_written_on_the_ticket(
    opens: Opens, database: Database
) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), leak(place=heard(HOME, 0.5)))
    row = await ticket(database, opened.number)
    assert (row.building, row.room, row.needs_review) == (None, None, True)
    async with database.read() as session:
        field = await session.get_one(TicketFieldRow, (row.id, "place"))
    assert (field.state, field.heard, field.value) == ("unsure", "3栋2单元501", None)


async def test_the_callers_number_serves_where_none_was_spoken(opens: Opens, database: Database) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), leak(phone=None, promises=(call_back(local(24, 11)),)))
    row = await ticket(database, opened.number)
    assert (row.phone, row.caller_number, row.needs_review) == (None, RESIDENT, False)
    assert (await reminders(database))[0].to_number == RESIDENT


async def test_a_promise_to_someone_without_a_number_goes_to_a_person(opens: Opens, database: Database) -> None:
    call = inbound("CA1", local(24, 10), from_number=None)
    opened = await opens(call, leak(phone=None, promises=(call_back(local(24, 11)),)))
    assert (await ticket(database, opened.number)).needs_review
    (reminder,) = await reminders(database)
    assert (reminder.state, reminder.reason) == (ReminderState.HANDED_OVER, "not_dialable")


async def test_tickets_are_numbered_by_local_day_without_gaps(opens: Opens, database: Database) -> None:
    async def one(number: int) -> str:
        call = inbound(f"CA{number}", local(24, 0, 30), from_number=f"+86138000000{number:02}")
        return (await opens(call, leak(place=None, phone=None))).number

    numbers = await asyncio.gather(*(one(number) for number in range(12)))
    assert sorted(numbers) == [f"GD-1124-{number:04}" for number in range(1, 13)]


async def test_a_second_call_about_the_same_thing_joins_and_raises_the_urgency(
    opens: Opens, database: Database, clock: SetClock
) -> None:
    first = await opens(inbound("CA1", local(24, 10)), leak(contact=None))
    clock.advance(minutes=20)
    again = await opens(
        inbound("CA2", local(24, 10, 20), answered_by="chenmin"),
        leak(phone=None, promises=(call_back(local(24, 12)),)),
    )
    assert (again.joined, again.ticket_id) == (True, first.ticket_id)
    row = await ticket(database, first.number)
    assert (row.call_count, row.urgency, row.owner, row.contact) == (2, "urgent", "hewen", "王女士")
    async with database.read() as session:
        relation = await session.get_one(TicketCallRow, (row.id, "CA2"))
    assert (relation.relation, relation.reason) == ("repeat", "same_number+same_category")
    assert [reminder.promised_for for reminder in await reminders(database)] == [local(24, 12)]


async def test_another_phone_from_the_same_home_joins(opens: Opens) -> None:
    first = await opens(inbound("CA1", local(24, 10)), leak())
    other = inbound("CA2", local(24, 11), from_number="+8618600000001")
    again = await opens(other, leak(phone=None, place=heard(Place(building="3", room="501"))))
    assert again.ticket_id == first.ticket_id


async def test_asking_for_progress_joins_whatever_it_is_about(opens: Opens) -> None:
    first = await opens(inbound("CA1", local(24, 10)), leak())
    asks = TicketDraft(request_type=heard(RequestType.PROGRESS))
    assert (await opens(inbound("CA2", local(24, 11)), asks)).ticket_id == first.ticket_id


async def test_another_matter_or_another_home_is_a_ticket_of_its_own(opens: Opens) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    noise = await opens(inbound("CA2", local(24, 11)), leak(categories=(heard("noise"),)))
    neighbour = heard(Place(building="3", unit="2", room="601"))
    stranger = inbound("CA3", local(24, 11), from_number="+8618600000001")
    other = await opens(stranger, leak(phone=None, place=neighbour))
    assert not noise.joined
    assert not other.joined


async def test_a_repeat_call_about_a_solved_ticket_reopens_it(opens: Opens, database: Database) -> None:
    first = await opens(inbound("CA1", local(24, 10)), leak())
    async with database.write() as session:
        row = await session.get_one(TicketRow, first.ticket_id)
        row.status = TicketStatus.SOLVED.value
    await opens(inbound("CA2", local(24, 11)), leak())
    assert (await ticket(database, first.number)).status == TicketStatus.REOPENED


async def test_two_calls_at_once_about_the_same_thing_make_one_ticket(opens: Opens) -> None:
    calls = [opens(inbound(f"CA{number}", local(24, 10)), leak()) for number in range(5)]
    opened = await asyncio.gather(*calls)
    assert len({one.ticket_id for one in opened}) == 1
    assert sum(one.joined for one in opened) == 4


async def test_a_call_with_nothing_said_must_be_listened_to(opens: Opens, database: Database) -> None:
    silence = Transcript.of([], duration_ms=9000)
    opened = await opens(inbound("CA1", local(24, 10)), TicketDraft(), transcript=silence)
    row = await ticket(database, opened.number)
    assert (row.must_listen, row.must_listen_reason, row.status) == (True, "nothing_said", "open")


async def test_a_failed_transcription_still_makes_a_ticket(opens: Opens, database: Database) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), TicketDraft(), transcript=None, failure="下载失败")
    row = await ticket(database, opened.number)
    assert (row.must_listen, row.must_listen_reason, row.needs_review) == (True, "下载失败", True)


async def test_praise_is_recorded_and_needs_no_action(opens: Opens, database: Database) -> None:
    draft = leak(request_type=heard(RequestType.PRAISE), categories=(heard("attitude"),))
    opened = await opens(inbound("CA1", local(24, 10)), draft)
    row = await ticket(database, opened.number)
    assert (row.status, row.no_action_reason) == ("closed", "praise")
    assert await reminders(database) == []


async def test_an_emergency_has_three_minutes(opens: Opens, database: Database) -> None:
    urgency = heard(Urgency.EMERGENCY)
    await opens(inbound("CA1", local(24, 10)), leak(request_type=heard(RequestType.EMERGENCY), urgency=urgency))
    async with database.read() as session:
        deadline = (await session.scalars(select(TicketDeadlineRow))).one()
    assert (deadline.kind, deadline.due_at) == ("on_site", local(24, 10, 3))


async def test_a_complaint_is_answered_within_24_hours_in_decent_hours(opens: Opens, database: Database) -> None:
    await opens(inbound("CA1", local(24, 22)), leak(request_type=heard(RequestType.COMPLAINT)))
    async with database.read() as session:
        due = {row.kind: row.due_at for row in (await session.scalars(select(TicketDeadlineRow))).all()}
    assert due == {"first_reply": local(25, 22), "settled": local(25, 0)}
    (reminder,) = await reminders(database)
    assert (reminder.kind, reminder.due_at) == ("complaint_first_reply", local(25, 19))


async def test_one_call_keeps_the_promise_and_the_first_reply(opens: Opens, database: Database) -> None:
    promised = call_back(local(24, 10) + timedelta(hours=24))
    await opens(inbound("CA1", local(24, 10)), leak(request_type=heard(RequestType.COMPLAINT), promises=(promised,)))
    assert [reminder.kind for reminder in await reminders(database)] == ["call_back_promised"]


async def test_a_promise_that_was_tried_is_kept_by_the_residents_own_call(
    opens: Opens, tick: Round, database: Database, clock: SetClock
) -> None:
    """Promised for tonight, tried in the evening, the line was busy; then they phone in: kept, and its deadline met."""
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 23, 59)),)))
    clock.at = (await reminders(database))[0].due_at
    await tick()
    await ended(tick, OutboundOutcome.BUSY, clock.at)
    clock.advance(minutes=4)
    await opens(inbound("CA2", clock.at - timedelta(minutes=2)), leak())
    (reminder,) = await reminders(database)
    async with database.read() as session:
        of_promise = select(TicketDeadlineRow).where(TicketDeadlineRow.kind == "promise")
        deadline = (await session.scalars(of_promise)).one()
    assert (reminder.state, reminder.reason) == ("cancelled", "resident_called_in")
    assert deadline.due_at == local(24, 23, 59)
    assert deadline.met_at is not None


async def _misses(database: Database, call: CallRow, clock: SetClock, rules: FollowUpRules) -> None:
    async with database.write() as session:
        row = await session.merge(call)
        await session.flush()
        await plan_missed_call(session, row, clock.now(), rules=rules)


async def test_a_missed_call_is_called_back_once(database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    call = missed("CA1", local(24, 10), Disposition.ABANDONED)
    for _ in range(2):
        await _misses(database, call, clock, rules)
    await _misses(database, missed("CA2", local(24, 10, 2), Disposition.RANG_OUT), clock, rules)
    (reminder,) = await reminders(database)
    assert (reminder.topic, reminder.to_number) == ("call:CA1", RESIDENT)
    assert reminder.due_at == local(24, 10, 16)


async def test_short_abandons_and_hidden_numbers_are_not_called_back(
    database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await _misses(database, missed("CA1", local(24, 10), Disposition.SHORT_ABANDONED), clock, rules)
    for number, hidden in enumerate((None, "anonymous", "+266696687", "110")):
        call = missed(f"CB{number}", local(24, 10), Disposition.REFUSED, from_number=hidden)
        await _misses(database, call, clock, rules)
    assert await reminders(database) == []


async def test_a_night_call_missed_is_called_back_in_the_morning(
    database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await _misses(database, missed("CA1", local(24, 23), Disposition.RANG_OUT), clock, rules)
    assert (await reminders(database))[0].due_at == local(25, 9)


async def test_a_resident_who_gets_through_is_not_called_back(
    database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await _misses(database, missed("CA1", local(24, 10), Disposition.RANG_OUT), clock, rules)
    await _misses(database, inbound("CA2", local(24, 10, 5)), clock, rules)
    (reminder,) = await reminders(database)
    assert (reminder.state, reminder.reason) == (ReminderState.CANCELLED, "resident_called_in")
    await _misses(database, missed("CA0", local(24, 9, 50), Disposition.RANG_OUT), clock, rules)
    assert len(await reminders(database)) == 1


async def test_the_call_back_of_a_voice_mail_speaks_of_its_ticket_and_goes_to_the_number_spoken(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    call = missed("CA1", local(24, 10), Disposition.VOICE_MAIL)
    await _misses(database, call, clock, rules)
    opened = await opens(missed("CA1", local(24, 10), Disposition.VOICE_MAIL), leak())
    (reminder,) = await reminders(database)
    assert (reminder.ticket_id, reminder.to_number) == (opened.ticket_id, "+8613912344471")
    assert (await ticket(database, opened.number)).owner is None
