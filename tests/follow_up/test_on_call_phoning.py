"""An emergency phones the on-call people until one acknowledges; no call twice, and none forgotten."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.escalation import Cause
from callcenter.domain.on_call import OnCallPerson, OnCallRules
from callcenter.domain.tickets import Urgency
from callcenter.ports import DialRefused, DialUncertain, OutboundCall
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.on_call import sound_alarms
from callcenter.services.on_call_answers import acknowledge_alarm, record_on_call
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, heard, inbound, leak, local, outbound

ZHOU, WU = "+8613900005581", "+8613900005582"
RULES = OnCallRules(
    zone=ZoneInfo("Asia/Shanghai"),
    people=(OnCallPerson(name="周工", phone=ZHOU), OnCallPerson(name="吴工", phone=WU)),
    rounds=2,
)
EMERGENCY = leak(urgency=heard(Urgency.EMERGENCY))


class Alarms:
    """The tick, what the on-call people do, and what stands in the database."""

    def __init__(self, database: Database, clock: SetClock, far_end: FarEnd) -> None:
        self.database, self.clock, self.far_end = database, clock, far_end

    async def tick(self, rules: OnCallRules = RULES) -> list[str]:
        """The numbers that were phoned in this round."""
        before = len(self.far_end.calls)
        await sound_alarms(self.database, clock=self.clock, dialler=self.far_end, rules=rules, company="翠湖物业")
        return [call.to_number for call in self.far_end.calls[before:]]

    async def alarm(self) -> OnCallAlarmRow:
        async with self.database.read() as session:
            return (await session.scalars(select(OnCallAlarmRow))).one()

    async def attempts(self) -> list[OnCallAttemptRow]:
        async with self.database.read() as session:
            return list((await session.scalars(select(OnCallAttemptRow).order_by(OnCallAttemptRow.id))).all())

    async def history(self) -> list[tuple[str, str]]:
        async with self.database.read() as session:
            rows = await session.scalars(select(TicketHistoryRow).order_by(TicketHistoryRow.id))
            return [(row.action, row.actor) for row in rows.all()]

    async def folded(self, call: CallRow, times: int = 2) -> None:
        """The events of a call have come in, and once more."""
        for _ in range(times):
            async with self.database.write() as session:
                row = await session.merge(call)
                await session.flush()
                await record_on_call(session, row, self.clock.now())

    async def ended(self, call: OutboundCall, outcome: OutboundOutcome, keys: str = "") -> None:
        row = outbound(
            f"CA-{call.idempotency_key}",
            self.clock.now(),
            outcome,
            reminder_id=None,
            to_number=call.to_number,
            keys=keys,
        )
        row.purpose = call.purpose
        await self.folded(row)


@pytest.fixture
async def alarms(opens: Opens, database: Database, clock: SetClock, far_end: FarEnd) -> Alarms:
    await opens(inbound("CA1", clock.now()), EMERGENCY)
    return Alarms(database, clock, far_end)


async def test_the_first_person_is_phoned_at_once_and_told_where_and_what(alarms: Alarms) -> None:
    assert await alarms.tick() == [ZHOU]
    assert await alarms.tick() == []
    (call,) = alarms.far_end.calls
    assert (call.purpose, call.asks_key, call.times) == ("on_call:1", True, 3)
    assert call.speech.startswith("翠湖物业紧急事件：三栋二单元五零幺，住户反映厨房水管漏水。")
    (attempt,) = await alarms.attempts()
    assert (attempt.idempotency_key, attempt.call_id, attempt.outcome) == ("on-call-1-1", "CA-on-call-1-1", None)


async def test_an_alarm_at_night_is_not_bound_to_decent_hours(
    opens: Opens, database: Database, clock: SetClock, far_end: FarEnd
) -> None:
    clock.at = local(25, 3)
    await opens(inbound("CA1", clock.now()), EMERGENCY)
    assert await Alarms(database, clock, far_end).tick() == [ZHOU]


async def test_key_1_acknowledges_and_nobody_else_is_phoned(alarms: Alarms) -> None:
    await alarms.tick()
    await alarms.ended(alarms.far_end.calls[0], OutboundOutcome.REACHED, keys="1")
    alarm = await alarms.alarm()
    assert (alarm.state, alarm.acknowledged_by) == ("acknowledged", "周工")
    alarms.clock.advance(hours=1)
    assert await alarms.tick() == []
    assert [one for one in await alarms.history() if one[0].startswith("on_call")] == [
        ("on_call_phoned", "system"),
        ("on_call_acknowledged", "周工"),
    ]


async def test_without_an_acknowledgement_the_next_one_is_phoned_after_sixty_seconds(alarms: Alarms) -> None:
    await alarms.tick()
    alarms.clock.advance(seconds=59)
    assert await alarms.tick() == []
    alarms.clock.advance(seconds=1)
    assert await alarms.tick() == [WU]


@pytest.mark.parametrize(
    ("outcome", "keys"),
    [
        (OutboundOutcome.BUSY, ""),
        (OutboundOutcome.NO_ANSWER, ""),
        (OutboundOutcome.MACHINE, ""),
        (OutboundOutcome.REACHED, ""),
        (OutboundOutcome.REACHED, "5"),
        (OutboundOutcome.UNKNOWN, ""),
    ],
)
async def test_who_does_not_acknowledge_is_not_waited_for(alarms: Alarms, outcome: OutboundOutcome, keys: str) -> None:
    await alarms.tick()
    alarms.clock.advance(seconds=5)
    await alarms.ended(alarms.far_end.calls[0], outcome, keys)
    assert await alarms.tick() == [WU]
    assert (await alarms.attempts())[0].outcome == outcome.value


async def test_an_acknowledgement_that_comes_late_counts(alarms: Alarms) -> None:
    await alarms.tick()
    alarms.clock.advance(seconds=61)
    await alarms.tick()
    await alarms.ended(alarms.far_end.calls[0], OutboundOutcome.REACHED, keys="1")
    assert (await alarms.alarm()).acknowledged_by == "周工"
    await alarms.ended(alarms.far_end.calls[1], OutboundOutcome.REACHED, keys="1")
    assert (await alarms.alarm()).acknowledged_by == "周工"


async def test_after_all_rounds_the_supervisor_is_told(alarms: Alarms) -> None:
    phoned = []
    for _ in range(6):
        phoned += await alarms.tick()
        alarms.clock.advance(seconds=60)
    assert phoned == [ZHOU, WU, ZHOU, WU]
    alarm = await alarms.alarm()
    assert (alarm.state, alarm.reason) == ("silent", "nobody_acknowledged")
    async with alarms.database.read() as session:
        (told,) = (await session.scalars(select(EscalationRow))).all()
    assert (told.level, told.cause, told.topic) == (2, Cause.ON_CALL_SILENT, "alarm:1")
    assert (await alarms.history())[-1] == ("on_call_silent", "system")


async def test_with_nobody_on_call_the_supervisor_is_told_at_once(alarms: Alarms) -> None:
    assert await alarms.tick(OnCallRules(zone=RULES.zone)) == []
    alarm = await alarms.alarm()
    assert (alarm.state, alarm.reason) == ("silent", "nobody_on_call")


@pytest.mark.parametrize("error", [DialRefused, DialUncertain])
async def test_a_provider_that_refuses_or_is_unclear_leads_to_the_next_person_and_never_to_a_redial(
    alarms: Alarms, error: type[Exception]
) -> None:
    takes = alarms.far_end.answer

    def refuses(call: OutboundCall) -> str:
        raise error("no")

    alarms.far_end.answer = refuses
    assert await alarms.tick() == [ZHOU]
    alarms.far_end.answer = takes
    assert await alarms.tick() == [WU]
    outcomes = [attempt.outcome for attempt in await alarms.attempts()]
    assert outcomes == ["refused_by_provider" if error is DialRefused else "uncertain", None]


async def test_an_uncertain_call_may_still_be_acknowledged(alarms: Alarms) -> None:
    def unclear(call: OutboundCall) -> str:
        raise DialUncertain("500")

    alarms.far_end.answer = unclear
    await alarms.tick()
    await alarms.ended(alarms.far_end.calls[0], OutboundOutcome.REACHED, keys="1")
    assert (await alarms.alarm()).acknowledged_by == "周工"
    assert await alarms.tick() == []


async def test_a_process_that_died_before_the_answer_leaves_a_trace_and_the_next_person_is_phoned(
    alarms: Alarms,
) -> None:
    def dies(call: OutboundCall) -> str:
        raise RuntimeError("killed")

    alarms.far_end.answer = dies
    await alarms.tick()
    alarms.far_end.answer = lambda call: f"CA-{call.idempotency_key}"
    assert await alarms.tick() == []
    alarms.clock.advance(seconds=60)
    assert await alarms.tick() == [WU]
    assert [attempt.outcome for attempt in await alarms.attempts()] == ["uncertain", None]


async def test_two_schedulers_make_each_call_once(
    opens: Opens, database: Database, clock: SetClock, far_end: FarEnd
) -> None:
    for number in range(12):
        draft = leak(urgency=heard(Urgency.EMERGENCY), phone=None, place=None)
        await opens(inbound(f"CA{number}", clock.now(), from_number=f"+86138000000{number:02}"), draft)
    alarms = Alarms(database, clock, far_end)
    for _ in range(3):
        await asyncio.gather(*(alarms.tick() for _ in range(4)))
        clock.advance(seconds=60)
    keys = [call.idempotency_key for call in far_end.calls]
    assert len(keys) == len(set(keys)) == 36


async def test_arriving_by_console_ends_the_alarm(alarms: Alarms, rules: FollowUpRules) -> None:
    await alarms.tick()
    change = Change(number="GD-1124-0001", version=1, actor="chenmin", now=alarms.clock.now())
    await tickets.mark_arrived(alarms.database, change)
    alarms.clock.advance(seconds=61)
    assert await alarms.tick() == []
    alarm = await alarms.alarm()
    assert (alarm.state, alarm.reason) == ("ended", "arrived")


async def test_key_2_says_that_they_are_there_already(alarms: Alarms) -> None:
    await alarms.tick()
    await alarms.ended(alarms.far_end.calls[0], OutboundOutcome.REACHED, keys="2")
    await _has_arrived(alarms, "周工")


async def test_who_phones_in_and_keys_1_has_arrived(alarms: Alarms) -> None:
    await alarms.tick()
    await alarms.ended(alarms.far_end.calls[0], OutboundOutcome.REACHED, keys="1")
    alarms.clock.advance(minutes=2)
    await alarms.folded(inbound("CA9", alarms.clock.now(), from_number="13900005582", keys=[["arrived", "1"]]))
    assert "arrived" not in {action for action, _ in await alarms.history()}, "another person's number"
    await alarms.folded(inbound("CA8", alarms.clock.now(), from_number="13900005581", keys=[["menu", "1"]]))
    assert "arrived" not in {action for action, _ in await alarms.history()}, "another question's key"
    await alarms.folded(inbound("CA7", alarms.clock.now(), from_number="13900005581", keys=[["arrived", "1"]]))
    await _has_arrived(alarms, "周工")


async def _has_arrived(alarms: Alarms, person: str) -> None:
    async with alarms.database.read() as session:
        deadline = (await session.scalars(select(TicketDeadlineRow))).one()
        ticket = (await session.scalars(select(TicketRow))).one()
    assert deadline.met_at is not None
    assert (ticket.status, ticket.version) == ("in_progress", 2)
    assert [actor for action, actor in await alarms.history() if action == "arrived"] == [person]
    await alarms.tick()
    assert (await alarms.alarm()).state == "ended"


async def test_a_person_says_that_it_is_no_emergency(alarms: Alarms, rules: FollowUpRules) -> None:
    await alarms.tick()
    change = Change(number="GD-1124-0001", version=1, actor="chenmin", now=alarms.clock.now())
    await tickets.correct_field(alarms.database, change, field="urgency", value="normal", rules=rules)
    alarms.clock.advance(seconds=61)
    assert await alarms.tick() == []
    assert (await alarms.alarm()).reason == "no_emergency"


async def test_acknowledged_on_the_console(alarms: Alarms) -> None:
    await alarms.tick()
    assert await acknowledge_alarm(alarms.database, 1, actor="zhuguan", now=alarms.clock.now())
    assert not await acknowledge_alarm(alarms.database, 1, actor="chenmin", now=alarms.clock.now())
    alarms.clock.advance(minutes=5)
    assert await alarms.tick() == []


async def test_an_emergency_that_was_not_heard_well_is_said_to_be_unsure(
    opens: Opens, database: Database, clock: SetClock, far_end: FarEnd
) -> None:
    await opens(inbound("CA1", clock.now()), leak(urgency=heard(Urgency.EMERGENCY, 0.3)))
    alarms = Alarms(database, clock, far_end)
    assert await alarms.tick() == [ZHOU]
    assert "疑似紧急事件，请先核实" in far_end.calls[0].speech
    assert (await alarms.alarm()).unsure


async def test_a_clock_that_is_set_back_delays_nobodys_rescue(alarms: Alarms) -> None:
    await alarms.tick()
    alarms.clock.advance(hours=-3)
    assert await alarms.tick() == [WU]
    assert await alarms.tick() == []
    alarms.clock.advance(seconds=60)
    assert await alarms.tick() == [ZHOU]


async def test_whatever_happens_there_is_one_alarm_an_emergency(alarms: Alarms) -> None:
    await asyncio.gather(*(alarms.tick() for _ in range(5)))
    assert (await alarms.alarm()).deadline_id == 1
    raised: datetime = (await alarms.alarm()).raised_at
    assert alarms.clock.now() - raised < timedelta(seconds=1)
