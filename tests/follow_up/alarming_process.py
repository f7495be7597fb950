"""A process that phones on-call people until it is killed: `python -m tests.follow_up.alarming_process URL FILE NAME`.

Each call that the far end took is one line in FILE, written before the process learns of it.
"""

import asyncio
import sys
from zoneinfo import ZoneInfo

from callcenter.db.engine import Database
from callcenter.domain.on_call import OnCallPerson, OnCallRules
from callcenter.services.on_call import sound_alarms
from tests.conftest import SetClock
from tests.follow_up.dialling_process import TEN_IN_SHANGHAI, WritesDown

RULES = OnCallRules(
    zone=ZoneInfo("Asia/Shanghai"),
    people=tuple(OnCallPerson(name=f"工程师{n}", phone=f"+861390000558{n}") for n in range(3)),
    rounds=1,
)


async def alarm_for_ever(url: str, file: str) -> None:
    database, far_end, clock = Database(url), WritesDown(file), SetClock(TEN_IN_SHANGHAI)
    while True:
        await sound_alarms(database, clock=clock, dialler=far_end, rules=RULES, company="翠湖物业")


if __name__ == "__main__":
    asyncio.run(alarm_for_ever(*sys.argv[1:3]))
