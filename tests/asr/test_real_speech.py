"""Real libvosk on real files: formats, sides, times."""

from pathlib import Path

import numpy as np
import pytest

from callcenter.asr.batch import Transcriber, transcribe_file
from callcenter.asr.engine import EngineSettings
from callcenter.domain.transcript import Side

from .conftest import RATE_HZ, SAMPLES, Samples, Writer

SAID = "你好我是三栋二单元五零一的业主我家厨房水管漏水"


def _errors(said: str, heard: str) -> int:
    """Edit distance in characters."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (wanted != got))
    return row[-1]


@pytest.mark.parametrize(
    "name",
    [
        "utterance_8k.wav",
        "utterance_ulaw.wav",
        "utterance_44k_stereo.wav",
        "utterance.mp3",
        "utterance.opus",
        "utterance.m4a",
    ],
)
async def test_every_format_is_heard(name: str, transcriber: Transcriber, engine: EngineSettings) -> None:
    result = await transcriber.transcribe(SAMPLES / name, engine=engine, sides=Side.RESIDENT)
    heard = "".join(segment.text for segment in result.transcript.segments)
    assert _errors(SAID, heard) <= 4, heard
    assert 5900 < result.duration_ms < 6200
    assert result.warnings == ()
    assert {segment.side for segment in result.transcript.segments} == {Side.RESIDENT}


@pytest.mark.parametrize(
    ("name", "codec", "sample_format"),
    [("a.flac", "flac", "s16"), ("b.wav", "pcm_alaw", "s16"), ("c.webm", "libopus", "s16")],
)
async def test_further_containers(
    name: str,
    codec: str,
    sample_format: str,
    transcriber: Transcriber,
    engine: EngineSettings,
    utterance: Samples,
    write_audio: Writer,
) -> None:
    path = write_audio(utterance, name, codec=codec, sample_format=sample_format)
    result = await transcriber.transcribe(path, engine=engine, sides=Side.RESIDENT)
    assert "漏水" in "".join(segment.text for segment in result.transcript.segments)


async def test_the_two_channels_are_resident_and_agent_with_times_of_the_recording(
    transcriber: Transcriber, engine: EngineSettings, utterance: Samples, write_audio: Writer
) -> None:
    late = 10 * RATE_HZ
    both = np.zeros((late + len(utterance), 2), np.int16)
    both[: len(utterance), 0] = utterance
    both[late:, 1] = utterance
    result = await transcriber.transcribe(write_audio(both), engine=engine, sides="stereo", stated_seconds=16)
    resident, agent = (result.transcript.of_side(side) for side in (Side.RESIDENT, Side.AGENT))
    assert [part.text for part in resident] == [part.text for part in agent]
    for first, second in zip(resident, agent, strict=True):
        assert abs(second.start_ms - first.start_ms - 10_000) <= 120
    assert result.warnings == ()
    assert [len(side.peaks) for side in result.sides] == [322, 322]
    assert max(result.sides[1].peaks[:190]) == 0 < max(result.sides[1].peaks[200:])


async def test_words_carry_times_and_confidence(transcriber: Transcriber, engine: EngineSettings) -> None:
    result = await transcriber.transcribe(SAMPLES / "utterance_8k.wav", engine=engine, sides=Side.RESIDENT)
    words = [word for segment in result.transcript.segments for word in segment.words]
    assert all(0 <= word.start_ms < word.end_ms <= result.duration_ms for word in words)
    assert all(0 < word.confidence <= 1 for word in words)
    assert [word.start_ms for word in words] == sorted(word.start_ms for word in words)


async def test_mono_where_two_sides_were_promised_is_an_honest_unknown(
    transcriber: Transcriber, engine: EngineSettings
) -> None:
    result = await transcriber.transcribe(SAMPLES / "utterance_8k.wav", engine=engine, sides="stereo")
    assert result.warnings == ("mono_instead_of_stereo",)
    assert [side.side for side in result.sides] == [Side.UNKNOWN]


async def test_one_sound_in_both_channels_is_heard_once(transcriber: Transcriber, engine: EngineSettings) -> None:
    result = await transcriber.transcribe(SAMPLES / "utterance_44k_stereo.wav", engine=engine, sides="stereo")
    text = "".join(segment.text for segment in result.transcript.segments)
    assert text.count("厨房") <= 1


async def test_one_file_from_the_command_line_reports_progress(demo_model: Path) -> None:
    seen: list[tuple[float, float]] = []
    result = await transcribe_file(
        SAMPLES / "utterance_8k.wav", demo_model, progress=lambda done, total: seen.append((done, total))
    )
    assert not result.transcript.is_empty
    assert seen[-1][0] == seen[-1][1] == pytest.approx(6.06, abs=0.1)
