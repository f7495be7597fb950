"""The clockwork goes on whatever becomes of a tick, and stops without leaving one half done."""

import asyncio
from zoneinfo import ZoneInfo

from callcenter.jobs.scheduler import Scheduler

ZONE = ZoneInfo("Asia/Shanghai")


async def until(condition: asyncio.Event) -> None:
    await asyncio.wait_for(condition.wait(), timeout=5)


async def test_a_failing_tick_stops_neither_itself_nor_the_others() -> None:
    failed, ran = 0, asyncio.Event()

    async def fails() -> None:
        nonlocal failed
        failed += 1
        if failed == 3:
            ran.set()
        raise RuntimeError("database away")

    scheduler = Scheduler(zone=ZONE, seconds=0.02)
    scheduler.add("fails", fails)
    scheduler.start()
    await until(ran)
    await scheduler.stop()


async def test_a_slow_tick_never_overlaps_itself_and_delays_no_other() -> None:
    at_once, most, quick, enough = 0, 0, 0, asyncio.Event()

    async def slow() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.2)
        at_once -= 1

    async def often() -> None:
        nonlocal quick
        quick += 1
        if quick == 5:
            enough.set()

    scheduler = Scheduler(zone=ZONE, seconds=0.02)
    scheduler.add("slow", slow)
    scheduler.add("often", often)
    scheduler.start()
    await until(enough)
    await scheduler.stop()
    assert most == 1


async def test_stopping_lets_a_running_tick_end() -> None:
    begun, ended = asyncio.Event(), False

    async def placing_a_call() -> None:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.1)
        ended = True

    scheduler = Scheduler(zone=ZONE, seconds=0.02)
    scheduler.add("call", placing_a_call)
    scheduler.start()
    await until(begun)
    await scheduler.stop()
    assert ended


async def test_a_tick_that_does_not_end_is_cancelled() -> None:
    begun, cancelled = asyncio.Event(), False

    async def hangs() -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled = True
            raise

    scheduler = Scheduler(zone=ZONE, seconds=0.02)
    scheduler.add("hangs", hangs)
    scheduler.start()
    await until(begun)
    await scheduler.stop(seconds=0.05)
    assert cancelled
    await scheduler.stop()
