"""Announcements to many homes: in their window, at their pace, paused, gone on with, cancelled."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.db.engine import Database
from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.recipients_file import Recipient
from callcenter.domain.tickets import Place
from callcenter.domain.trunks import Trunk
from callcenter.services.campaigns import (
    CampaignRefused,
    NewCampaign,
    campaigns,
    cancel_campaign,
    make_campaign,
    pause_campaign,
    progress_of,
    residents_at,
    start_campaign,
)
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import stop_calling
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Round, attempts, ends, local, outbound, reminders

NUMBERS = tuple(f"+861380000{number:04}" for number in range(12))
MANY_LINES = (Trunk(name="main", calls_at_once=1000, calls_a_minute=1000),)


def water_cut(**other: object) -> NewCampaign:
    values: dict[str, object] = {
        "name": "停水",
        "kind": "announcement",
        "text": "今天14:00-18:00，3栋停水",
        "opens_at": local(24, 10),
        "closes_at": local(24, 14),
        "calls_a_minute": 4,
    }
    return NewCampaign(**values | other)  # type: ignore[arg-type]


async def make(database: Database, clock: SetClock, new: NewCampaign, numbers: Sequence[str] = NUMBERS) -> int:
    recipients = [Recipient(number=number, name="王女士") for number in numbers]
    return await make_campaign(database, new, recipients, by="chenmin", now=clock.now())


async def states(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in await reminders(database):
        found[one.state] = found.get(one.state, 0) + 1
    return found


async def test_nobody_is_phoned_before_it_is_started(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    assert await make(database, clock, water_cut()) == 12
    clock.advance(minutes=5)
    await tick()
    assert (far_end.calls, await states(database)) == ([], {"held": 12})
    assert await start_campaign(database, "停水", now=clock.now(), rules=rules) == 12
    await tick()
    (call,) = far_end.calls
    assert "有一个通知：今天下午两点到下午六点，三栋停水。" in call.speech


async def test_the_pace_is_kept_by_two_schedulers_also_when_everything_is_late(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    tick.rules = replace(rules, trunks=MANY_LINES)
    await make(database, clock, water_cut())
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    clock.advance(minutes=30)
    for _ in range(90):
        await asyncio.gather(tick("one"), tick("two"))
        clock.advance(seconds=5)
    placed = sorted(one.at for one in await attempts(database))
    assert len(placed) == 12
    for first, fifth in zip(placed, placed[4:], strict=False):
        assert fifth - first >= timedelta(minutes=1)


async def test_it_is_spread_at_its_pace(database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    await make(database, clock, water_cut())
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    due = [one.due_at - local(24, 10) for one in await reminders(database)]
    assert due == [timedelta(seconds=15) * number for number in range(12)]
    found = await progress_of(database, "停水", now=clock.now())
    assert found.done_by == local(24, 10) + timedelta(seconds=165)


async def test_paused_at_once_and_gone_on_with(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    await make(database, clock, water_cut())
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    await tick()
    assert await pause_campaign(database, "停水") == 11
    clock.advance(minutes=10)
    await tick()
    assert len(far_end.calls) == 1
    assert await start_campaign(database, "停水", now=clock.now(), rules=rules) == 11
    assert min(one.due_at for one in await reminders(database) if one.state == "waiting") == clock.now()
    for _ in range(40):
        await tick()
        clock.advance(seconds=10)
    assert sorted(call.to_number for call in far_end.calls) == list(NUMBERS)


async def test_cancelled_is_cancelled(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    await make(database, clock, water_cut())
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    assert await cancel_campaign(database, "停水", now=clock.now()) == 12
    clock.advance(minutes=10)
    await tick()
    assert far_end.calls == []
    with pytest.raises(CampaignRefused, match="is cancelled"):
        await start_campaign(database, "停水", now=clock.now(), rules=rules)


async def test_after_its_window_nobody_hears_of_it(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    await make(database, clock, water_cut(closes_at=local(24, 11)))
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    clock.at = local(24, 11)
    await tick()
    assert far_end.calls == []
    assert (await progress_of(database, "停水", now=clock.now())).by_reason == {"too_late": 12}


async def test_progress_counts_what_came_of_the_calls(
    database: Database, clock: SetClock, tick: Round, rules: FollowUpRules
) -> None:
    await make(database, clock, water_cut(), NUMBERS[:3])
    async with database.write() as session:
        await stop_calling(session, NUMBERS[2], reason="asked", now=clock.now())
    await start_campaign(database, "停水", now=clock.now(), rules=rules)
    clock.advance(minutes=1)
    await tick()
    outcomes = {NUMBERS[0]: OutboundOutcome.REACHED, NUMBERS[1]: OutboundOutcome.NO_ANSWER}
    for one in await attempts(database):
        call = outbound(
            str(one.call_id), clock.now(), outcomes[one.to_number], reminder_id=one.reminder_id, to_number=one.to_number
        )
        await ends(database, call, clock, tick.rules)
    found = await progress_of(database, "停水", now=clock.now())
    assert (found.total, found.attempts) == (3, 2)
    assert found.by_state == {"done": 1, "handed_over": 1, "cancelled": 1}
    assert found.by_reason == {"do_not_call": 1, "too_late": 1}, "the next time of day is after the water is gone"
    assert [one.name for one in await campaigns(database)] == ["停水"]


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"kind": "overdue_fee"}, "use one of announcement, festival_greeting"),
        ({"text": " "}, "use 1 to 300"),
        ({"closes_at": local(24, 9)}, "in the future"),
        ({"opens_at": local(24, 15)}, "must end after it begins"),
        ({"calls_a_minute": 0}, "at least one"),
    ],
)
async def test_a_campaign_that_makes_no_sense_is_refused(
    other: dict[str, object], complaint: str, database: Database, clock: SetClock
) -> None:
    with pytest.raises(CampaignRefused, match=complaint):
        await make(database, clock, water_cut(**other))
    assert await reminders(database) == []


async def test_a_name_is_used_once_and_somebody_must_be_phoned(database: Database, clock: SetClock) -> None:
    await make(database, clock, water_cut())
    with pytest.raises(CampaignRefused, match="already"):
        await make(database, clock, water_cut())
    with pytest.raises(CampaignRefused, match="nobody to phone"):
        await make(database, clock, water_cut(name="x"), ())
    with pytest.raises(CampaignRefused, match="there is no campaign"):
        await progress_of(database, "y", now=clock.now())


async def test_the_affected_homes_come_from_the_register(database: Database) -> None:
    async with database.write() as session:
        for number, (building, unit) in enumerate((("3", "1"), ("3", "2"), ("4", "1")), 1):
            session.add(RegisterRoomRow(id=number, building=building, unit=unit, room="501"))
            await session.flush()
            session.add(RegisterResidentRow(room_id=number, name="王女士", phone=f"+861380000000{number}"))
            session.add(RegisterResidentRow(room_id=number, name="李先生", phone=None))
    assert [one.number[-1] for one in await residents_at(database, Place(building="3"))] == ["1", "2"]
    assert [one.number[-1] for one in await residents_at(database, Place(building="3", unit="2"))] == ["2"]
    assert await residents_at(database, Place(building="9")) == ()
