"""An agent says "call now": at once, once, against nothing but the resident's own wish."""

import asyncio

import pytest

from callcenter.db.engine import Database
from callcenter.domain.decent_times import DayPart
from callcenter.domain.dialling import Reason
from callcenter.domain.ticket_life import TicketStatus
from callcenter.services import tickets
from callcenter.services.call_now import CallRefused, call_now
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import stop_calling
from callcenter.services.resident_wishes import Wishes, note_wishes
from callcenter.services.tickets import Change, NoSuchTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, Round, call_back, inbound, leak, local, reminders

NUMBER, SPOKEN = "GD-1124-0001", "+8613912344471"


async def test_the_call_leaves_with_the_next_tick_also_outside_decent_hours(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    clock.at = local(24, 21, 30)
    ordered = await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)
    await tick()
    (call,) = far_end.calls
    assert (call.reminder_id, call.to_number, call.kind) == (ordered.reminder_id, SPOKEN, "progress")
    assert "我是客服何雯，给您回电说明进展" in call.speech


async def test_a_call_back_that_waits_is_brought_forward_and_not_made_twice(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 12)),)))
    clicks = [call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules) for _ in range(5)]
    orders = await asyncio.gather(*clicks)
    assert {order.reminder_id for order in orders} == {1}
    assert sum(not order.already for order in orders) == 1
    await tick()
    again = await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)
    assert again.already, "it is being dialled"
    clock.at = local(24, 11, 55)
    await tick()
    assert [call.kind for call in far_end.calls] == ["call_back_promised"]


async def test_against_a_residents_wish_nobody_can_order_a_call(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())

    async def refused() -> Reason:
        with pytest.raises(CallRefused) as why:
            await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)
        return why.value.reason

    async with database.write() as session:
        await note_wishes(session, SPOKEN, Wishes(avoided=frozenset({DayPart.MORNING})), by="hewen", now=clock.now())
    assert await refused() is Reason.UNWANTED_TIME
    async with database.write() as session:
        await stop_calling(session, SPOKEN, reason="asked", now=clock.now())
    clock.at = local(24, 15)
    assert await refused() is Reason.DO_NOT_CALL
    assert await reminders(database) == []


async def test_a_finished_ticket_or_none_is_no_reason_to_call(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    with pytest.raises(NoSuchTicket):
        await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)
    await opens(inbound("CA1", local(24, 10)), leak())
    change = Change(number=NUMBER, version=1, actor="hewen", now=clock.now())
    await tickets.change_status(database, change, to=TicketStatus.CLOSED, rules=rules)
    with pytest.raises(CallRefused, match="ticket_finished"):
        await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)


async def test_a_wish_noted_after_the_click_still_stands(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    await call_now(database, NUMBER, actor="hewen", now=clock.now(), rules=rules)
    async with database.write() as session:
        await note_wishes(session, SPOKEN, Wishes(avoided=frozenset({DayPart.MORNING})), by="hewen", now=clock.now())
    await tick()
    (waiting,) = await reminders(database)
    assert (far_end.calls, waiting.reason, waiting.due_at) == ([], "unwanted_time", local(24, 14))
