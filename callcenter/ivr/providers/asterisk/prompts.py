"""Texts as sound files that Asterisk plays: spoken once, at 8 kHz, and kept."""

import asyncio
import hashlib
import secrets
import wave
from dataclasses import dataclass
from pathlib import Path

import structlog

from callcenter.asr.audio import open_recording
from callcenter.ports import TextToSpeech
from callcenter.voice.kept import is_kept

log = structlog.get_logger()

RATE_HZ = 8000
LONGEST_SECONDS = 600
PROMPTS_FOLDER = "asterisk-prompts"
"""In the data folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What Asterisk is asked to play, and how long it takes."""

    media: str
    seconds: float


class Prompts:
    """In `folder`, which Asterisk sees as `seen_as` where its file system is another than ours."""

    def __init__(
        self, speech: TextToSpeech, folder: Path, *, seen_as: Path | None = None, language: str = "zh"
    ) -> None:
        self._speech = speech
        self.folder = folder.absolute()
        self._seen_as = seen_as or self.folder
        self._language = language
        self._ready: dict[str, Prompt] = {}
        self._making: dict[str, asyncio.Lock] = {}

    async def of(self, text: str) -> Prompt:
        """Raises whatever the speech synthesis raises."""
        async with self._making.setdefault(text, asyncio.Lock()):
            found = self._ready.get(text)
            if found is None or not is_kept(self._file_of(text)):
                found = self._ready[text] = await self._made(text)
        return found

    async def keep_as(self, name: str, text: str) -> None:
        """The text under a name that the dialplan knows, for when it is alone."""
        await self.of(text)
        await asyncio.to_thread(_copied, self._file_of(text), self.folder / f"{name}.wav")

    def _file_of(self, text: str) -> Path:
        return self.folder / Path(self._ready[text].media).with_suffix(".wav").name

    async def _made(self, text: str) -> Prompt:
        spoken = await self._speech.speak(text, language=self._language)
        sound = await asyncio.to_thread(spoken.read_bytes)
        name = hashlib.sha256(sound + text.encode()).hexdigest()[:32]
        target = self.folder / f"{name}.wav"
        seconds = await asyncio.to_thread(_at_telephone_rate, spoken, target)
        return Prompt(media=f"sound:{self._seen_as / name}", seconds=seconds)


def _part_of(target: Path) -> Path:
    """Several servers may make the same file at the same time."""
    return target.with_suffix(f".{secrets.token_hex(8)}.part")


def _copied(source: Path, target: Path) -> None:
    part = _part_of(target)
    part.write_bytes(source.read_bytes())
    _put_in_place(part, target)


def _put_in_place(part: Path, target: Path) -> None:
    """Whoever may look into the folder may read the file, whatever our umask is: Asterisk runs as another user."""
    folder = part.parent.stat().st_mode
    part.chmod(0o600 | (0o040 if folder & 0o010 else 0) | (0o004 if folder & 0o001 else 0))
    part.replace(target)


def _at_telephone_rate(spoken: Path, target: Path) -> float:
    """Writes 16-bit mono at 8 kHz; how many seconds it is."""
    if not is_kept(target):
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        part = _part_of(target)
        with (
            open_recording(spoken, rate_hz=RATE_HZ, split_channels=False, max_seconds=LONGEST_SECONDS) as sound,
            wave.open(str(part), "wb") as file,
        ):
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            for block in sound.blocks():
                file.writeframes(block[0].tobytes())
        _put_in_place(part, target)
    with wave.open(str(target), "rb") as file:
        return file.getnframes() / file.getframerate()
