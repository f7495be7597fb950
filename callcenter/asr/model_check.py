"""The child of `check_model`: `python -m callcenter.asr.model_check FOLDER ENGINE LANGUAGE` prints one JSON object.

A model that kills the process shows in the exit code, which is why nothing else runs here.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from callcenter.asr.engine import EngineSettings, load_engine
from callcenter.asr.errors import SpeechError

_PITCH_HZ = 140


def check(settings: EngineSettings) -> dict[str, object]:
    started = time.monotonic()
    try:
        engine = load_engine(settings)
        load_seconds = time.monotonic() - started
        stream = engine.open_stream()
    except SpeechError as error:
        return {"problem": str(error)}
    stream.accept(_sample(engine.sample_rate_hz))
    stream.finish()
    memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "problem": None,
        "sample_rate_hz": engine.sample_rate_hz,
        "load_seconds": round(load_seconds, 3),
        "memory_bytes": memory_bytes,
    }


def _sample(rate_hz: int) -> bytes:
    """A second of a buzzing, swelling voice-like sound, so that the whole decoder runs."""
    seconds = np.arange(rate_hz) / rate_hz
    buzz = sum(np.sin(2 * np.pi * _PITCH_HZ * number * seconds) / number for number in range(1, 12))
    swelling = 3000 * np.abs(np.sin(2 * np.pi * 3 * seconds))
    return bytes((buzz * swelling).astype("<i2").tobytes())


if __name__ == "__main__":
    folder, engine, language = sys.argv[1:]
    print(json.dumps(check(EngineSettings(model_path=Path(folder), engine=engine, language=language))))
