"""The clock jumps, the database is away, the provider fails after dialling: nobody is phoned twice, nobody is lost."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.engine import Database
from callcenter.domain.calls import OutboundOutcome
from callcenter.ports import DialUncertain, OutboundCall
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.reminders import NewReminder, claim_due, plan_reminder
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    RESIDENT,
    FarEnd,
    Round,
    attempts,
    ended,
    ends,
    local,
    outbound,
    reminders,
    the_reminder,
)


async def owe(database: Database, clock: SetClock, topic: str = "call:1", number: str = RESIDENT) -> None:
    new = NewReminder(kind="missed_call", topic=topic, to_number=number, due_at=clock.now())
    async with database.write() as session:
        await plan_reminder(session, new, now=clock.now())


@pytest.mark.parametrize("hours", [-30, -3, 3, 30])
async def test_a_reached_resident_is_not_phoned_again_whichever_way_the_clock_jumps(
    hours: int, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await owe(database, clock)
    await tick()
    await ended(tick, OutboundOutcome.REACHED, clock.now())
    clock.advance(hours=hours)
    for _ in range(6):
        await tick()
        clock.advance(hours=5)
    assert len(far_end.calls) == 1


async def test_a_claim_from_what_is_now_the_future_is_given_back(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await owe(database, clock)
    await claim_due(database, now=clock.now(), claimer="killed", limit=5)
    clock.at = local(23, 10)
    await tick()
    clock.at = local(24, 10)
    await tick()
    assert len(far_end.calls) == 1


async def test_tries_from_what_is_now_the_future_count_among_todays(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    clock.at = local(25, 10)
    for number in range(5):
        await owe(database, clock, f"call:{number}")
        await tick()
        (open_try,) = [one for one in await attempts(database) if one.outcome is None]
        call = outbound(str(open_try.call_id), clock.now(), OutboundOutcome.REACHED, reminder_id=open_try.reminder_id)
        await ends(database, call, clock, tick.rules)
    clock.at = local(24, 10)
    await owe(database, clock, "call:6")
    await tick()
    assert len(far_end.calls) == 5
    assert (await reminders(database))[-1].reason == "number_tried_often_today"


async def test_lines_are_not_blocked_by_calls_from_what_is_now_the_future(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    tick.rules = replace(rules, trunks=(replace(rules.trunks[0], calls_a_minute=1),))
    await owe(database, clock)
    await tick()
    clock.at = local(23, 10)
    await owe(database, clock, "call:2", "+8613800000001")
    await tick()
    assert len(far_end.calls) == 2


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-29T09:00+02:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T09:00+01:00"),
        ("America/New_York", "2026-03-08", "2026-03-08T09:00-04:00"),
    ],
)
async def test_in_zones_with_summer_time_calls_begin_at_nine_by_the_wall_clock(
    zone: str, day: str, first: str, database: Database, clock: SetClock, far_end: FarEnd
) -> None:
    rules = follow_up_rules(FollowUpSettings(), CalendarSettings(timezone=zone), ConsoleSettings())
    clock.at = datetime.fromisoformat(f"{day}T00:30").replace(tzinfo=ZoneInfo(zone))
    await owe(database, clock)
    for _ in range(24 * 12):
        await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="one")
        if far_end.calls:
            break
        clock.at = datetime.fromtimestamp(clock.at.timestamp() + 300, tz=ZoneInfo("UTC"))
    assert clock.at == datetime.fromisoformat(first)


class Away(Database):
    """A database that can be away: every session fails as it begins, or after the provider was asked."""

    is_away = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        self._look()
        async with super().write() as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self._look()
        async with super().read() as session:
            yield session

    def _look(self) -> None:
        if self.is_away:
            raise OperationalError("SELECT 1", None, ConnectionError("connection refused"))


@pytest.fixture
async def away(database_url: str) -> AsyncIterator[Away]:
    opened = Away(database_url)
    yield opened
    await opened.close()


async def test_the_database_is_away_for_ten_minutes(
    away: Away, clock: SetClock, far_end: FarEnd, rules: FollowUpRules
) -> None:
    """It goes while a call is being placed: that one goes to a person unless its events tell; the others are made."""
    for number in range(10):
        await owe(away, clock, f"call:{number}", f"+861380000000{number}")

    def goes_away(call: OutboundCall) -> str:
        away.is_away = len(far_end.calls) >= 5
        return f"CA-{call.idempotency_key}"

    far_end.answer = goes_away
    await dial_due_reminders(away, clock=clock, dialler=far_end, rules=rules, claimer="one", limit=5)
    for _ in range(10):
        clock.advance(minutes=1)
        with pytest.raises(OperationalError):
            await dial_due_reminders(away, clock=clock, dialler=far_end, rules=rules, claimer="one", limit=5)
    away.is_away = False
    far_end.answer = lambda call: f"CA-{call.idempotency_key}"
    for _ in range(8):
        await dial_due_reminders(away, clock=clock, dialler=far_end, rules=rules, claimer="one", limit=5)
        clock.advance(minutes=1)
    assert len(far_end.calls) == 10
    assert max(Counter(call.to_number for call in far_end.calls).values()) == 1
    lost = [one for one in await reminders(away) if one.state == "handed_over"]
    assert {one.reason for one in lost} == {"left_unfinished"}
    for one in lost:
        key = f"CA-reminder-{one.id}-1"
        call = outbound(key, clock.now(), OutboundOutcome.REACHED, reminder_id=one.id, to_number=one.to_number)
        await ends(away, call, clock, rules)
    assert {one.state for one in await reminders(away)} == {"done", "dialling"}, "the events, which were kept, told"


async def test_a_provider_that_answers_500_after_having_dialled_is_not_asked_again(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    def dials_and_fails(call: OutboundCall) -> str:
        raise DialUncertain("the provider answered 500: it may have dialled")

    await owe(database, clock)
    far_end.answer = dials_and_fails
    await tick()
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason) == ("handed_over", "provider_uncertain")
    for _ in range(40):
        clock.advance(hours=1)
        await tick()
    assert len(far_end.calls) == 1
    told = await ended(tick, OutboundOutcome.NO_ANSWER, clock.now(), call_id="CA9")
    assert told.state == "handed_over", "a person has it already"
