"""A process that dials whatever is due until it is killed: `python -m tests.follow_up.dialling_process URL FILE NAME`.

Each call that the far end took is one line in FILE, written before the process learns of it.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings, TrunkSettings
from callcenter.db.engine import Database
from callcenter.ports import OutboundCall
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import follow_up_rules
from tests.conftest import SetClock

MANY_LINES = (TrunkSettings(calls_at_once=1000, calls_a_minute=1000),)
TEN_IN_SHANGHAI = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


class WritesDown:
    def __init__(self, file: str) -> None:
        self.file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def place_call(self, call: OutboundCall) -> str:
        os.write(self.file, f"{call.idempotency_key}\n".encode())
        await asyncio.sleep(0.01)
        return f"CA-{call.idempotency_key}"


async def dial_for_ever(url: str, file: str, name: str) -> None:
    database, far_end, clock = Database(url), WritesDown(file), SetClock(TEN_IN_SHANGHAI)
    rules = follow_up_rules(FollowUpSettings(trunks=MANY_LINES), CalendarSettings(), ConsoleSettings())
    while True:
        await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer=name, limit=5)


if __name__ == "__main__":
    asyncio.run(dial_for_ever(*sys.argv[1:4]))
