"""Native code dies, hangs and is killed; only the recording it was at is affected."""

import asyncio
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import (
    EngineCrashed,
    EngineUnknown,
    ModelBroken,
    ModelMissing,
    SpeechError,
    TranscriptionTimedOut,
)
from callcenter.domain.transcript import Side

from .conftest import SAMPLES

UTTERANCE = SAMPLES / "utterance_8k.wav"


async def _works(transcriber: Transcriber, engine: EngineSettings) -> bool:
    result = await transcriber.transcribe(UTTERANCE, engine=engine, sides=Side.RESIDENT)
    return not result.transcript.is_empty


def _dying(engine: EngineSettings, manner: str) -> EngineSettings:
    return replace(engine, engine="faulty_engines.dying", language=manner)


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGABRT", "SIGSEGV"])
async def test_a_death_mid_transcription_is_that_recordings_own(
    signal_name: str, transcriber: Transcriber, engine: EngineSettings
) -> None:
    dead, alive = await asyncio.gather(
        transcriber.transcribe(UTTERANCE, engine=_dying(engine, signal_name), sides=Side.RESIDENT),
        _works(transcriber, engine),
        return_exceptions=True,
    )
    assert isinstance(dead, EngineCrashed)
    assert signal_name in str(dead)
    assert dead.worth_retrying
    assert alive is True
    assert await _works(transcriber, engine)


@pytest.mark.parametrize(
    ("name", "content", "signal_name"),
    [("graph/disambig_tid.int", "\n", "SIGSEGV"), ("graph/phones/word_boundary.int", "1 nonword\n", "SIGABRT")],
)
async def test_libvosk_itself_crashing_reaches_only_its_child(
    name: str,
    content: str,
    signal_name: str,
    transcriber: Transcriber,
    engine: EngineSettings,
    demo_model: Path,
    tmp_path: Path,
) -> None:
    broken = tmp_path / "model"
    shutil.copytree(demo_model, broken)
    (broken / name).write_text(content)  # whole to the eye
    with pytest.raises(EngineCrashed, match=signal_name):
        await transcriber.transcribe(UTTERANCE, engine=replace(engine, model_path=broken), sides=Side.RESIDENT)
    assert await _works(transcriber, engine)


async def test_killing_an_idle_process_loses_nothing(transcriber: Transcriber, engine: EngineSettings) -> None:
    assert await _works(transcriber, engine)
    for _ in range(2):
        for child in _speech_processes():
            child.send_signal(signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert await _works(transcriber, engine)


def _speech_processes() -> list[psutil.Process]:
    """Below the fork server, which is a child of ours."""
    servers = [child for child in psutil.Process(os.getpid()).children() if "forkserver" in " ".join(child.cmdline())]
    return [child for server in servers for child in server.children()]


async def test_a_hanging_engine_is_killed_at_its_deadline(engine: EngineSettings) -> None:
    settings = TranscriberSettings(processes=2, start_seconds=2, slowest_speed=0.1)
    async with Transcriber(settings) as transcriber:
        with pytest.raises(TranscriptionTimedOut):
            await transcriber.transcribe(UTTERANCE, engine=_dying(engine, "hang"), sides=Side.RESIDENT)
        assert await _works(transcriber, engine)


async def test_cancelling_frees_the_process(transcriber: Transcriber, engine: EngineSettings) -> None:
    hanging = [
        asyncio.create_task(
            transcriber.transcribe(UTTERANCE, engine=_dying(engine, "hang"), sides=Side.RESIDENT), name="hanging"
        )
        for _ in range(2)
    ]
    await asyncio.sleep(1.5)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    assert await asyncio.wait_for(_works(transcriber, engine), 20)


async def test_closing_does_not_leave_a_caller_waiting(engine: EngineSettings) -> None:
    transcriber = Transcriber(TranscriberSettings(processes=1))
    running = asyncio.create_task(transcriber.transcribe(UTTERANCE, engine=_dying(engine, "hang"), sides=Side.RESIDENT))
    await asyncio.sleep(1)
    await transcriber.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)


async def test_processes_are_replaced_after_their_share(engine: EngineSettings) -> None:
    async with Transcriber(TranscriberSettings(processes=2, tasks_per_process=2)) as transcriber:
        assert all(await asyncio.gather(*(_works(transcriber, engine) for _ in range(6))))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"model_path": Path("/nowhere/model")}, ModelMissing),
        ({"engine": "no-such-engine"}, EngineUnknown),
    ],
)
async def test_wrong_settings_are_named(
    change: dict[str, object], wanted: type[SpeechError], transcriber: Transcriber, engine: EngineSettings
) -> None:
    with pytest.raises(wanted):
        await transcriber.warm_up(replace(engine, **change))  # type: ignore[arg-type]
    assert await _works(transcriber, engine)


@pytest.mark.parametrize("name", ["graph/HCLr.fst", "graph/Gr.fst", "am/final.mdl"])
async def test_a_truncated_model_is_named(
    name: str, transcriber: Transcriber, engine: EngineSettings, demo_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "model"
    shutil.copytree(demo_model, broken)
    content = (broken / name).read_bytes()
    (broken / name).write_bytes(content[: len(content) // 3])
    with pytest.raises(ModelBroken):
        await transcriber.transcribe(UTTERANCE, engine=replace(engine, model_path=broken), sides=Side.RESIDENT)
