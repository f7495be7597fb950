"""Calls that are owed on the day of tests/web/day.py: one of each standing."""

from datetime import datetime, timedelta
from typing import Any

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow


async def owe(database: Database, now: datetime) -> None:
    """1 handed over, 2 late, 3 under way, 4 waiting, 5 done today, 6 done yesterday, 7 of a finished ticket."""
    hours = timedelta(hours=1)
    rows = [
        _owed(
            1, now - 3 * hours, "handed_over", ticket_id=1, reason="last_attempt", attempts=2, finished_at=now - hours
        ),
        _owed(2, now - 2 * hours, "waiting", ticket_id=2, kind="complaint_first_reply", reason="not_yet_due"),
        _owed(3, now, "dialling", kind="missed_call", call_id="CA-left", reason="due", attempts=1),
        _owed(4, now + 5 * hours, "waiting", ticket_id=2, reason="no_answer", promised_for=now + 6 * hours),
        _owed(5, now - hours, "done", ticket_id=1, kind="satisfaction", reason="reached", finished_at=now - hours),
        _owed(6, now - 30 * hours, "done", kind="missed_call", reason="reached", finished_at=now - 30 * hours),
        _owed(7, now - 30 * hours, "handed_over", ticket_id=13, reason="last_attempt", finished_at=now - 30 * hours),
    ]
    async with database.write() as session:
        session.add_all(rows)
        await session.flush()
        session.add_all(
            [
                _attempt(1, 1, now - 3 * hours, "busy"),
                _attempt(1, 2, now - hours, "no_answer"),
                _attempt(3, 1, now - timedelta(seconds=20), None),
                _attempt(5, 1, now - hours, "reached", keys="5"),
            ]
        )


def _owed(reminder_id: int, due: datetime, state: str, **columns: Any) -> ReminderRow:
    values: dict[str, Any] = {
        "kind": "call_back_promised",
        "topic": f"topic:{reminder_id}",
        "to_number": "+8613800016207",
        "created_at": due - timedelta(hours=1),
    }
    return ReminderRow(id=reminder_id, due_at=due, state=state, **(values | columns))


def _attempt(
    reminder_id: int, number: int, at: datetime, outcome: str | None, keys: str | None = None
) -> ReminderAttemptRow:
    return ReminderAttemptRow(
        reminder_id=reminder_id,
        number=number,
        idempotency_key=f"reminder-{reminder_id}-{number}",
        to_number="+8613800016207",
        at=at,
        speech="您好，这里是翠湖物业。",
        outcome=outcome,
        keys=keys,
    )
