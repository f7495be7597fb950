"""How much the trunks carry, exactly, whoever schedules; and what leaves first when there are few lines."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from callcenter.db.engine import Database
from callcenter.db.reminders import Priority
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.trunks import Trunk
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, plan_reminder
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Round, attempts, ends, outbound, reminders


async def owe(database: Database, clock: SetClock, count: int, *, priority: Priority | None = None) -> None:
    async with database.write() as session:
        for number in range(count):
            new = NewReminder(
                kind="missed_call",
                topic=f"call:{priority}:{number}",
                to_number=f"+8613{8 if priority is None else priority}{number:08}",
                due_at=clock.now() - timedelta(seconds=number),
                priority=priority,
            )
            await plan_reminder(session, new, now=clock.now())


async def one_ends(tick: Round) -> None:
    under_way = [one for one in await attempts(tick.database) if one.outcome is None]
    call = outbound(
        str(under_way[0].call_id),
        tick.clock.now(),
        OutboundOutcome.REACHED,
        reminder_id=under_way[0].reminder_id,
        to_number=under_way[0].to_number,
    )
    await ends(tick.database, call, tick.clock, tick.rules)


async def test_never_more_calls_at_once_than_the_trunk_carries(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    tick.rules = replace(rules, trunks=(Trunk(name="main", calls_at_once=3, calls_a_minute=1000),))
    await owe(database, clock, 12)
    for ended in range(10):
        await asyncio.gather(*(tick(claimer) for claimer in ("one", "two", "three")))
        assert len([one for one in await attempts(database) if one.outcome is None]) == 3
        assert len(far_end.calls) == 3 + ended
        await one_ends(tick)
        clock.advance(seconds=10)


async def test_never_more_calls_a_minute_than_the_provider_takes(
    database: Database, clock: SetClock, tick: Round, rules: FollowUpRules
) -> None:
    tick.rules = replace(rules, trunks=(Trunk(name="main", calls_at_once=1000, calls_a_minute=5),))
    await owe(database, clock, 14)
    for _ in range(60):
        await asyncio.gather(*(tick(claimer) for claimer in ("one", "two")))
        clock.advance(seconds=7)
    placed = sorted(one.at for one in await attempts(database))
    assert len(placed) == 14
    for first, sixth in zip(placed, placed[5:], strict=False):
        assert sixth - first >= timedelta(minutes=1)
    assert placed[-1] - placed[0] < timedelta(minutes=3), "and not much less"


async def test_several_trunks_share_the_calls_and_show_their_own_numbers(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    one, two = Trunk(name="one", calls_at_once=2, from_number="+8657100000001"), Trunk(name="two", calls_at_once=1)
    tick.rules = replace(rules, trunks=(one, two))
    await owe(database, clock, 5)
    await asyncio.gather(*(tick(claimer) for claimer in ("a", "b")))
    assert sorted(call.from_number for call in far_end.calls) == ["", "+8657100000001", "+8657100000001"]
    assert sorted(attempt.trunk for attempt in await attempts(database)) == ["one", "one", "two"]


async def test_what_was_promised_for_a_time_leaves_before_a_campaign(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    tick.rules = replace(rules, trunks=(Trunk(name="main", calls_at_once=3, calls_a_minute=1000),))
    for priority in (Priority.CAMPAIGN, Priority.NORMAL, Priority.TIMED):
        await owe(database, clock, 2, priority=priority)
    await tick()
    assert sorted(call.to_number[:6] for call in far_end.calls) == ["+86130", "+86130", "+86131"]
    for _ in range(3):
        await one_ends(tick)
        await tick()
    assert sorted(call.to_number[:6] for call in far_end.calls)[3:] == ["+86131", "+86132", "+86132"]
    assert {one.state for one in await reminders(database)} == {"done", "dialling"}
