"""Stored events become the rows of calls, whatever order they came in, and each follow-up is started once."""

import asyncio
import random
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow
from callcenter.domain.calls import EventKind
from callcenter.domain.rings import RingRule
from callcenter.jobs.folding import FoldingLoop
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from tests.conftest import SetClock
from tests.services.conftest import answered_call, happened

RULE = RingRule()


async def fold_all(database: Database, clock: SetClock) -> None:
    while await fold_pending(database, RULE, now=clock.now()):
        continue


@pytest.mark.parametrize("seed", range(5))
async def test_order_of_arrival_makes_no_difference(
    database: Database, inbox: EventInbox, clock: SetClock, seed: int
) -> None:
    events = answered_call(recording_id="RE1", url="http://x/RE1", seconds=50.0) * 2
    random.Random(seed).shuffle(events)
    for event in events:
        await inbox.store([event], received_at=clock.now())
        await fold_all(database, clock)
    async with database.read() as session:
        call = (await session.execute(select(CallRow))).scalar_one()
        leg = (await session.execute(select(CallLegRow))).scalar_one()
        recording = (await session.execute(select(RecordingRow))).scalar_one()
    assert (call.disposition, call.verdict, call.rings_low, call.rings_high) == ("answered", "within", 2, 2)
    assert (call.ring_low_ms, call.answer_speed_low_ms, call.talk_low_ms) == (6000, 7000, 50_000)
    assert (call.answered_by, leg.outcome, leg.verdict) == ("hewen", "answered", "within")
    assert (recording.state, recording.channels, recording.stated_seconds) == ("pending", 2, 50.0)
    assert call.event_count == 7


async def test_what_follows_is_called_for_each_written_call(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    seen: list[tuple[str, str]] = []

    async def note(session: AsyncSession, call: CallRow, now: datetime) -> None:
        seen.append((call.id, call.disposition))

    for number in range(45):
        call = f"twilio:CA{number}"
        await inbox.store([happened(EventKind.CALL_STARTED, number, call=call)], received_at=clock.now())
    while await fold_pending(database, RULE, now=clock.now(), when_folded=[note]):
        continue
    assert sorted(seen) == sorted((f"twilio:CA{number}", "in_progress") for number in range(45))


async def test_failing_follow_up_leaves_the_events_to_the_next_turn(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    async def fail(session: AsyncSession, call: CallRow, now: datetime) -> None:
        raise RuntimeError("not now")

    await inbox.store(answered_call(), received_at=clock.now())
    with pytest.raises(RuntimeError):
        await fold_pending(database, RULE, now=clock.now(), when_folded=[fail])
    async with database.read() as session:
        assert (await session.execute(select(CallRow))).first() is None
    assert await fold_pending(database, RULE, now=clock.now()) == 1


async def test_one_call_that_cannot_be_folded_does_not_stop_the_others(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    async def fail_for_one(session: AsyncSession, call: CallRow, now: datetime) -> None:
        if call.id == "twilio:CA1":
            raise RuntimeError("this one cannot be")

    for number in range(8):
        await inbox.store(
            [happened(EventKind.CALL_STARTED, number, call=f"twilio:CA{number}")], received_at=clock.now()
        )
    async with FoldingLoop(database, RULE, clock, inbox.stored, [fail_for_one]), asyncio.timeout(20):
        while await count_calls(database) < 7:
            await asyncio.sleep(0.05)
    async with database.read() as session:
        assert await session.get(CallRow, "twilio:CA1") is None


async def count_calls(database: Database) -> int:
    async with database.read() as session:
        return len((await session.execute(select(CallRow.id))).all())


async def test_recording_called_failed_and_then_ready_is_taken_after_all(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    failed = happened(EventKind.RECORDING_FAILED, 61, recording_id="RE1", url="", channels=1)
    await inbox.store([*answered_call(), failed], received_at=clock.now())
    await fold_all(database, clock)
    ready = happened(EventKind.RECORDING_READY, 70, recording_id="RE1", url="http://x/RE1", channels=2, seconds=50.0)
    await inbox.store([ready], received_at=clock.now())
    await fold_all(database, clock)
    async with database.read() as session:
        recording = (await session.execute(select(RecordingRow))).scalar_one()
    assert (recording.state, recording.url, recording.error) == ("pending", "http://x/RE1", None)
