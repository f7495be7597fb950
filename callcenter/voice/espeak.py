"""espeak-ng, from the `espeakng-loader` wheel: speaks Mandarin without a system package.

The native library is loaded only in this process, started by `speech.py`: if it crashes, nobody else does.
    python -m callcenter.voice.espeak OUT.wav VOICE WORDS_PER_MINUTE < text
"""

import ctypes
import sys
import wave
from pathlib import Path

import espeakng_loader

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARS_UTF8 = 1
RATE_PARAMETER = 1
EE_OK = 0
SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakFailed(Exception):
    """espeak-ng does not speak: the library, its data or the voice is missing."""


def speak(text: str, target: Path, *, voice: str, words_per_minute: int) -> None:
    """Writes a mono 16-bit WAV. Raises EspeakFailed."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(espeakng_loader.get_data_path()).encode()
    rate_hz = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
    if rate_hz <= 0:
        raise EspeakFailed("espeak-ng cannot be initialised: install espeakng-loader anew")
    if library.espeak_SetVoiceByName(voice.encode()) != EE_OK:
        raise EspeakFailed(f"espeak-ng has no voice {voice!r}")
    library.espeak_SetParameter(RATE_PARAMETER, words_per_minute, 0)
    pieces: list[bytes] = []

    def collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = SynthCallback(collect)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode() + b"\0"
    if library.espeak_Synth(encoded, len(encoded), 0, 0, 0, CHARS_UTF8, None, None) != EE_OK:
        raise EspeakFailed("espeak-ng did not take the text")
    library.espeak_Synchronize()
    _write(target, b"".join(pieces), rate_hz)


def _write(target: Path, samples: bytes, rate_hz: int) -> None:
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples)


def main(arguments: list[str]) -> int:
    target, voice, rate = arguments
    try:
        speak(sys.stdin.read(), Path(target), voice=voice, words_per_minute=int(rate))
    except EspeakFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
