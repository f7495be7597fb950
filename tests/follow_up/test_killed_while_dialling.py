"""Processes killed at any moment while they dial: nobody is phoned twice, nobody is forgotten."""

import asyncio
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderState
from callcenter.domain.trunks import Trunk
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, plan_reminder
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, attempts, reminders

OWED = 120
KILLED_AFTER = (10, 25, 45, 60, 80)


async def test_killed_while_dialling(
    database: Database, database_url: str, tmp_path: Path, clock: SetClock, rules: FollowUpRules, far_end: FarEnd
) -> None:
    async with database.write() as session:
        for number in range(OWED):
            new = NewReminder(
                kind="missed_call",
                topic=f"call:{number}",
                to_number=f"+86138{number:08}",
                due_at=clock.now(),
            )
            await plan_reminder(session, new, now=clock.now())
    rules = replace(rules, trunks=(Trunk(name="main", calls_at_once=1000, calls_a_minute=1000),))
    placed = tmp_path / "placed"
    placed.touch()
    for calls in KILLED_AFTER:
        await _dial_with_two_until(calls, database_url, placed)
    clock.advance(minutes=6)
    while await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="last"):
        pass
    keys = [*placed.read_text().split(), *(call.idempotency_key for call in far_end.calls)]
    assert max(Counter(keys).values()) == 1
    phoned = {key.rsplit("-", 1)[0] for key in keys}
    assert len(phoned) == len(keys)
    rows = await reminders(database)
    assert {row.state for row in rows} <= {ReminderState.DIALLING, ReminderState.HANDED_OVER}
    handed_over = {f"reminder-{row.id}" for row in rows if row.state == ReminderState.HANDED_OVER}
    assert phoned | handed_over == {f"reminder-{row.id}" for row in rows}
    assert len(await attempts(database)) == OWED


async def _dial_with_two_until(calls: int, url: str, placed: Path) -> None:
    """Two processes dial; both are killed (SIGKILL) as soon as so many calls have been placed in all."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.follow_up.dialling_process", url, str(placed), name
        )
        for name in ("one", "two")
    ]
    try:
        async with asyncio.timeout(60):
            while len(placed.read_text().split()) < calls:
                await asyncio.sleep(0.005)
    finally:
        for process in processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process in processes))
