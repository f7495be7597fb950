"""What providers and people send instead of a clean recording."""

import asyncio
import struct
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from callcenter.asr.batch import Transcriber
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import EmptyRecording, NotAudio, TooLong
from callcenter.asr.result import TranscriptionResult
from callcenter.domain.transcript import Side

from .conftest import RATE_HZ, Samples, Writer

Transcribe = Callable[..., Awaitable[TranscriptionResult]]

SECONDS = np.arange(10 * RATE_HZ) / RATE_HZ


@pytest.fixture
def transcribe(transcriber: Transcriber, engine: EngineSettings) -> Transcribe:
    async def run(path: Path, stated_seconds: float | None = None) -> TranscriptionResult:
        return await transcriber.transcribe(path, engine=engine, sides=Side.RESIDENT, stated_seconds=stated_seconds)

    return run


def _text(result: TranscriptionResult) -> str:
    return "".join(segment.text for segment in result.transcript.segments)


def _tone(hertz: float) -> Samples:
    return (8000 * np.sin(2 * np.pi * hertz * SECONDS)).astype(np.int16)


def _noise(level: float) -> Samples:
    return np.random.default_rng(1).normal(0, level, len(SECONDS)).clip(-32768, 32767).astype(np.int16)


def _keys() -> Samples:
    pairs = [(697, 1209), (770, 1336), (852, 1477), (941, 1336)]
    tones = [np.sin(2 * np.pi * low * SECONDS) + np.sin(2 * np.pi * high * SECONDS) for low, high in pairs]
    chosen = np.choose((SECONDS / 0.25).astype(int) % 4, tones)
    return np.asarray(chosen * 6000 * (SECONDS % 0.25 < 0.12)).astype(np.int16)


NOBODY_SPEAKS = {
    "digital silence": np.zeros(len(SECONDS), np.int16),
    "line hiss": _noise(4),
    "white noise": _noise(1500),
    "loud white noise": _noise(9000),
    "dialling tone": _tone(450),
    "mains hum": _tone(50),
    "a beep": _tone(1000),
    "ringing": (_tone(450) * (SECONDS % 5 < 1)).astype(np.int16),
    "engaged": (_tone(450) * (SECONDS % 0.7 < 0.35)).astype(np.int16),
    "keys": _keys(),
    "bursts of noise": (_noise(3000) * (SECONDS % 1 < 0.3)).astype(np.int16),
}


@pytest.mark.parametrize("sound", NOBODY_SPEAKS, ids=str)
async def test_where_nobody_speaks_there_are_no_words(sound: str, transcribe: Transcribe, write_audio: Writer) -> None:
    result = await transcribe(write_audio(NOBODY_SPEAKS[sound]))
    assert result.transcript.segments == ()
    assert "no_speech:resident" in result.warnings


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><html>", b'{"error": 404}', b"\x00\x01\x02" * 50, b"RIFF\x10\0\0\0WAVEjunkjunk"]
)
async def test_not_audio(content: bytes, transcribe: Transcribe, tmp_path: Path) -> None:
    path = tmp_path / "recording.wav"
    path.write_bytes(content)
    with pytest.raises(NotAudio):
        await transcribe(path)


async def test_an_html_page_is_called_that(transcribe: Transcribe, tmp_path: Path) -> None:
    path = tmp_path / "recording.mp3"
    path.write_bytes(b"\n<html><body>Please log in</body></html>")
    with pytest.raises(NotAudio, match="web page"):
        await transcribe(path)


async def test_no_such_file(transcribe: Transcribe, tmp_path: Path) -> None:
    with pytest.raises(NotAudio, match="no file"):
        await transcribe(tmp_path / "gone.wav")


async def test_an_empty_file(transcribe: Transcribe, tmp_path: Path) -> None:
    path = tmp_path / "recording.wav"
    path.touch()
    with pytest.raises(EmptyRecording):
        await transcribe(path)


async def test_a_header_without_samples(transcribe: Transcribe, tmp_path: Path) -> None:
    path = tmp_path / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
    with pytest.raises(EmptyRecording):
        await transcribe(path)


async def test_a_small_flac_of_24_hours_is_refused_by_its_header(transcribe: Transcribe, write_audio: Writer) -> None:
    path = write_audio(np.zeros(24 * 3600 * RATE_HZ, np.int16), "bomb.flac", codec="flac")
    assert path.stat().st_size < 20_000_000
    with pytest.raises(TooLong, match=r"24\.0 h"):
        await transcribe(path)


