"""A new ring rule judges the old calls anew, as if they had been folded under it, and the old judgement is kept."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from callcenter.db.calls import CallJudgementRow, CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.domain.calls import EventKind
from callcenter.domain.folding import fold
from callcenter.domain.rings import RingRule, judged_again
from callcenter.jobs.folding import FoldingLoop
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from callcenter.services.judge_again import judge_some
from tests.conftest import SetClock
from tests.reports.hotline import random_stories, store
from tests.services.conftest import answered_call, happened
from tests.web.factory import events_of

OLD, NEW = RingRule(), RingRule(cycle_ms=4000, rings=2)
START = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(20))
def test_judging_again_is_folding_again(seed: int) -> None:
    for story in random_stories(seed, START, calls=40):
        before, after = fold(events_of(story), OLD), fold(events_of(story), NEW)
        judged = judged_again(before.disposition, before.ring, NEW)
        assert (judged.disposition, judged.verdict, judged.rings) == (after.disposition, after.verdict, after.rings)
        assert judged_again(after.disposition, after.ring, OLD).disposition is before.disposition


async def test_every_call_is_judged_by_the_new_rule_and_the_old_judgement_kept(
    database: Database, clock: SetClock
) -> None:
    stories = random_stories(5, START, calls=130)
    await store(database, stories, OLD, clock.now())
    assert await judge_some(database, OLD, now=clock.now()) == 0
    assert await judge_some(database, NEW, now=clock.now()) == 100, "no more than one short transaction takes"
    assert await judge_some(database, NEW, now=clock.now()) == 30
    assert await judge_some(database, NEW, now=clock.now()) == 0
    async with database.read() as session:
        calls = {call.id: call for call in await session.scalars(select(CallRow))}
        kept = {row.call_id: row for row in await session.scalars(select(CallJudgementRow))}
        legs = {leg.leg_id: leg for leg in await session.scalars(select(CallLegRow))}
    assert len(kept) == 130
    for story in stories:
        before, after = fold(events_of(story), OLD), fold(events_of(story), NEW)
        call, old = calls[story.call_id], kept[story.call_id]
        assert (call.disposition, call.verdict, call.rule) == (after.disposition, after.verdict, "2x4000")
        assert (old.disposition, old.verdict, old.rule) == (before.disposition, before.verdict, "3x5000")
        assert (old.rings_low, old.rings_high) == (before.rings or (None, None))
        assert [row[:2] for row in old.legs] == sorted([leg.leg_id, leg.verdict] for leg in before.legs)
        for leg in after.legs:
            row = legs[leg.leg_id]
            assert (row.verdict, (row.rings_low, row.rings_high)) == (leg.verdict, leg.rings or (None, None))
    assert any(calls[one].verdict != kept[one].verdict for one in kept)


async def test_an_event_that_comes_late_keeps_the_old_judgement_too(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    await inbox.store(answered_call(), received_at=clock.now())
    await fold_pending(database, OLD, now=clock.now())
    clock.advance(days=1)
    late = happened(EventKind.RECORDING_READY, 62, recording_id="RE1", url="http://x/RE1", channels=2)
    await inbox.store([late], received_at=clock.now())
    strict = RingRule(cycle_ms=5000, rings=1)
    await fold_pending(database, strict, now=clock.now())
    async with database.read() as session:
        call = (await session.scalars(select(CallRow))).one()
        old = (await session.scalars(select(CallJudgementRow))).one()
        leg = (await session.scalars(select(CallLegRow))).one()
    assert (call.verdict, call.rule, leg.verdict) == ("late", "1x5000", "late")
    assert (old.verdict, old.rule, old.replaced_at) == ("within", "3x5000", clock.now())
    assert old.legs == [["twilio:CA1:leg", "within", 2, 2]]


async def test_a_call_under_way_leaves_no_judgement_behind(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    events = answered_call()
    await inbox.store(events[:3], received_at=clock.now())
    await fold_pending(database, OLD, now=clock.now())
    assert await judge_some(database, NEW, now=clock.now()) == 0
    await inbox.store(events[3:], received_at=clock.now())
    await fold_pending(database, NEW, now=clock.now() + timedelta(minutes=1))
    async with database.read() as session:
        assert (await session.scalars(select(CallRow.rule))).one() == "2x4000"
        assert (await session.scalars(select(CallJudgementRow))).all() == []


async def test_the_server_judges_again_by_itself(database: Database, inbox: EventInbox, clock: SetClock) -> None:
    await store(database, random_stories(6, START, calls=120), OLD, clock.now())
    async with FoldingLoop(database, NEW, clock, inbox.stored, []), asyncio.timeout(30):
        while await _of_rule(database, OLD):
            await asyncio.sleep(0.05)
    assert await _of_rule(database, NEW) == 120


async def _of_rule(database: Database, rule: RingRule) -> int:
    async with database.read() as session:
        return len((await session.scalars(select(CallRow.id).where(CallRow.rule == rule.version))).all())
