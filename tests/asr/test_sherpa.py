"""The second engine, with the real sherpa-onnx and a model of its own shape that hears only loudness."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings, load_engine
from callcenter.asr.engines.sherpa_files import check_files, kind_of
from callcenter.asr.errors import EngineUnknown, ModelBroken, ModelMissing
from callcenter.asr.models import check_model
from callcenter.domain.transcript import Side
from tests.asr.conftest import Samples, Writer

TINY = Path(__file__).parents[1] / "samples/speech/tiny-sense-voice"
SETTINGS = EngineSettings(model_path=TINY, engine="sherpa")


async def test_a_call_goes_the_whole_way(utterance: Samples, write_audio: Writer) -> None:
    """Decoded, gated, resampled to 16 kHz, heard a stretch at a time, with times of the recording."""
    quiet = np.zeros(len(utterance), np.int16)
    path = write_audio(np.stack([np.concatenate([utterance, quiet]), np.concatenate([quiet, utterance])], axis=1))
    async with Transcriber(TranscriberSettings(processes=1)) as transcriber:
        result = await transcriber.transcribe(path, engine=SETTINGS, sides="stereo")
    resident, agent = result.transcript.of_side(Side.RESIDENT), result.transcript.of_side(Side.AGENT)
    assert resident
    assert agent
    middle_ms = len(utterance) // 8
    assert all(segment.end_ms <= middle_ms + 500 for segment in resident)
    assert all(segment.start_ms >= middle_ms - 500 for segment in agent)
    assert set("".join(segment.text for segment in resident)) <= set("水管漏了leak ")
    words = [word for segment in resident for word in segment.words]
    assert all(one.end_ms <= other.start_ms + 1 for one, other in pairwise(words))


async def test_check_loads_it_in_a_child() -> None:
    found = await check_model(SETTINGS)
    assert found.problem is None
    assert found.sample_rate_hz == 16000


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda folder: shutil.rmtree(folder), ModelMissing, "no speech model"),
        (lambda folder: (folder / "model.onnx").unlink(), ModelBroken, "no whole model"),
        (lambda folder: (folder / "tokens.txt").write_text(""), ModelBroken, "tokens.txt"),
        (
            lambda folder: (folder / "model.onnx").write_bytes(b"\x08\x08" * 50),
            ModelBroken,
            "no SenseVoice or Paraformer",
        ),
    ],
)
def test_a_model_that_is_not_whole_is_named(spoil: object, error: type[Exception], says: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(TINY, folder)
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(error, match=says):
        check_files(folder)


async def test_a_damaged_network_ends_in_a_child_with_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(TINY, folder)
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[:200] + b"\xff" * 200 + whole[400:])
    assert kind_of(folder) == "sense_voice"
    assert "anew" in str((await check_model(EngineSettings(model_path=folder, engine="sherpa"))).problem)


def test_what_runs_on_without_a_pause_is_cut_and_nothing_is_lost() -> None:
    """Fifty seconds in one go: the words' times go on over the cuts, and every stretch is shorter than the limit."""
    stream = load_engine(SETTINGS).open_stream()
    second = np.arange(16000) / 16000
    swell = (np.sin(2 * np.pi * 180 * second) * 12000 * np.abs(np.sin(2 * np.pi * 2 * second))).astype("<i2").tobytes()
    heard = [utterance for _ in range(50) for utterance in stream.accept(swell)]
    assert len(heard) >= 2
    assert stream.partial()
    heard += stream.finish()
    words = [word for utterance in heard for word in utterance.words]
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(words))
    assert words[-1].start_ms > 48_000
    assert max(u.words[-1].end_ms - u.words[0].start_ms for u in heard) < 20_500
    assert stream.finish() == ()


def test_pieces_of_words_are_joined_and_characters_are_not() -> None:
    from callcenter.asr.engines.sherpa import words_of

    said = [("▁hel", 0.0), ("lo", 0.1), ("世", 0.2), ("界", 0.3), ("lea@@", 0.4), ("k", 0.5), (" ok", 0.6)]
    words = list(words_of([t for t, _ in said], [at for _, at in said], [], ends_seconds=1.0))
    assert [word.text for word in words] == ["hello", "世", "界", "leak", "ok"]
    assert (words[0].start_ms, words[0].end_ms) == (0, 200)


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    monkeypatch.delitem(sys.modules, "callcenter.asr.engines.sherpa", raising=False)
    with pytest.raises(EngineUnknown, match=r"pip install callcenter\[sherpa\]"):
        load_engine(SETTINGS)
