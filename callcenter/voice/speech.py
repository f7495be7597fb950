"""Texts to WAV files: prepared recordings first, else synthesised offline; each text is spoken once and kept."""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from callcenter.voice.kept import is_kept

SPEECH_FOLDER = "speech"
"""In the data folder: what has been spoken once and is kept."""
VOICES = {"zh": "cmn", "en": "en-gb"}
WORDS_PER_MINUTE = 150
LONGEST_TEXT = 2000
DEADLINE_SECONDS = 30.0
LARGEST_SILENT_BYTES = 44


class SpeechFailed(Exception):
    """The text cannot be spoken; the message says why and what to do."""


class OfflineSpeech:
    """TextToSpeech on espeak-ng. `prepared` maps a text to a recording of it, which is then used as it is."""

    def __init__(self, cache: Path, *, prepared: Mapping[str, Path] | None = None) -> None:
        self._cache = cache
        self._prepared = dict(prepared or {})

    async def speak(self, text: str, *, language: str = "zh") -> Path:
        """A WAV file that says `text`. Raises SpeechFailed."""
        spoken = " ".join(text.split())
        if not spoken or len(spoken) > LONGEST_TEXT:
            raise SpeechFailed(f"a text of 1 to {LONGEST_TEXT} characters can be spoken, this one has {len(spoken)}")
        if spoken in self._prepared:
            return self._prepared[spoken]
        voice = VOICES.get(language[:2])
        if voice is None:
            raise SpeechFailed(f"no voice for the language {language!r}; there are {', '.join(VOICES)}")
        name = hashlib.sha256(f"{voice}|{WORDS_PER_MINUTE}|{spoken}".encode()).hexdigest()[:32]
        target = self._cache / f"{name}.wav"
        if not is_kept(target):
            await self._synthesise(spoken, target, voice)
        return target

    async def _synthesise(self, text: str, target: Path, voice: str) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{id(asyncio.current_task())}.part")
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter.voice.espeak", str(part), voice, str(WORDS_PER_MINUTE)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await asyncio.wait_for(child.communicate(text.encode()), DEADLINE_SECONDS)
        except TimeoutError as error:
            raise SpeechFailed(f"the speech synthesis took longer than {DEADLINE_SECONDS:.0f} s") from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode or not part.exists() or part.stat().st_size <= LARGEST_SILENT_BYTES:
            part.unlink(missing_ok=True)
            reason = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise SpeechFailed(f"the speech synthesis failed ({reason[0]}): install espeakng-loader anew")
        part.replace(target)
