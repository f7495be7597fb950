"""Recordings with both people in one channel, and how the time of a call was spent."""

from pathlib import Path

import numpy as np
import pytest

from callcenter.asr.batch import Transcriber
from callcenter.asr.engine import EngineSettings, Utterance
from callcenter.asr.mono_turns import turns_of
from callcenter.asr.talk import measure_talk
from callcenter.domain.transcript import Side, Word
from tests.asr.conftest import Samples, Writer


def words(*spans: tuple[int, int]) -> tuple[Word, ...]:
    return tuple(Word(text=str(n), start_ms=a, end_ms=b, confidence=1.0) for n, (a, b) in enumerate(spans))


def levels(*stretches: tuple[int, float]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """(until ms, dB)..."""
    out: list[float] = []
    for until_ms, level in stretches:
        out += [level] * (until_ms // 20 - len(out))
    return np.array(out, np.float32)


def test_a_louder_voice_behind_a_breath_is_another_turn() -> None:
    heard = Utterance(words=words((0, 300), (320, 600), (760, 1000), (1020, 1300)), alternatives=(("x",),))
    turns = list(turns_of(heard, levels((680, 50.0), (1400, 62.0))))
    assert [[word.text for word in turn.words] for turn in turns] == [["0", "1"], ["2", "3"]]
    assert all(turn.alternatives == () for turn in turns), "readings of the whole are not readings of its parts"


@pytest.mark.parametrize("change_db", [0.0, 3.0])
def test_one_voice_is_one_turn(change_db: float) -> None:
    heard = Utterance(words=words((0, 300), (320, 600), (760, 1000)), alternatives=(("x",),))
    assert list(turns_of(heard, levels((680, 50.0), (1400, 50.0 + change_db)))) == [heard]


def test_a_long_pause_is_another_turn_at_any_level() -> None:
    heard = Utterance(words=words((0, 300), (1000, 1300)))
    assert len(list(turns_of(heard, levels((1400, 50.0))))) == 2


@pytest.mark.parametrize(
    ("sides", "silence", "longest", "both"),
    [
        ([[(0, 1000)], [(500, 2000)]], 3000, 3000, 500),
        ([[(1000, 2000)], [(3000, 4000)]], 3000, 1000, 0),
        ([[(1000, 2000), (4500, 5000)]], 3500, 2500, None),
        ([[], []], 5000, 5000, 0),
        ([[(0, 5000)], [(0, 5000)]], 0, 0, 5000),
    ],
)
def test_silence_and_cross_talk(
    sides: list[list[tuple[int, int]]], silence: int, longest: int, both: int | None
) -> None:
    talk = measure_talk(sides, duration_ms=5000)
    assert (talk.silence_ms, talk.longest_silence_ms, talk.cross_talk_ms) == (silence, longest, both)


async def test_two_people_in_one_channel_are_turns_of_an_unknown_side(
    transcriber: Transcriber, engine: EngineSettings, utterance: Samples, write_audio: Writer
) -> None:
    """The second one speaks 14 dB softer, a quarter of a second after the first."""
    quiet = np.zeros(2000, np.int16)
    softer = (utterance * 0.2).astype(np.int16)
    both = write_audio(np.concatenate([_trimmed(utterance), quiet, _trimmed(softer)]))
    result = await transcriber.transcribe(both, engine=engine, sides="any")
    assert result.warnings == ()
    assert {segment.side for segment in result.transcript.segments} == {Side.UNKNOWN}
    change_ms = len(_trimmed(utterance)) // 8 + 125
    assert not [
        one for one in result.transcript.segments if one.start_ms < change_ms - 300 < change_ms + 300 < one.end_ms
    ]
    assert result.talk.cross_talk_ms is None


async def test_a_call_measured(
    transcriber: Transcriber, engine: EngineSettings, utterance: Samples, write_audio: Writer, tmp_path: Path
) -> None:
    """Both sides say the same, the agent two seconds later; before and behind it nobody speaks for three."""
    quiet, later = np.zeros(24000, np.int16), np.zeros(16000, np.int16)
    resident = np.concatenate([quiet, utterance, later, quiet])
    agent = np.concatenate([quiet, later, utterance, quiet])
    path = write_audio(np.stack([resident, agent], axis=1))
    talk = (await transcriber.transcribe(path, engine=engine, sides="stereo")).talk
    assert 5500 < talk.silence_ms < 9500
    assert 2500 < talk.longest_silence_ms < 4500
    assert talk.cross_talk_ms is not None
    assert 1500 < talk.cross_talk_ms < len(utterance) // 8 - 1500


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > int(np.abs(samples).max()) // 60)
    return samples[loud[0] : loud[-1] + 1]
