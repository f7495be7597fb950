"""Prompts that people have recorded come first; what is kept is forgotten when nobody uses it."""

import asyncio
import os
import time
import wave
from pathlib import Path

import pytest

from callcenter.app.asterisk import recordings_of
from callcenter.commands.doctor_asterisk import _recorded
from callcenter.config import Settings, SettingsError
from callcenter.ivr.providers.asterisk.prompts import Prompts
from callcenter.voice.kept import forget_unused
from callcenter.voice.recorded import RecordedPromptsWrong, recorded_prompts
from callcenter.voice.speech import OfflineSpeech


def record(folder: Path, name: str, text: str | None, *, value: int = 1000, rate_hz: int = 16000) -> Path:
    """A second of the same value, and what it says."""
    folder.mkdir(exist_ok=True)
    with wave.open(str(folder / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(value.to_bytes(2, "little") * rate_hz)
    if text is not None:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder / f"{name}.wav"


def loudest(file: Path) -> int:
    with wave.open(str(file)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (
            8000,
            1,
            pytest.approx(8000, abs=80),
        )
        samples = sound.readframes(sound.getnframes())
    return max(int.from_bytes(samples[at : at + 2], "little", signed=True) for at in range(0, len(samples), 2))


async def test_a_recording_is_played_in_place_of_synthesis(tmp_path: Path) -> None:
    record(tmp_path / "said", "notice", "您好， 翠湖\n物业。\n")
    speech = OfflineSpeech(tmp_path / "speech", prepared=recorded_prompts(tmp_path / "said"))
    prompts = Prompts(speech, tmp_path / "prompts")
    await prompts.keep_as("notice", "您好， 翠湖 物业。")
    assert loudest(tmp_path / "prompts" / "notice.wav") == pytest.approx(1000, abs=20)
    assert not (tmp_path / "speech").exists()


async def test_a_new_recording_replaces_the_old_one(tmp_path: Path) -> None:
    played = []
    for value in (1000, 2000):
        record(tmp_path / "said", "notice", "您好", value=value)
        speech = OfflineSpeech(tmp_path / "speech", prepared=recorded_prompts(tmp_path / "said"))
        prompt = await Prompts(speech, tmp_path / "prompts").of("您好")
        played.append(loudest(Path(f"{prompt.media.removeprefix('sound:')}.wav")))
    assert played == [pytest.approx(1000, abs=20), pytest.approx(2000, abs=40)]


async def test_a_prompt_that_was_removed_is_made_again(tmp_path: Path) -> None:
    record(tmp_path / "said", "notice", "您好")
    speech = OfflineSpeech(tmp_path / "speech", prepared=recorded_prompts(tmp_path / "said"))
    prompts = Prompts(speech, tmp_path / "prompts")
    first = await prompts.of("您好")
    file = Path(f"{first.media.removeprefix('sound:')}.wav")
    file.unlink()
    assert await prompts.of("您好") == first
    assert file.exists()


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o750, 0o640), (0o755, 0o644), (0o700, 0o600)])
async def test_whoever_may_look_into_the_folder_may_read(tmp_path: Path, folder_mode: int, file_mode: int) -> None:
    """The server's umask keeps everybody out; Asterisk is another user."""
    record(tmp_path / "said", "notice", "您好")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts").chmod(folder_mode)
    before = os.umask(0o077)
    try:
        speech = OfflineSpeech(tmp_path / "speech", prepared=recorded_prompts(tmp_path / "said"))
        await Prompts(speech, tmp_path / "prompts").keep_as("notice", "您好")
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "prompts").iterdir()} == {file_mode}


async def test_what_nobody_hears_for_long_is_forgotten(tmp_path: Path) -> None:
    speech = OfflineSpeech(tmp_path)
    used, unused = await asyncio.gather(speech.speak("您好"), speech.speak("王女士您好"))
    another = record(tmp_path, "music", None)
    for file in (used, unused, another):
        os.utime(file, (time.time() - 100, time.time() - 100))
    await speech.speak("您好")
    assert forget_unused(tmp_path, seconds=50) == 1
    assert (used.exists(), unused.exists(), another.exists()) == (True, False, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"words", "there is no a.wav that says it"),
        ("b.wav", b"RIFF", "write what it says into b.txt"),
        ("notice.wav", b"RIFF", "notice.wav: not a PCM WAV file"),
        ("notice.txt", b"  \n", "notice.txt: is empty"),
        ("notice.txt", b"\xff\xfe", "notice.txt: cannot be read as UTF-8 text"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    record(tmp_path, "notice", "您好")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordedPromptsWrong, match=said):
        recorded_prompts(tmp_path)


def test_two_recordings_of_one_text_are_named(tmp_path: Path) -> None:
    record(tmp_path, "a", "您好")
    record(tmp_path, "b", " 您好")
    with pytest.raises(RecordedPromptsWrong, match=r"b\.wav: says the same as a\.wav"):
        recorded_prompts(tmp_path)


def settings_with(folder: Path) -> Settings:
    return Settings.model_validate(
        {"call_flow": {"recorded_prompts": folder, "notice": "您好", "confirm_prompt": "按1"}}
    )


def test_the_doctor_counts_them_and_names_what_nobody_says(tmp_path: Path) -> None:
    record(tmp_path, "notice", "您好")
    record(tmp_path, "old-notice", "早上好")
    (finding,) = _recorded(settings_with(tmp_path))
    assert finding.state == "1 of 4 texts that callers hear are recorded; old-notice.wav"
    assert finding.remedy is not None
    assert not finding.blocking


def test_a_wrong_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"call_flow\.recorded_prompts: .*no such folder"):
        recordings_of(settings_with(tmp_path / "none"))
    (finding,) = _recorded(settings_with(tmp_path / "none"))
    assert finding.blocking
