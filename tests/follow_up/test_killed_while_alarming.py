"""Processes killed at any moment while they phone on-call people: no call twice, and every emergency is told."""

import asyncio
import sys
from collections import Counter, defaultdict
from pathlib import Path

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.domain.tickets import Urgency
from callcenter.services.on_call import sound_alarms
from tests.conftest import SetClock
from tests.follow_up.alarming_process import RULES
from tests.follow_up.conftest import FarEnd, Opens, heard, inbound, leak

EMERGENCIES = 60
KILLED_AFTER = (5, 12, 25, 40)


async def test_killed_while_alarming(
    opens: Opens, database: Database, database_url: str, tmp_path: Path, clock: SetClock, far_end: FarEnd
) -> None:
    for number in range(EMERGENCIES):
        draft = leak(urgency=heard(Urgency.EMERGENCY), phone=None, place=None)
        await opens(inbound(f"CA{number}", clock.now(), from_number=f"+86138000001{number:02}"), draft)
    placed = tmp_path / "placed"
    placed.touch()
    for calls in KILLED_AFTER:
        await _alarm_with_two_until(calls, database_url, placed)
    for _ in range(30):
        await sound_alarms(database, clock=clock, dialler=far_end, rules=RULES, company="翠湖物业")
        clock.advance(seconds=20)
    keys = [*placed.read_text().split(), *(call.idempotency_key for call in far_end.calls)]
    assert max(Counter(keys).values()) == 1
    async with database.read() as session:
        alarms = (await session.scalars(select(OnCallAlarmRow))).all()
        attempts = (await session.scalars(select(OnCallAttemptRow))).all()
        told = (await session.scalars(select(EscalationRow))).all()
    assert {alarm.state for alarm in alarms} == {"silent"}
    people = defaultdict(list)
    for attempt in attempts:
        people[attempt.alarm_id].append(attempt.person)
    assert all(sorted(phoned) == [one.name for one in RULES.people] for phoned in people.values())
    assert set(people) == {alarm.id for alarm in alarms}
    assert len(people) == EMERGENCIES
    assert {one.topic for one in told} == {f"alarm:{alarm.id}" for alarm in alarms}
    unknown = {f"on-call-{one.alarm_id}-{one.number}" for one in attempts if one.call_id is None}
    assert set(keys) | unknown == {one.idempotency_key for one in attempts}
    assert all(one.outcome == "uncertain" for one in attempts if one.call_id is None)


async def _alarm_with_two_until(calls: int, url: str, placed: Path) -> None:
    """Two processes phone; both are killed (SIGKILL) as soon as so many calls have been placed in all."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.follow_up.alarming_process", url, str(placed), name
        )
        for name in ("one", "two")
    ]
    try:
        async with asyncio.timeout(60):
            while len(placed.read_text().split()) < calls:
                await asyncio.sleep(0.002)
    finally:
        for process in processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process in processes))
