"""Who goes first at the recognisers, and that what has time never holds the last place."""

import asyncio

import pytest

from callcenter.asr.turns import BACKGROUND, Turns


class Work:
    """Tasks that hold their place until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._let_go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.begun: list[str] = []

    async def ask(self, name: str, rank: int) -> None:
        self._let_go[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name, rank))
        await asyncio.sleep(0)

    async def _hold(self, name: str, rank: int) -> None:
        async with self._turns.turn(rank):
            self.begun.append(name)
            await self._let_go[name].wait()

    async def end(self, name: str) -> None:
        self._let_go[name].set()
        await asyncio.gather(self.tasks[name])
        await asyncio.sleep(0)


@pytest.fixture
def work() -> Work:
    return Work(Turns(places=2, background_places=1))


async def test_an_emergency_goes_before_all_that_wait(work: Work) -> None:
    for name, rank in (("a", 3), ("b", 3), ("conversation", 3), ("mail", 2), ("emergency", 1), ("another", 3)):
        await work.ask(name, rank)
    assert work.begun == ["a", "b"]
    for name in ("a", "b", "emergency", "mail"):
        await work.end(name)
    assert work.begun == ["a", "b", "emergency", "mail", "conversation", "another"]


async def test_old_recordings_leave_a_place_free(work: Work) -> None:
    await work.ask("import 1", BACKGROUND)
    await work.ask("import 2", BACKGROUND)
    assert work.begun == ["import 1"]
    await work.ask("mail", 2)
    assert work.begun == ["import 1", "mail"]
    await work.end("import 1")
    assert work.begun == ["import 1", "mail", "import 2"]


async def test_who_gives_up_waiting_takes_no_place(work: Work) -> None:
    for name in ("a", "b", "c", "d"):
        await work.ask(name, 3)
    work.tasks["c"].cancel()
    await work.end("a")
    await work.end("b")
    assert work.begun == ["a", "b", "d"]
    await work.ask("e", 3)
    assert work.begun[-1] == "e"


async def test_who_is_cancelled_in_the_moment_of_admission_gives_the_place_back(work: Work) -> None:
    for name in ("a", "b", "c", "d"):
        await work.ask(name, 3)
    work._let_go["a"].set()
    await work.tasks["a"]  # the place is c's now, who has not run yet
    work.tasks["c"].cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert "d" in work.begun
