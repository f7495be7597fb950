"""What a tick costs with a million reminders, and how late a call leaves with 100,000 of them waiting.

    .venv/bin/python benchmarks/reminders.py [--quick]

SQLite always; PostgreSQL too where CALLCENTER_TEST_POSTGRES (or a server on loopback) can be reached. The schedule,
the claim and the calls are the product's own; only the provider is a stand-in that takes every call at once.
Exit code 0 only where both measures hold.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import insert, text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import kinds, new_database  # noqa: E402
from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings, TrunkSettings  # noqa: E402
from callcenter.db.engine import Database  # noqa: E402
from callcenter.db.reminders import ReminderRow, ReminderState  # noqa: E402
from callcenter.domain.calendar import TimeRange  # noqa: E402
from callcenter.jobs.scheduler import Scheduler  # noqa: E402
from callcenter.ports import OutboundCall  # noqa: E402
from callcenter.services.dial_due_reminders import dial_due_reminders  # noqa: E402
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules  # noqa: E402

REQUIRED_TICK_MS = 20.0
REQUIRED_DELAY_SECONDS = 2.0
DUE_A_SECOND = 5


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FarEnd:
    """Takes every call at once and notes when; `all_placed` after `expected` of them."""

    def __init__(self, *, expected: int = 0) -> None:
        self.placed: dict[int, datetime] = {}
        self.expected = expected
        self.all_placed = asyncio.Event()

    async def place_call(self, call: OutboundCall) -> str:
        self.placed[call.reminder_id] = datetime.now(UTC)
        if len(self.placed) == self.expected:
            self.all_placed.set()
        return f"CA-{call.idempotency_key}"


def any_hour() -> FollowUpRules:
    """The rules, with every hour a decent one and lines for all, so that the benchmark can be run at night.

    The far end never tells how a call ended, so every call that was placed holds a line to the end of the run.
    """
    trunks = (TrunkSettings(calls_at_once=100_000, calls_a_minute=100_000),)
    rules = follow_up_rules(FollowUpSettings(trunks=trunks), CalendarSettings(), ConsoleSettings())
    hours = (TimeRange(start=datetime.min.time(), end=datetime.max.time()),)
    return replace(rules, dialling=replace(rules.dialling, decent_hours=hours))


def rows(count: int, *, first_due: datetime, apart: timedelta, state: ReminderState, run: str) -> Iterator[dict]:
    now = datetime.now(UTC)
    for number in range(count):
        yield {
            "kind": "missed_call",
            "topic": f"{run}:{number}",
            "to_number": f"+861{number:010}",
            "due_at": first_due + apart * number,
            "state": state.value,
            "reason": "not_yet_due",
            "attempts": 0,
            "created_at": now,
            "finished_at": None if state is ReminderState.WAITING else now,
        }


async def fill(database: Database, values: Iterator[dict]) -> None:
    batch: list[dict] = []
    for value in values:
        batch.append(value)
        if len(batch) == 20_000:
            await _store(database, batch)
            batch = []
    await _store(database, batch)


async def _store(database: Database, batch: list[dict]) -> None:
    if batch:
        async with database.write() as session:
            await session.execute(insert(ReminderRow.__table__), batch)


async def tick_cost_ms(database: Database, rules: FollowUpRules, *, ticks: int) -> list[float]:
    """Ticks that find nothing to do, as nearly all do."""
    spent, clock, far_end = [], SystemClock(), FarEnd()
    for _ in range(ticks):
        begun = time.perf_counter()
        await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="benchmark")
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


async def delays(database: Database, rules: FollowUpRules, *, seconds: int) -> list[float]:
    """Seconds from due to dialled, `DUE_A_SECOND` falling due each second, the scheduler ticking once a second."""
    count, apart = seconds * DUE_A_SECOND, timedelta(seconds=1 / DUE_A_SECOND)
    far_end, first_due = FarEnd(expected=count), datetime.now(UTC) + timedelta(seconds=2)
    await fill(database, rows(count, first_due=first_due, apart=apart, state=ReminderState.WAITING, run="due"))
    async with database.read() as session:
        found = await session.execute(text("SELECT id FROM reminders WHERE topic LIKE 'due:%' ORDER BY due_at"))
        ids = list(found.scalars())
    scheduler = Scheduler(zone=ZoneInfo("Asia/Shanghai"), seconds=1.0)
    scheduler.add(
        "reminders",
        lambda: dial_due_reminders(database, clock=SystemClock(), dialler=far_end, rules=rules, claimer="benchmark"),
    )
    scheduler.start()
    try:
        async with asyncio.timeout(seconds + 30):
            await far_end.all_placed.wait()
    except TimeoutError as error:
        raise SystemExit(f"only {len(far_end.placed)} of {count} calls left") from error
    finally:
        await scheduler.stop()
    return [(far_end.placed[number] - (first_due + apart * place)).total_seconds() for place, number in enumerate(ids)]


async def measure(kind: str, *, rows_at_rest: int, waiting: int, ticks: int, seconds: int) -> bool:
    rules, later = any_hour(), datetime.now(UTC) + timedelta(days=1)
    async with opened(kind) as database:
        await fill(
            database, rows(waiting, first_due=later, apart=timedelta(seconds=1), state=ReminderState.WAITING, run="w")
        )
        late = sorted(await delays(database, rules, seconds=seconds))
        p99 = late[int(len(late) * 0.99)]
        print(f"{kind}: {waiting:,} waiting, due to dialled p50 {statistics.median(late):.2f} s, p99 {p99:.2f} s")
        past = later - timedelta(days=900)
        await fill(
            database,
            rows(rows_at_rest - waiting, first_due=past, apart=timedelta(0), state=ReminderState.DONE, run="d"),
        )
        if kind == "PostgreSQL":
            async with database.write() as session:
                await session.execute(text("ANALYZE reminders"))
        await tick_cost_ms(database, rules, ticks=5)
        spent = sorted(await tick_cost_ms(database, rules, ticks=ticks))
    median, worst = statistics.median(spent), spent[int(len(spent) * 0.99)]
    print(f"{kind}: {rows_at_rest:,} rows, a tick costs p50 {median:.2f} ms, p99 {worst:.2f} ms")
    return p99 < REQUIRED_DELAY_SECONDS and median < REQUIRED_TICK_MS


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Database]:
    async with new_database(kind) as url:
        database = Database(url)
        try:
            yield database
        finally:
            await database.close()


async def run(*, quick: bool) -> int:
    structlog.configure(processors=[_silent])
    held = [
        await measure(
            kind,
            rows_at_rest=200_000 if quick else 1_000_000,
            waiting=20_000 if quick else 100_000,
            ticks=50 if quick else 200,
            seconds=8 if quick else 30,
        )
        for kind in await kinds()
    ]
    holds = all(held)
    print(
        f"verdict: due to dialled p99 below {REQUIRED_DELAY_SECONDS:.0f} s and a tick below {REQUIRED_TICK_MS:.0f} ms "
        f"(median) {'holds' if holds else 'DOES NOT HOLD'}"
    )
    return 0 if holds else 1


def _silent(logger: object, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--quick", action="store_true", help="fewer rows, for trying the benchmark itself")
    return asyncio.run(run(quick=cli.parse_args().quick))


if __name__ == "__main__":
    sys.exit(main())
