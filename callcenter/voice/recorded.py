"""Prompts that a person has recorded: a folder in which NAME.wav says what NAME.txt holds."""

import wave
from pathlib import Path


class RecordedPromptsWrong(Exception):
    """The folder cannot be used as it is; the message names the file and the remedy."""


def recorded_prompts(folder: Path) -> dict[str, Path]:
    """The recording of each text, its spaces made one. Raises RecordedPromptsWrong."""
    if not folder.is_dir():
        raise RecordedPromptsWrong(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for sound in sorted(folder.glob("*.wav")):
        text = _text_of(sound)
        if text in found:
            raise RecordedPromptsWrong(f"{sound}: says the same as {found[text].name}; remove one of them")
        _check(sound)
        found[text] = sound
    alone = [file.name for file in sorted(folder.glob("*.txt")) if not file.with_suffix(".wav").exists()]
    if alone:
        raise RecordedPromptsWrong(f"{folder / alone[0]}: there is no {Path(alone[0]).stem}.wav that says it")
    return found


def _text_of(sound: Path) -> str:
    file = sound.with_suffix(".txt")
    try:
        text = " ".join(file.read_text(encoding="utf-8-sig").split())
    except FileNotFoundError as error:
        raise RecordedPromptsWrong(f"{sound}: write what it says into {file.name} beside it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecordedPromptsWrong(f"{file}: cannot be read as UTF-8 text ({error})") from error
    if not text:
        raise RecordedPromptsWrong(f"{file}: is empty; write what {sound.name} says")
    return text


def _check(sound: Path) -> None:
    try:
        with wave.open(str(sound)) as file:
            empty = file.getnframes() == 0
    except (wave.Error, EOFError, OSError) as error:
        raise RecordedPromptsWrong(f"{sound}: not a PCM WAV file ({error})") from error
    if empty:
        raise RecordedPromptsWrong(f"{sound}: holds no sound")
