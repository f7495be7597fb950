"""The life of a reminder: claimed once, called by the rules, never redialled blindly, its outcome written down."""

import asyncio
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, ReminderState
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.trunks import Trunk
from callcenter.ports import DialRefused, DialUncertain, OutboundCall
from callcenter.services.dial import Dialled, dial
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import Claim, NewReminder, claim_due, plan_reminder, stop_calling
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    RESIDENT,
    FarEnd,
    Opens,
    Round,
    attempts,
    call_back,
    ended,
    ends,
    inbound,
    leak,
    local,
    outbound,
    reminders,
    the_reminder,
)


async def plan(
    database: Database,
    clock: SetClock,
    due_at: datetime,
    *,
    topic: str = "call:X",
    kind: str = "missed_call",
    to_number: str = RESIDENT,
    promised_for: datetime | None = None,
) -> None:
    new = NewReminder(kind=kind, topic=topic, to_number=to_number, due_at=due_at, promised_for=promised_for)
    async with database.write() as session:
        await plan_reminder(session, new, now=clock.now())


async def test_a_promised_call_is_made_and_says_what_was_reported(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    assert await tick() == 0
    clock.at = local(24, 10, 25)
    assert await tick() == 1
    (call,) = far_end.calls
    assert (call.to_number, call.asks_key) == ("+8613912344471", True)
    assert call.speech.startswith("您好，上午好，这里是翠湖物业客服中心，按照约定给您回电。您反映的“厨房水管漏水”")
    assert "三栋二单元五零幺" in call.speech
    assert "工单号幺幺二四，零零零幺" in call.speech
    reminder = await ended(tick, OutboundOutcome.REACHED, local(24, 10, 26), keys="1")
    assert (reminder.state, reminder.reason) == (ReminderState.DONE, "reached")
    async with database.read() as session:
        deadline = (await session.scalars(select(TicketDeadlineRow))).one()
        relation = (await session.scalars(select(TicketCallRow.relation).where(TicketCallRow.call_id != "CA1"))).one()
        actions = (
            await session.scalars(
                select(TicketHistoryRow.action)
                .where(TicketHistoryRow.ticket_id == opened.ticket_id)
                .order_by(TicketHistoryRow.id)
            )
        ).all()
    assert deadline.met_at == local(24, 10, 26)
    assert relation == "call_back"
    assert actions == ["opened", "reminder_planned", "resident_called", "resident_answered"]


async def test_two_claimers_never_get_the_same_reminder(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    tick.rules = replace(tick.rules, trunks=(Trunk(name="main", calls_at_once=100, calls_a_minute=100),))
    for number in range(30):
        await plan(database, clock, clock.now(), topic=f"call:{number}", to_number=f"+86138000000{number:02}")
    await asyncio.gather(*(tick(claimer, limit=7) for claimer in ("one", "two") for _ in range(4)))
    dialled = [call.reminder_id for call in far_end.calls]
    assert len(dialled) == len(set(dialled)) == 30


async def test_a_claim_takes_no_more_than_its_limit_and_the_oldest_first(database: Database, clock: SetClock) -> None:
    for minute in (3, 1, 2):
        await plan(database, clock, local(24, 9, minute), topic=f"call:{minute}")
    claims = await claim_due(database, now=clock.now(), claimer="one", limit=2)
    by_id = {reminder.id: reminder.due_at for reminder in await reminders(database)}
    assert sorted(by_id[claim.reminder_id] for claim in claims) == [local(24, 9, 1), local(24, 9, 2)]


async def test_a_claim_that_is_no_longer_ours_is_not_called(
    database: Database, clock: SetClock, far_end: FarEnd, rules: FollowUpRules
) -> None:
    await plan(database, clock, clock.now())
    (claim,) = await claim_due(database, now=clock.now(), claimer="one", limit=5)
    stranger = Claim(reminder_id=claim.reminder_id, claimer="two", at=claim.at)
    assert await dial(database, stranger, clock=clock, dialler=far_end, rules=rules) is Dialled.NOT_OURS
    async with database.write() as session:
        await stop_calling(session, RESIDENT, reason="asked", now=clock.now())
    assert await dial(database, claim, clock=clock, dialler=far_end, rules=rules) is Dialled.NOT_OURS
    assert far_end.calls == []


async def test_no_call_leaves_for_a_closed_ticket(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    async with database.write() as session:
        (await session.get_one(TicketRow, opened.ticket_id)).status = TicketStatus.CLOSED.value
    clock.at = local(24, 10, 25)
    await tick()
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason) == (ReminderState.CANCELLED, "ticket_finished")
    assert far_end.calls == []


async def test_the_attempt_is_committed_before_the_provider_is_asked(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await plan(database, clock, clock.now())
    seen: list[int] = []

    class Looks(FarEnd):
        async def place_call(self, call: OutboundCall) -> str:
            seen.append(len(await attempts(database)))
            return "CA9"

    tick.far_end = Looks()
    await tick()
    assert seen == [1]
    assert [attempt.call_id for attempt in await attempts(database)] == ["CA9"]


async def test_killed_while_the_provider_was_asked_is_handed_to_a_person(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    def dies(call: OutboundCall) -> str:
        raise asyncio.CancelledError

    await plan(database, clock, clock.now())
    far_end.answer = dies
    await tick()
    assert (await the_reminder(database)).state == ReminderState.DIALLING
    clock.advance(minutes=6)
    await tick("after the restart")
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason) == (ReminderState.HANDED_OVER, "left_unfinished")
    clock.advance(days=1)
    await tick()
    assert len(far_end.calls) == 1


async def test_killed_before_the_attempt_was_written_goes_back_to_waiting(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await plan(database, clock, clock.now())
    await claim_due(database, now=clock.now(), claimer="killed", limit=5)
    clock.advance(seconds=50)
    assert await tick() == 0
    clock.advance(seconds=20)
    assert await tick() == 1
    assert len(far_end.calls) == 1


async def test_the_events_of_a_call_may_come_before_the_providers_answer(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await plan(database, clock, clock.now())

    class AnswersLate(FarEnd):
        async def place_call(self, call: OutboundCall) -> str:
            await ended(tick, OutboundOutcome.REACHED, clock.now(), call_id="CA7")
            return "CA7"

    tick.far_end = AnswersLate()
    await tick()
    reminder = await the_reminder(database)
    (attempt,) = await attempts(database)
    assert (reminder.state, attempt.call_id, attempt.outcome) == (ReminderState.DONE, "CA7", "reached")


async def test_no_clear_answer_is_never_redialled_but_good_news_still_counts(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    def times_out(call: OutboundCall) -> str:
        raise DialUncertain("time-out")

    await plan(database, clock, clock.now())
    far_end.answer = times_out
    await tick()
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason) == (ReminderState.HANDED_OVER, "provider_uncertain")
    clock.advance(days=2)
    await tick()
    assert len(far_end.calls) == 1
    assert (await ended(tick, OutboundOutcome.REACHED, clock.now(), call_id="CA8")).state == ReminderState.DONE


async def test_a_refusal_by_the_provider_is_no_attempt_at_the_resident(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    def refuses(call: OutboundCall) -> str:
        raise DialRefused("503")

    await plan(database, clock, clock.now())
    far_end.answer = refuses
    waits = []
    for _ in range(5):
        clock.at = (await the_reminder(database)).due_at
        begun = clock.now()
        await tick()
        waits.append((await the_reminder(database)).due_at - begun)
    assert [wait.total_seconds() / 60 for wait in waits] == [2, 4, 8, 16, 0]
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason) == (ReminderState.HANDED_OVER, "provider_refused")
    assert len({call.idempotency_key for call in far_end.calls}) == 5


async def test_not_reached_is_tried_at_other_times_of_day_and_then_by_a_person(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await plan(database, clock, clock.now())
    called = []
    for _ in range(3):
        clock.at = (await the_reminder(database)).due_at
        await tick()
        called.append(clock.at.astimezone(tick.rules.zone).strftime("%d %H:%M"))
        await ended(tick, OutboundOutcome.NO_ANSWER, clock.now())
    assert called == ["24 10:00", "24 14:00", "24 18:00"]
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason, reminder.attempts) == (ReminderState.HANDED_OVER, "last_attempt", 3)


async def test_busy_is_tried_again_in_ten_minutes(tick: Round, database: Database, clock: SetClock) -> None:
    await plan(database, clock, clock.now())
    await tick()
    reminder = await ended(tick, OutboundOutcome.BUSY, local(24, 10, 1))
    assert (reminder.state, reminder.reason, reminder.due_at) == (ReminderState.WAITING, "busy", local(24, 10, 12))


async def test_a_wrong_number_is_never_tried_again(tick: Round, database: Database, clock: SetClock) -> None:
    await plan(database, clock, clock.now())
    await tick()
    reminder = await ended(tick, OutboundOutcome.WRONG_NUMBER, local(24, 10, 1))
    assert (reminder.state, reminder.reason) == (ReminderState.HANDED_OVER, "wrong_number")


async def test_an_outcome_told_twice_counts_once(
    opens: Opens, tick: Round, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    clock.at = local(24, 10, 25)
    await tick()
    for _ in range(3):
        await ended(tick, OutboundOutcome.NO_ANSWER, local(24, 10, 26))
    assert (await the_reminder(database)).due_at == local(24, 14)
    async with database.read() as session:
        called = select(TicketHistoryRow).where(TicketHistoryRow.action == "resident_called")
        assert len((await session.scalars(called)).all()) == 1


async def test_key_9_stops_everything_at_once_and_for_good(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await plan(database, clock, clock.now(), topic="call:A")
    await tick()
    await plan(database, clock, clock.now(), topic="call:B")
    first = (await reminders(database))[0]
    call = outbound("CA-reminder-1-1", clock.now(), OutboundOutcome.REACHED, reminder_id=first.id, keys="9")
    await ends(database, call, clock, tick.rules)
    await plan(database, clock, clock.now(), topic="call:C")
    clock.advance(days=3)
    await tick()
    states = [(reminder.topic, reminder.state, reminder.reason) for reminder in await reminders(database)]
    assert states == [
        ("call:A", "done", "reached"),
        ("call:B", "cancelled", "do_not_call"),
        ("call:C", "cancelled", "do_not_call"),
    ]
    assert len(far_end.calls) == 1
    async with database.read() as session:
        assert await session.get(DoNotCallRow, RESIDENT) is not None


async def test_outside_decent_hours_only_a_promise_with_a_time_goes_out(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    clock.at = local(24, 21, 55)
    await plan(database, clock, clock.now(), topic="call:A")
    number = "+8613900000000"
    kind, promised = "call_back_promised", local(24, 22)
    await plan(database, clock, clock.now(), topic="t:B", kind=kind, to_number=number, promised_for=promised)
    await tick()
    assert [call.to_number for call in far_end.calls] == [number]
    waiting = (await reminders(database))[0]
    assert (waiting.state, waiting.reason, waiting.due_at) == ("waiting", "outside_decent_hours", local(25, 9))


async def test_a_promise_that_we_are_hours_late_with_waits_for_the_morning(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    due, kind = local(24, 21, 55), "call_back_promised"
    await plan(database, clock, due, topic="t:B", kind=kind, promised_for=local(24, 22))
    clock.at = local(25, 3)
    await tick()
    assert far_end.calls == []
    assert (await the_reminder(database)).due_at == local(25, 9)


async def test_one_number_is_not_called_twice_at_the_same_time_nor_more_than_five_times_a_day(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    for number in range(8):
        await plan(database, clock, clock.now(), topic=f"call:{number}")
    for _ in range(60):
        await asyncio.gather(tick("one"), tick("two"))
        for attempt in await attempts(database):
            if attempt.outcome is None:
                call = outbound(
                    str(attempt.call_id), clock.now(), OutboundOutcome.REACHED, reminder_id=attempt.reminder_id
                )
                await ends(database, call, clock, tick.rules)
        clock.advance(minutes=2)
    assert len(far_end.calls) == 5
    left = [reminder for reminder in await reminders(database) if reminder.state == ReminderState.WAITING]
    assert {(reminder.due_at, reminder.reason) for reminder in left} == {(local(25, 9), "number_tried_often_today")}
