"""Several people on one call, one at a time, in the order of the call's own time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.demo.clock import SharedClock
from callcenter.demo.far_end.virtual_time import NobodyLeft, Part, VirtualTime

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


class Interrupted(Exception):
    pass


@pytest.fixture
def time(tmp_path: Path) -> VirtualTime:
    return VirtualTime(SharedClock.create(tmp_path / "clock", START, running=False))


async def test_everyone_acts_at_their_own_time(time: VirtualTime) -> None:
    seen: list[tuple[str, float]] = []

    async def other(name: str, *pauses: float) -> None:
        for pause in pauses:
            await time.sleep(pause)
            seen.append((name, (time.now - START).total_seconds()))

    async def main() -> None:
        parts = [time.spawn("a", other("a", 1, 3)), time.spawn("b", other("b", 2, 1))]
        for part in parts:
            await time.join(part)
        seen.append(("main", (time.now - START).total_seconds()))

    await time.run(main())
    assert seen == [("a", 1.0), ("b", 2.0), ("b", 3.0), ("a", 4.0), ("main", 4.0)]


async def test_an_interruption_goes_before_what_happens_at_the_same_moment(time: VirtualTime) -> None:
    seen: list[str] = []

    async def sleeper() -> None:
        try:
            await time.sleep(5)
            seen.append("slept")
        except Interrupted:
            seen.append("interrupted")

    async def main() -> None:
        part = time.spawn("sleeper", sleeper())
        await time.sleep(0)
        await time.until(START + timedelta(seconds=5) - timedelta(microseconds=1))
        time.wake(part, Interrupted())
        await time.join(part)

    await time.run(main())
    assert seen == ["interrupted"]


async def test_whoever_still_waits_at_the_end_is_sent_home(time: VirtualTime) -> None:
    parts: list[Part] = []

    async def main() -> None:
        parts.append(time.spawn("forever", time.park()))
        await time.sleep(1)

    await time.run(main())
    assert parts[0].over


async def test_a_failure_of_one_ends_the_call(time: VirtualTime) -> None:
    async def fails() -> None:
        await time.sleep(1)
        raise Interrupted

    async def main() -> None:
        time.spawn("fails", fails())
        await time.sleep(60)

    with pytest.raises(Interrupted):
        await time.run(main())


async def test_a_call_in_which_all_wait_for_each_other_is_an_error(time: VirtualTime) -> None:
    with pytest.raises(NobodyLeft, match="call"):
        await time.run(time.park())
