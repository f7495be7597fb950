"""Ninety days of five thousand homes in virtual time, through the real services: is every rule kept, is nobody forgotten?

    .venv/bin/python benchmarks/ninety_days.py [--quick] [--homes N] [--days N] [--seed N] [--only sqlite|postgresql]

SQLite always; PostgreSQL too where CALLCENTER_TEST_POSTGRES (or a server on loopback) can be reached; each without faults
and with a seeded schedule of them: schedulers killed at any step, two at once, the database away for ten minutes, the
provider answering 500 after having dialled, the clock jumping. Exit code 0 only where no rule was broken.
SIGTERM ends a run with the day that it is in: what has been played is judged.
"""

import argparse
import asyncio
import gc
import logging
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import structlog
import uvloop
from sqlalchemy import event
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import administer, kinds, new_database  # noqa: E402
from benchmarks.follow_up.hotline import PATIENCE_SECONDS, Hotline, Plan, Tally  # noqa: E402
from benchmarks.follow_up.inline_sqlite import run_inline  # noqa: E402
from benchmarks.follow_up.invariants import Verdict, judge  # noqa: E402
from benchmarks.follow_up.world import World, look_at  # noqa: E402
from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings  # noqa: E402
from callcenter.db.engine import Database  # noqa: E402
from callcenter.services.follow_up_rules import follow_up_rules  # noqa: E402

RARELY = (50_000, 20, 100)
"""The garbage collector's thresholds: the simulation makes many short-lived objects and few cycles."""

FIRST_DAY = date(2026, 9, 14)
"""The ninety days hold the Mid-Autumn and National Day holidays with their make-up Saturdays."""


async def play(
    url: str,
    folder: Path,
    plan: Plan,
    *,
    zone: str = "Asia/Shanghai",
    on_day: Callable[[int, Tally], None] = lambda day, tally: None,
) -> World:
    """Plays the plan on a migrated, empty database, and looks at what is left of it."""
    rules = follow_up_rules(FollowUpSettings(), CalendarSettings(timezone=zone), ConsoleSettings())
    database, other = Database(url), Database(url)
    try:
        for one in (database, other):
            _be_patient(one)
            if one.is_sqlite:
                _hurry(one)
                run_inline(one)
        hotline = Hotline(database, other, rules, plan, folder)
        hotline.on_day = on_day
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, hotline.end_today)
        await hotline.run()
        return await look_at(hotline)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        await database.close()
        await other.close()


def _be_patient(database: Database) -> None:
    """No connection is waited for by the clock on the wall: that this run is paused is none of the faults played."""
    for engine in {database.writer, database.reader}:
        engine.sync_engine.pool._timeout = PATIENCE_SECONDS  # type: ignore[attr-defined]


def _hurry(database: Database) -> None:
    """Commits are not waited for on the disk: a power cut is not among the faults played here."""
    for engine in {database.writer, database.reader}:
        event.listen(engine.sync_engine, "connect", _hurry_connection)


def _hurry_connection(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous=OFF", "cache_size=-65536"):
        _execute(connection, f"PRAGMA {pragma}")


async def _hurry_server(url: str) -> None:
    """The same on PostgreSQL, for every connection to come. Plans are not compiled."""
    name = make_url(url).database
    for setting in ("synchronous_commit", "jit"):
        await administer(f"ALTER DATABASE {name} SET {setting} = off")


def _execute(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()


async def measure(kind: str, plan: Plan, *, zone: str) -> int:
    """How many times a rule was broken."""
    began, worked = time.perf_counter(), time.process_time()
    async with new_database(kind) as url:
        if kind == "PostgreSQL":
            await _hurry_server(url)
        with tempfile.TemporaryDirectory() as folder:
            world = await play(url, Path(folder), plan, zone=zone, on_day=_show_progress(began))
    verdicts = judge(world)
    seconds = f"{time.perf_counter() - began:.0f} s, {time.process_time() - worked:.0f} s of them at work"
    show(kind, plan, world, verdicts, seconds=seconds)
    return sum(len(verdict.broken) for verdict in verdicts)


def _show_progress(began: float) -> Callable[[int, Tally], None]:
    def show_progress(day: int, tally: Tally) -> None:
        if day and day % 10 == 0:
            spent = time.perf_counter() - began
            print(f"  day {day}: {tally.calls_in:,} calls in, {spent:.0f} s", file=sys.stderr, flush=True)

    return show_progress


def show(kind: str, plan: Plan, world: World, verdicts: list[Verdict], *, seconds: str) -> None:
    faults = "with faults" if plan.faults else "without faults"
    print(f"\n{kind}, {faults}: {world.days} days, {plan.homes:,} homes, seed {plan.seed}, in {seconds}")
    outcomes = Counter(one.attempt.outcome for one in world.tries)
    ends = Counter(f"{row.state}: {row.reason}" for row in world.reminders.values())
    print(
        f"  calls in {world.tally.calls_in:,}, tickets {len(world.tickets):,}, reminders {len(world.reminders):,}",
        end="",
    )
    print(
        f", tries {len(world.tries):,}, rounds {world.tally.ticks:,}, numbers not to be called {len(world.do_not_call)}"
    )
    print(f"  tries    {_counts(outcomes)}")
    print(f"  reminders {_counts(ends)}")
    if plan.faults:
        print(f"  faults   {_counts(world.tally.faults)}; {_counts(world.tally.failed)}")
    for verdict in verdicts:
        print(f"  {verdict.rule:<50} {verdict.looked_at:>8,} looked at {len(verdict.broken):>6} broken")
        for one in verdict.broken[:5]:
            print(f"      {one}")


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items(), key=lambda one: str(one[0])))


async def run(options: argparse.Namespace) -> int:
    silence()
    homes = options.homes or (200 if options.quick else 5_000)
    days = options.days or (5 if options.quick else 90)
    broken = []
    for kind in await kinds(options.only):
        for faults in (False, True):
            if options.faults in (None, "with" if faults else "without"):
                plan = Plan(first_day=FIRST_DAY, days=days, homes=homes, seed=options.seed, faults=faults)
                broken.append(await measure(kind, plan, zone=options.zone))
    holds = bool(broken) and not any(broken)
    print(
        f"\nverdict: no rule broken in {len(broken)} runs {'holds' if holds else f'DOES NOT HOLD: {sum(broken)} times'}"
    )
    return 0 if holds else 1


def silence() -> None:
    structlog.configure(processors=[_silent])
    logging.disable(logging.CRITICAL)


def _silent(logger: object, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--quick", action="store_true", help="200 homes and 5 days, under a minute")
    cli.add_argument("--homes", type=int)
    cli.add_argument("--days", type=int)
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--zone", default="Asia/Shanghai", help="another time zone, for one whose clocks change")
    cli.add_argument("--only", choices=("sqlite", "postgresql"))
    cli.add_argument("--faults", choices=("with", "without"))
    gc.set_threshold(*RARELY)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(cli.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
