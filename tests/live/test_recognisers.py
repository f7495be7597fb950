"""Real Vosk on real sound while it is spoken; processes that die or hang take only their own calls with them."""

import asyncio
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from callcenter.asr import live_process
from callcenter.asr.engine import EngineSettings
from callcenter.asr.live import Heard, LiveCallRecogniser, LiveRecognisers, LiveSettings, Lost, Partial, Shed
from callcenter.domain.transcript import Segment, Side
from callcenter.ports import LiveAudio, LiveRefused
from tests.live.conftest import ROOT
from tests.services.conftest import CALLS

sys.path.insert(0, str(ROOT / "tests" / "asr"))  # the faulty engines

ENGINE = EngineSettings(model_path=ROOT / "models/demo-zh")
PIECE_BYTES = 1600
SILENCE = bytes(PIECE_BYTES)


def spoken(side: str, folder: str = "05-lift-trapped") -> bytes:
    with wave.open(str(CALLS / folder / f"{side}.wav")) as file:
        return file.readframes(file.getnframes())


def pieces(pcm: bytes, *, begins_ms: int = 0) -> list[tuple[int, bytes]]:
    return [(begins_ms + at // 16, pcm[at : at + PIECE_BYTES]) for at in range(0, len(pcm), PIECE_BYTES)]


async def ready(recognisers: LiveRecognisers, processes: int = 1) -> None:
    async with asyncio.timeout(60):
        while recognisers.ready_processes < processes:
            await asyncio.sleep(0.02)


@pytest.fixture
async def recognisers() -> AsyncIterator[LiveRecognisers]:
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, drop_at_ms=600_000)) as opened:
        await ready(opened)
        yield opened


@pytest.fixture
def heard() -> list[Heard]:
    return []


async def speak(call: LiveCallRecogniser, pcm: bytes, *, side: Side = Side.RESIDENT, begins_ms: int = 0) -> None:
    for at_ms, piece in pieces(pcm, begins_ms=begins_ms):
        call.hear(LiveAudio(side=side, at_ms=at_ms, pcm=piece))
        await asyncio.sleep(0)


async def settled(recognisers: LiveRecognisers) -> None:
    """All that was sent has been heard."""
    async with asyncio.timeout(60):
        while recognisers.behind_ms:
            await asyncio.sleep(0.01)


def texts(heard: list[Heard], side: Side = Side.RESIDENT) -> list[str]:
    return [one.text for one in heard if isinstance(one, Segment) and one.side is side]


def children() -> list[psutil.Process]:
    named = [one for one in psutil.Process().children() if "callcenter.asr.live_child" in " ".join(one.cmdline())]
    return [one for one in named if one.status() != psutil.STATUS_ZOMBIE]


async def test_both_sides_word_by_word_with_their_times(recognisers: LiveRecognisers, heard: list[Heard]) -> None:
    call = recognisers.open((Side.RESIDENT, Side.AGENT), heard.append)
    sides = {side: pieces(spoken(side.value), begins_ms=4000) for side in (Side.RESIDENT, Side.AGENT)}
    for resident, agent in zip(*sides.values(), strict=True):
        for side, (at_ms, pcm) in ((Side.RESIDENT, resident), (Side.AGENT, agent)):
            call.hear(LiveAudio(side=side, at_ms=at_ms, pcm=pcm))
        await settled(recognisers)
    assert await call.finish()
    resident = texts(heard)
    assert resident[1:] == ["六栋一单元电梯门打不开里面有人我很着急", "没有受伤你们抓紧时间", "好的谢谢"]
    assert "电梯卡住了" in resident[0]
    assert texts(heard, Side.AGENT)[0] == "您好翠湖物业客服中心我姓何请问有什么可以帮助您"
    first = next(one for one in heard if isinstance(one, Segment) and one.side is Side.RESIDENT)
    assert 10_800 < first.start_ms < 11_400, "stream time: the gate left out 7 s, the stream began at 4 s"
    assert [word.text for word in first.words][:2] == ["喂", "你好"]
    partials = [one.text for one in heard if isinstance(one, Partial) and one.side is Side.RESIDENT]
    assert len(partials) > 20
    assert recognisers.counts.partials_shed == 0


