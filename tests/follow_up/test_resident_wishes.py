"""A resident's wish may not be overridden: not by a promise, not by an emergency, not by a person's click."""

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.decent_times import DayPart
from callcenter.domain.recipients_file import Recipient
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services.campaigns import NewCampaign, make_campaign
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, claim_due, plan_reminder, stop_calling
from callcenter.services.resident_wishes import Wishes, note_wishes, wishes_of
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    RESIDENT,
    FarEnd,
    Opens,
    Round,
    call_back,
    ended,
    heard,
    inbound,
    leak,
    local,
    reminders,
    the_reminder,
)

SPOKEN = "+8613912344471"
MORNINGS = Wishes(avoided=frozenset({DayPart.MORNING}))


async def wish(database: Database, clock: SetClock, wishes: Wishes, number: str = SPOKEN) -> None:
    async with database.write() as session:
        await note_wishes(session, number, wishes, by="hewen", now=clock.now())


async def test_a_promise_that_the_wish_forbids_is_for_a_person_to_keep(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await wish(database, clock, MORNINGS)
    emergency = leak(promises=(call_back(local(24, 10, 30)),), urgency=heard(Urgency.EMERGENCY))
    await opens(inbound("CA1", local(24, 10)), emergency)
    clock.at = local(24, 10, 25)
    await tick()
    reminder = await the_reminder(database)
    assert (far_end.calls, reminder.state, reminder.reason) == ([], "handed_over", "unwanted_time")


async def test_a_complaints_first_reply_comes_at_a_wanted_time_within_its_24_hours(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    """Found by the simulation: planned for the morning that the resident does not want, it left after the limit."""
    await wish(database, clock, MORNINGS)
    clock.at = local(24, 11, 40)
    await opens(inbound("CA1", local(24, 11, 35)), leak(request_type=heard(RequestType.COMPLAINT)))
    assert (await the_reminder(database)).due_at == local(24, 19)
    clock.at = local(24, 19)
    await tick()
    assert len(far_end.calls) == 1


async def test_a_first_reply_that_a_later_wish_would_delay_past_its_limit_is_for_a_person(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    clock.at = local(24, 11, 40)
    await opens(inbound("CA1", local(24, 11, 35)), leak(request_type=heard(RequestType.COMPLAINT)))
    assert (await the_reminder(database)).due_at == local(25, 10, 35)
    await wish(database, clock, MORNINGS)
    clock.at = local(25, 10, 35)
    await tick()
    reminder = await the_reminder(database)
    assert (far_end.calls, reminder.state, reminder.reason) == ([], "handed_over", "unwanted_time")


async def test_what_has_no_time_waits_for_one_that_is_wanted(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await wish(database, clock, MORNINGS)
    new = NewReminder(kind="missed_call", topic="call:1", to_number=SPOKEN, due_at=clock.now())
    async with database.write() as session:
        await plan_reminder(session, new, now=clock.now())
    await tick()
    waiting = await the_reminder(database)
    assert (far_end.calls, waiting.reason, waiting.due_at) == ([], "unwanted_time", local(24, 14))
    clock.at = local(24, 14)
    await tick()
    assert len(far_end.calls) == 1


async def test_not_reached_is_tried_again_at_the_other_times_that_are_wanted(
    opens: Opens, tick: Round, database: Database, clock: SetClock
) -> None:
    await wish(database, clock, Wishes(avoided=frozenset({DayPart.EVENING})))
    clock.at = local(24, 14, 30)
    await opens(inbound("CA1", local(24, 14)), leak(promises=(call_back(local(24, 15)),)))
    clock.at = local(24, 14, 55)
    await tick()
    assert (await ended(tick, OutboundOutcome.NO_ANSWER, local(24, 14, 56))).due_at == local(25, 9)


async def test_a_wish_can_be_changed_and_is_kept_by_number(database: Database, clock: SetClock) -> None:
    await wish(database, clock, MORNINGS)
    await wish(database, clock, Wishes(avoided=frozenset({DayPart.EVENING}), greetings=True))
    async with database.read() as session:
        assert await wishes_of(session, SPOKEN) == Wishes(avoided=frozenset({DayPart.EVENING}), greetings=True)
        assert await wishes_of(session, RESIDENT) == Wishes()


async def test_not_mornings_not_afternoons_not_evenings_is_never(database: Database, clock: SetClock) -> None:
    await wish(database, clock, Wishes(avoided=frozenset(DayPart)))
    async with database.read() as session:
        assert (await session.scalars(select(DoNotCallRow.number))).all() == [SPOKEN]


@pytest.mark.parametrize("when", ["waiting", "claimed"])
async def test_do_not_call_stops_what_waits_what_is_claimed_and_what_a_campaign_holds(
    when: str, tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    new = NewReminder(kind="missed_call", topic="call:1", to_number=RESIDENT, due_at=clock.now())
    async with database.write() as session:
        await plan_reminder(session, new, now=clock.now())
    campaign = NewCampaign(
        name="停水", kind="announcement", text="停水", opens_at=local(24, 10), closes_at=local(24, 14), calls_a_minute=9
    )
    await make_campaign(database, campaign, [Recipient(number=RESIDENT)], by="chenmin", now=clock.now())
    if when == "claimed":
        await claim_due(database, now=clock.now(), claimer="one", limit=5)
    async with database.write() as session:
        await stop_calling(session, RESIDENT, reason="asked", now=clock.now())
    clock.advance(minutes=10)
    await tick()
    assert far_end.calls == []
    assert {(one.state, one.reason) for one in await reminders(database)} == {("cancelled", "do_not_call")}


async def test_while_the_resident_is_on_the_line_with_us_we_do_not_phone(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(phone=None, promises=(call_back(local(24, 10, 30)),)))
    clock.at = local(24, 10, 25)
    async with database.write() as session:
        session.add(inbound("CA2", local(24, 10, 24), ended_at=None))
    await tick()
    assert (await the_reminder(database)).reason == "resident_just_called"
    async with database.write() as session:
        await session.merge(inbound("CA2", local(24, 10, 24), ended_at=local(24, 10, 26)))
    clock.at = local(24, 10, 28)
    await tick()
    assert (await the_reminder(database)).reason == "resident_just_called", "nobody knows yet what was said"
    clock.at = local(24, 10, 42)
    await tick()
    assert len(far_end.calls) == 1, "but not for ever"


async def test_who_gets_through_after_we_tried_is_not_phoned_again(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    clock.at = local(24, 10, 25)
    await tick()
    await ended(tick, OutboundOutcome.BUSY, local(24, 10, 25))
    clock.at = local(24, 10, 30)
    await opens(inbound("CA2", local(24, 10, 28)), leak())
    assert (await the_reminder(database)).reason == "resident_called_in"
    await tick()
    assert len(far_end.calls) == 1
