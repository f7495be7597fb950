"""How long the answering page takes over a day, a week and a month when a year holds a million calls.

    .venv/bin/python benchmarks/reports.py [--calls 1000000] [--days 365]

`--calls 170000 --days 62` is as dense and sooner written.

SQLite always; PostgreSQL too where CALLCENTER_TEST_POSTGRES (or a server on loopback) can be reached. Beside each
stands the time to fetch the month's rows alone, which is what a page that counted in Python would begin with. Exit
code 0 only where every page is read within two seconds.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import kinds, new_database  # noqa: E402
from callcenter.config import Settings  # noqa: E402
from callcenter.db.calls import CallLegRow, CallRow  # noqa: E402
from callcenter.db.engine import Database  # noqa: E402
from callcenter.domain.periods import PeriodKind, period_of  # noqa: E402
from callcenter.domain.rings import RingRule  # noqa: E402
from callcenter.reports.answering import answering  # noqa: E402
from callcenter.reports.call_scope import Scope  # noqa: E402
from callcenter.reports.staffing import read_staffing  # noqa: E402
from callcenter.web.pages.staffing import staffing_rule  # noqa: E402

REQUIRED_SECONDS = 2.0
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
A_STATEMENT = 5000
AGENTS = [f"agent{number}" for number in range(20)]
RULE = RingRule()


def rows(calls: int, days: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A call and its leg; nine of ten answered, in 1 to 25 s of ringing."""
    dice = random.Random(1)
    for number in range(calls):
        at = NOW - timedelta(days=days * (1 - number / calls))
        ring = dice.randrange(1000, 25_000)
        answered, agent = dice.random() < 0.9, dice.choice(AGENTS)
        talk = dice.randrange(20_000, 400_000)
        verdict = ("within" if ring < RULE.limit_ms else "late") if answered else None
        times = {"started_at": at, "answered_at": at + timedelta(milliseconds=ring + 2000) if answered else None}
        ringing = {
            "ring_low_ms": ring,
            "ring_high_ms": ring,
            "rings_low": ring // 5000 + 1,
            "rings_high": ring // 5000 + 1,
        }
        call = {
            "id": f"CA{number}",
            "provider": "twilio",
            "direction": "inbound",
            "to_number": "+8657100000001",
            "ended_at": at + timedelta(milliseconds=ring + talk),
            "last_event_at": at,
            "disposition": "answered" if answered else "abandoned",
            "answered_by": agent if answered else None,
            "verdict": verdict,
            "rule": RULE.version,
            "answer_speed_low_ms": ring + 1000 if answered else None,
            "answer_speed_high_ms": ring + 1000 if answered else None,
            "talk_low_ms": talk if answered else None,
            "talk_high_ms": talk if answered else None,
            "event_count": 6,
        }
        leg = {
            "call_id": call["id"],
            "leg_id": f"LEG{number}",
            "agent": agent,
            "outcome": "answered" if answered else "cancelled",
            "initiated_at": at,
            "ringing_at": at + timedelta(seconds=1),
            "verdict": verdict,
        }
        yield call | times | ringing, leg | ringing


async def fill(database: Database, calls: int, days: int) -> None:
    source = rows(calls, days)
    for _ in range(0, calls, A_STATEMENT):
        batch = list(islice(source, A_STATEMENT))
        async with database.write() as session:
            await session.execute(insert(CallRow), [call for call, _ in batch])
            await session.execute(insert(CallLegRow), [leg for _, leg in batch])
    async with database.write() as session:
        await session.execute(text("ANALYZE"))


async def seconds_of(act: Any) -> float:
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        await act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def measure(database: Database) -> bool:
    settings = Settings()
    fits = True
    for kind in (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH):
        period = period_of(kind, NOW - timedelta(days=40), ZONE)
        scope = Scope(start=period.start, end=period.end)

        async def page(scope: Scope = scope) -> None:
            await answering(database, scope, zone=ZONE, now=NOW, in_time_ms=15_000)

        async def fetched(scope: Scope = scope) -> None:
            async with database.read() as session:
                (await session.scalars(select(CallRow).where(scope.condition))).all()

        taken, all_rows = await seconds_of(page), await seconds_of(fetched)
        fits = fits and taken <= REQUIRED_SECONDS
        print(f"  {kind:<6} figures {taken:6.2f} s   fetching the rows alone {all_rows:6.2f} s")

    async def staffing() -> None:
        await read_staffing(database, staffing_rule(settings), now=NOW, replayed=None)

    taken = await seconds_of(staffing)
    print(f"  staffing       {taken:6.2f} s")
    return fits and taken <= REQUIRED_SECONDS


async def one(url: str, name: str, calls: int, days: int) -> bool:
    database = Database(url)
    try:
        began = time.perf_counter()
        await fill(database, calls, days)
        print(f"{name}: {calls:,} calls in {days} days ({time.perf_counter() - began:.0f} s to write)")
        return await measure(database)
    finally:
        await database.close()


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    calls, days = options.calls, options.days
    fits = True
    for kind in await kinds():
        async with new_database(kind) as url:
            fits = await one(url, kind, calls, days) and fits
    print(f"verdict: every figure within {REQUIRED_SECONDS:.0f} s {'holds' if fits else 'DOES NOT HOLD'}")
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
