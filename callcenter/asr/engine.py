"""What a speech engine must do. One file an engine in `engines/`, imported only in the process that runs it."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from callcenter.asr.errors import EngineUnknown
from callcenter.domain.transcript import Word

SAMPLE_RATES_HZ = (8000, 16000)
"""The only rates an engine may ask for: libvosk aborts or never returns on some others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """Which engine, with which model. `engine` is a file in `engines/`, or a dotted module of the operator's own."""

    model_path: Path
    engine: str = "vosk"
    language: str = "zh"
    alternatives: int = 10
    """How many readings to keep of a stretch that holds a number (a phone, a room)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """What the engine heard between two pauses; times in ms of the audio fed so far.

    `alternatives` are further readings of the same stretch as lists of words, best first.
    """

    words: tuple[Word, ...]
    alternatives: tuple[tuple[str, ...], ...] = ()


class Stream(Protocol):
    """One side of one call, fed in order, by one thread only."""

    def accept(self, pcm: bytes) -> tuple[Utterance, ...]:
        """Feed 16-bit little-endian mono samples; returns what was completed by them."""

    def partial(self) -> str:
        """What has been heard since the last completed utterance; it may still change."""

    def end_utterance(self) -> tuple[Utterance, ...]:
        """Close the running utterance here, as a pause would."""

    def finish(self) -> tuple[Utterance, ...]:
        """No more audio: what is left."""


class Engine(Protocol):
    """A loaded model."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    @property
    def sample_rate_hz(self) -> int: ...

    def open_stream(self) -> Stream: ...


REMEDIES = {"sherpa": "install it with `pip install callcenter[sherpa]`"}


def _module_of(name: str) -> str:
    return name if "." in name else f"callcenter.asr.engines.{name}"


def check_model_files(settings: EngineSettings) -> None:
    """What can be said of a model's folder without native code: `check_files` of the engine's `..._files` module.

    Raises ModelMissing, ModelBroken. An engine without such a module is asked only when it loads.
    """
    try:
        module = importlib.import_module(f"{_module_of(settings.engine)}_files")
    except ModuleNotFoundError:
        return
    module.check_files(settings.model_path)


def load_engine(settings: EngineSettings) -> Engine:
    """Import the engine and load its model. Native code runs from here on: call it only in a disposable process.

    Raises EngineUnknown, ModelMissing, ModelBroken.
    """
    name = settings.engine
    try:
        module = importlib.import_module(_module_of(name))
    except ImportError as error:
        remedy = REMEDIES.get(name, "set `speech.engine` to 'vosk'")
        raise EngineUnknown(f"speech engine {name!r} cannot be imported ({error}); {remedy}") from error
    load = cast(Callable[[EngineSettings], Engine], module.load)
    return load(settings)
