"""A few days of a small estate in virtual time, on the services as they are: every rule is kept, whatever goes wrong.

The same simulation as `benchmarks/ninety_days.py`, which runs it over ninety days and five thousand homes.
"""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import structlog

from benchmarks.follow_up.hotline import Plan, Tally
from benchmarks.follow_up.invariants import RULES, judge
from benchmarks.follow_up.world import World
from benchmarks.ninety_days import play

NATIONAL_DAY = date(2026, 9, 30)
CLOCKS_GO_BACK = date(2026, 10, 24)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


async def run(
    database_url: str,
    folder: Path,
    *,
    zone: str = "Asia/Shanghai",
    on_day: Callable[[int, Tally], None] = lambda day, tally: None,
    **plan: object,
) -> World:
    values: dict[str, object] = {"first_day": NATIONAL_DAY, "days": 4, "homes": 120, "calls_a_home_a_day": 0.05}
    return await play(database_url, folder, Plan(**values | plan), zone=zone, on_day=on_day)  # type: ignore[arg-type]


def broken(world: World) -> dict[str, tuple[str, ...]]:
    return {verdict.rule: verdict.broken for verdict in judge(world) if verdict.broken}


async def test_no_rule_is_broken(database_url: str, tmp_path: Path) -> None:
    world = await run(database_url, tmp_path)
    assert broken(world) == {}
    assert len(world.tries) > 20
    assert len(judge(world)) == len(RULES)


@pytest.mark.parametrize("seed", [11, 12])
async def test_no_rule_is_broken_whatever_goes_wrong(database_url: str, tmp_path: Path, seed: int) -> None:
    world = await run(database_url, tmp_path, seed=seed, faults=True)
    assert broken(world) == {}
    assert world.tally.failed["schedulers killed"] > 3


async def test_a_night_with_an_hour_twice(database_url: str, tmp_path: Path) -> None:
    world = await run(database_url, tmp_path, zone="Europe/Berlin", first_day=CLOCKS_GO_BACK, days=3)
    assert broken(world) == {}


async def test_the_checks_find_what_is_wrong(database_url: str, tmp_path: Path) -> None:
    """A resident phoned in the night, a reminder forgotten, a wrong outcome: each is seen, also in a run cut short."""

    def end_on_the_third_day(day: int, _tally: Tally) -> None:
        if day == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    world = await run(database_url, tmp_path, days=30, on_day=end_on_the_third_day)
    assert world.days == 3
    reached = next(one for one in world.tries if one.reached)
    reached.attempt.at = reached.attempt.at.replace(hour=18)
    reached.attempt.outcome = "busy"
    world.reminders[reached.reminder.id].state = "waiting"
    assert {
        "decent hours, promises and emergencies apart",
        "no reminder forgotten",
        "outcome on record is what happened",
    } <= set(broken(world))
