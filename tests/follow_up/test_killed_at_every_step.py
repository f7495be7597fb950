"""The scheduler dies at each of its awaits in turn: the call is made once or handed to a person, never forgotten."""

import structlog
from sqlalchemy import delete

from benchmarks.follow_up.faults import lives_for
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, plan_reminder
from tests.conftest import SetClock
from tests.follow_up.conftest import RESIDENT, FarEnd, attempts, ends, outbound, reminders


async def test_killed_at_every_step(database: Database, clock: SetClock, rules: FollowUpRules, far_end: FarEnd) -> None:
    begin, step, died = clock.now(), 0, True
    with structlog.testing.capture_logs():
        while died:
            step, clock.at = step + 1, begin
            await _owe_one(database, clock)
            far_end.calls.clear()
            round_ = dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="dies")
            died = await lives_for(step, round_)
            await _goes_on(database, clock, rules, far_end)
            row, (attempt,) = (await reminders(database))[0], await attempts(database)
            assert (row.state, row.reason) in {("done", "reached"), ("handed_over", "left_unfinished")}, step
            assert (attempt.outcome == "reached") == (row.state == "done"), step
            assert len(far_end.calls) == 1 or (not far_end.calls and row.reason == "left_unfinished"), step
    assert step > 20


async def _owe_one(database: Database, clock: SetClock) -> None:
    async with database.write() as session:
        await session.execute(delete(ReminderAttemptRow))
        await session.execute(delete(ReminderRow))
        new = NewReminder(kind="missed_call", topic="call:1", to_number=RESIDENT, due_at=clock.now())
        await plan_reminder(session, new, now=clock.now())


async def _goes_on(database: Database, clock: SetClock, rules: FollowUpRules, far_end: FarEnd) -> None:
    """Another scheduler takes over; only a call whose placing was written down is followed to its end."""
    for _ in range(3):
        clock.advance(minutes=6)
        await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="lives")
        for attempt in await attempts(database):
            if attempt.call_id is not None and attempt.outcome is None:
                call = outbound(attempt.call_id, clock.now(), OutboundOutcome.REACHED, reminder_id=attempt.reminder_id)
                await ends(database, call, clock, rules)