async def test_a_flac_that_hides_its_length_is_stopped_while_decoding(
    transcribe: Transcribe, write_audio: Writer, tmp_path: Path
) -> None:
    path = write_audio(np.zeros(5 * 3600 * RATE_HZ, np.int16), "bomb.flac", codec="flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # STREAMINFO: the 36 bits of "total samples", 0 meaning unknown
    content[22:26] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(TooLong, match="decodes to more"):
        await transcribe(path)


async def test_a_truncated_wav_gives_what_is_there_and_says_so(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    path = write_audio(np.concatenate([utterance, utterance]))
    path.write_bytes(path.read_bytes()[: len(utterance) * 2 + 44])
    result = await transcribe(path)
    assert "truncated" in result.warnings
    assert "漏水" in _text(result)


async def test_shorter_than_the_provider_stated(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    path = write_audio(utterance)
    assert "truncated" in (await transcribe(path, 60)).warnings
    assert "truncated" not in (await transcribe(path, 7)).warnings


async def test_a_header_that_lies_about_the_sample_rate_shows_in_the_duration(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    slow, fast = write_audio(utterance, "slow.wav", rate_hz=4000), write_audio(utterance, "fast.wav", rate_hz=16000)
    assert "longer_than_stated" in (await transcribe(slow, 6)).warnings
    assert "truncated" in (await transcribe(fast, 6)).warnings


async def test_a_call_of_three_hours_is_heard_to_its_end(
    transcribe: Transcribe, tmp_path: Path, utterance: Samples
) -> None:
    """Silence costs next to nothing; what is said at the end has the time of the end. (The file is sparse.)"""
    path, frames = tmp_path / "long.wav", 3 * 3600 * RATE_HZ
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(b"")
    with path.open("r+b") as raw:
        for at, size in ((4, 36 + 2 * frames), (40, 2 * frames)):
            raw.seek(at)
            raw.write(struct.pack("<I", size))
        raw.seek(44 + 2 * (frames - len(utterance)))
        raw.write(utterance.tobytes())
    result = await transcribe(path)
    assert result.duration_ms == 3 * 3600 * 1000
    assert "漏水" in _text(result)
    assert result.transcript.segments[-1].start_ms > 3 * 3600 * 1000 - len(utterance) // 8


@pytest.mark.parametrize("missing", [0, 1])
async def test_one_side_missing_leaves_the_other(
    missing: int, transcriber: Transcriber, engine: EngineSettings, write_audio: Writer, utterance: Samples
) -> None:
    both = np.zeros((len(utterance), 2), np.int16)
    both[:, 1 - missing] = utterance
    result = await transcriber.transcribe(write_audio(both), engine=engine, sides="stereo")
    sides = (Side.RESIDENT, Side.AGENT)
    assert result.warnings == (f"no_speech:{sides[missing]}",)
    assert {segment.side for segment in result.transcript.segments} == {sides[1 - missing]}
    assert result.talk.cross_talk_ms == 0


async def test_a_file_that_grows_while_it_is_read_gives_a_whole_part_of_it(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    """A recorder that is not finished: the header promises more than is there, and more comes all the time."""
    path = write_audio(np.concatenate([utterance] * 6))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    reading = asyncio.create_task(transcribe(path))
    for part in range(4, 12):
        await asyncio.sleep(0.02)
        with path.open("ab") as file:
            file.write(whole[len(whole) * (part - 1) // 12 : len(whole) * part // 12])
    result = await reading
    assert len(utterance) // 8 < result.duration_ms <= 6 * len(utterance) // 8
    assert "漏水" in _text(result)


async def test_a_recording_whose_coding_changes_in_its_middle_is_heard_whole(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples, tmp_path: Path
) -> None:
    """Two recordings behind each other in one file, of another rate each, as a transfer between recorders leaves it."""
    wide, wider = np.repeat(utterance, 2), np.repeat(utterance, 4)
    first = write_audio(wide, "first.mp3", codec="libmp3lame", rate_hz=16000, sample_format="s16p")
    second = write_audio(wider, "second.mp3", codec="libmp3lame", rate_hz=32000, sample_format="s16p")
    both = tmp_path / "both.mp3"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    result = await transcribe(both)
    assert _text(result).count("漏水") == 2, "times and pitch of the second part are right as well"


@pytest.mark.parametrize("rate_hz", [0, 1, 4_000_000_000])
async def test_an_impossible_sample_rate(
    rate_hz: int, transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    path = write_audio(utterance)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate_hz)
    path.write_bytes(content)
    with pytest.raises((NotAudio, EmptyRecording)):
        await transcribe(path)


async def test_samples_that_are_not_numbers(transcribe: Transcribe, write_audio: Writer, utterance: Samples) -> None:
    values = utterance.astype(np.float32) / 32768
    values[::1000] = np.nan
    values[1::5000] = np.inf
    result = await transcribe(write_audio(values, codec="pcm_f32le", sample_format="flt"))
    assert any(warning.startswith("broken_samples:") for warning in result.warnings)
    assert "业主" in _text(result)


async def test_clipping_is_heard_through_and_named(
    transcribe: Transcribe, write_audio: Writer, utterance: Samples
) -> None:
    loud = (utterance.astype(np.int32) * 12).clip(-32768, 32767).astype(np.int16)
    result = await transcribe(write_audio(loud))
    assert "clipped:resident" in result.warnings
    assert _text(result)


async def test_a_constant_offset_does_no_harm(transcribe: Transcribe, write_audio: Writer, utterance: Samples) -> None:
    shifted = (utterance.astype(np.int32) // 2 + 12_000).clip(-32768, 32767).astype(np.int16)
    assert "漏水" in _text(await transcribe(write_audio(shifted)))


async def test_broken_packets_are_left_out(transcribe: Transcribe, write_audio: Writer, utterance: Samples) -> None:
    path = write_audio(np.concatenate([utterance] * 3), "cut.mp3", codec="libmp3lame", sample_format="s16p")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = np.random.default_rng(2).bytes(2000)
    path.write_bytes(content)
    result = await transcribe(path)
    assert _text(result).count("厨房") >= 2  # of three: the middle is lost, what follows is not
    assert any(warning.startswith("skipped_packets:") for warning in result.warnings)