@pytest.mark.parametrize("kind", ["silence", "tone", "noise"])
async def test_nobody_speaks_so_nothing_is_heard(recognisers: LiveRecognisers, heard: list[Heard], kind: str) -> None:
    import numpy as np

    time = np.arange(8000 * 20)
    sounds = {
        "silence": np.zeros(len(time)),
        "tone": 8000 * np.sin(time * 450 * 2 * np.pi / 8000) * ((time // 8000) % 5 == 0),
        "noise": np.random.default_rng(1).normal(0, 800, len(time)),
    }
    call = recognisers.open((Side.AGENT,), heard.append)
    await speak(call, sounds[kind].astype("<i2").tobytes(), side=Side.AGENT)
    assert await call.finish()
    assert heard == []


async def test_a_death_costs_its_calls_their_live_words_and_another_process_takes_the_next(
    recognisers: LiveRecognisers, heard: list[Heard]
) -> None:
    call = recognisers.open((Side.RESIDENT, Side.AGENT), heard.append)
    await speak(call, SILENCE * 10)
    await settled(recognisers)
    children()[0].send_signal(signal.SIGSEGV)
    async with asyncio.timeout(30):
        while not call.is_lost:
            await asyncio.sleep(0.02)
    assert heard == [Lost(reason="died")]
    assert not await call.finish()
    assert recognisers.counts.processes_died == 1
    await ready(recognisers)
    after: list[Heard] = []
    again = recognisers.open((Side.RESIDENT,), after.append)
    await speak(again, spoken("resident"))
    assert await again.finish()
    assert "好的谢谢" in texts(after)


async def test_libvosk_itself_aborting_is_a_death_like_any_other(heard: list[Heard]) -> None:
    engine = replace(ENGINE, engine="faulty_engines.dying", language="SIGABRT")
    environment = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{ROOT / 'tests' / 'asr'}:{environment}"
    try:
        async with LiveRecognisers(engine, LiveSettings(processes=1)) as recognisers:
            await ready(recognisers)
            call = recognisers.open((Side.RESIDENT,), heard.append)
            await speak(call, spoken("resident")[7 * 16000 : 12 * 16000])
            assert not await call.finish()
    finally:
        os.environ["PYTHONPATH"] = environment
    assert heard == [Lost(reason="died")]


async def test_a_process_that_hangs_is_killed(heard: list[Heard], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_process, "HANGS_AFTER_SECONDS", 0.5)
    monkeypatch.setattr(live_process, "LOOK_SECONDS", 0.1)
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1)) as recognisers:
        await ready(recognisers)
        call = recognisers.open((Side.RESIDENT,), heard.append)
        children()[0].send_signal(signal.SIGSTOP)
        await speak(call, SILENCE * 4)
        async with asyncio.timeout(30):
            while not call.is_lost:
                await asyncio.sleep(0.02)
    assert heard == [Lost(reason="died")]


async def test_what_falls_behind_sheds_partials_then_new_calls_then_the_call_itself(heard: list[Heard]) -> None:
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, drop_at_ms=5000)) as recognisers:
        await ready(recognisers)
        call = recognisers.open((Side.RESIDENT,), heard.append)
        (child,) = children()
        child.suspend()
        try:
            await speak(call, SILENCE * 10)
            assert (recognisers.shed, recognisers.counts.partials_shed) == (Shed.PARTIALS, 3)
            await speak(call, SILENCE * 20)
            assert recognisers.shed is Shed.NEW_CALLS
            with pytest.raises(LiveRefused, match="busy"):
                recognisers.open((Side.RESIDENT,), heard.append)
            await speak(call, SILENCE * 25)
            assert call.is_lost
            assert heard == [Lost(reason="behind")]
            assert (recognisers.counts.refused, recognisers.counts.dropped) == (1, 1)
        finally:
            child.resume()
        again = recognisers.open((Side.RESIDENT,), heard.append)
        await speak(again, SILENCE)
        assert await again.finish(), "the process went on, and hears others"


async def test_no_more_calls_than_there_is_room_for(heard: list[Heard]) -> None:
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, calls_per_process=2)) as recognisers:
        await ready(recognisers)
        calls = [recognisers.open((Side.RESIDENT, Side.AGENT), heard.append) for _ in range(2)]
        with pytest.raises(LiveRefused, match="busy"):
            recognisers.open((Side.RESIDENT, Side.AGENT), heard.append)
        calls[0].drop()
        recognisers.open((Side.RESIDENT, Side.AGENT), heard.append).drop()


async def test_a_process_is_replaced_after_its_number_of_calls_and_ends_with_the_last(heard: list[Heard]) -> None:
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, calls_until_replaced=1)) as recognisers:
        await ready(recognisers)
        (old,) = children()
        first = recognisers.open((Side.RESIDENT,), heard.append)
        async with asyncio.timeout(60):
            while len(children()) < 2:
                await asyncio.sleep(0.05)
        await ready(recognisers, 2)
        await speak(first, spoken("resident")[-8 * 16000 :])
        assert await first.finish()
        assert "好的谢谢" in texts(heard)
        async with asyncio.timeout(60):
            while old.pid in [one.pid for one in children()]:
                await asyncio.sleep(0.05)
        assert recognisers.counts.processes_died == 0


async def test_a_model_that_does_not_work_keeps_nothing_from_running(tmp_path: Path, heard: list[Heard]) -> None:
    async with LiveRecognisers(EngineSettings(model_path=tmp_path / "none"), LiveSettings(processes=1)) as recognisers:
        await asyncio.sleep(0.1)
        with pytest.raises(LiveRefused, match="no_recogniser"):
            recognisers.open((Side.RESIDENT,), heard.append)


async def test_nothing_is_left_behind(recognisers: LiveRecognisers) -> None:
    (child,) = children()
    await recognisers.__aexit__()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


async def test_what_comes_in_one_piece_is_heard_like_what_comes_in_many(
    recognisers: LiveRecognisers, heard: list[Heard]
) -> None:
    """After a stall of the network, or where recognition is behind."""
    call = recognisers.open((Side.RESIDENT,), heard.append)
    call.hear(LiveAudio(side=Side.RESIDENT, at_ms=0, pcm=spoken("resident")))
    assert await call.finish()
    assert texts(heard)[1:] == ["六栋一单元电梯门打不开里面有人我很着急", "没有受伤你们抓紧时间", "好的谢谢"]
