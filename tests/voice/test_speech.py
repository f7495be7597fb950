"""Texts become audio offline: measured, not heard."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from callcenter.voice.speech import OfflineSpeech, SpeechFailed


def loudness(file: Path) -> tuple[float, float]:
    """Seconds and RMS."""
    with wave.open(str(file)) as audio:
        samples = np.frombuffer(audio.readframes(audio.getnframes()), np.int16).astype(float)
        return len(samples) / audio.getframerate(), float(np.sqrt((samples**2).mean()))


async def test_mandarin_is_spoken_and_kept(tmp_path: Path) -> None:
    speech = OfflineSpeech(tmp_path)
    short = await speech.speak("您好。")
    long = await speech.speak("您好，这里是翠湖物业客服中心，您报修的水管已经修好了，请问是否满意？")
    short_seconds, short_rms = loudness(short)
    long_seconds, long_rms = loudness(long)
    assert 0.3 < short_seconds < 3
    assert 4 < long_seconds < 15
    assert min(short_rms, long_rms) > 500
    made_at = short.stat().st_mtime_ns
    assert await speech.speak("您好。") == short
    assert short.stat().st_mtime_ns == made_at
    assert sorted(tmp_path.iterdir()) == sorted([short, long])


async def test_the_same_text_at_once_gives_one_file(tmp_path: Path) -> None:
    speech = OfflineSpeech(tmp_path)
    files = await asyncio.gather(*(speech.speak("请稍等") for _ in range(4)))
    assert len(set(files)) == 1
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_prepared_recording_comes_first(tmp_path: Path) -> None:
    recording = tmp_path / "welcome.wav"
    recording.write_bytes(b"RIFF")
    speech = OfflineSpeech(tmp_path / "cache", prepared={"您好": recording})
    assert await speech.speak("您好") == recording


@pytest.mark.parametrize(("text", "language"), [("", "zh"), ("   ", "zh"), ("长" * 2001, "zh"), ("hello", "xx")])
async def test_what_cannot_be_spoken_is_named(tmp_path: Path, text: str, language: str) -> None:
    with pytest.raises(SpeechFailed, match=r"characters|no voice"):
        await OfflineSpeech(tmp_path).speak(text, language=language)
    assert list(tmp_path.iterdir()) == []
