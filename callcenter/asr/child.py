"""What runs inside the disposable processes. Nothing else may load a speech engine."""

import functools
import resource
import time

from callcenter.asr.engine import Engine, EngineSettings, load_engine
from callcenter.asr.preparation import PreparationTask, PreparedRecording, prepare
from callcenter.asr.recognition import RecognisedSide, RecognitionTask, recognise

_LARGEST_FILE_BYTES = 2 * 1024**3


@functools.lru_cache(maxsize=4)
def _engine(settings: EngineSettings) -> Engine:
    """Loaded at the first recording that needs it, then kept as long as the process."""
    return load_engine(settings)


def limit_process(memory_bytes: int | None) -> None:
    """No core dumps, no file over 2 GiB and no more memory than allowed, whatever a recording makes a decoder do."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE_BYTES, _LARGEST_FILE_BYTES))
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def warm_up(settings: EngineSettings, hold_seconds: float) -> int:
    """Load the model; held a moment so that each process of the pool gets one. Returns its sample rate."""
    rate_hz = _engine(settings).sample_rate_hz
    time.sleep(hold_seconds)
    return rate_hz


def prepare_recording(task: PreparationTask, settings: EngineSettings) -> PreparedRecording:
    return prepare(task, rate_hz=_engine(settings).sample_rate_hz)


def recognise_side(task: RecognitionTask, settings: EngineSettings) -> RecognisedSide:
    return recognise(task, _engine(settings))
