"""The Vosk engine. Import it only in a disposable process: libvosk can abort, hang or end the one it runs in."""

import json
import math
from dataclasses import dataclass
from typing import Any

import vosk

from callcenter.asr.engine import EngineSettings, Utterance
from callcenter.asr.engines.vosk_files import check_files, sample_rate_hz
from callcenter.asr.errors import ModelBroken
from callcenter.asr.text import holds_number, is_word
from callcenter.domain.transcript import Word

DIGITS_IN_A_ROW = 3
"""From this many on, a stretch is read n-best: a phone number said in groups comes as 3-4-4."""
_POSTERIOR_SCALE = 0.5
"""Makes the shares of the n-best scores agree best with which words were right (measured, Brier score)."""


def load(settings: EngineSettings) -> "VoskEngine":
    """Load the model from its folder; never by name or language, which would use the network."""
    check_files(settings.model_path)
    rate_hz = sample_rate_hz(settings.model_path)
    vosk.SetLogLevel(-1)
    try:
        model = vosk.Model(str(settings.model_path))
    except Exception as error:  # libvosk raises nothing narrower
        raise ModelBroken(f"libvosk refuses the model in {settings.model_path}: install it anew") from error
    return VoskEngine(model=model, settings=settings, sample_rate_hz=rate_hz)


@dataclass(frozen=True, kw_only=True)
class VoskEngine:
    model: vosk.Model
    settings: EngineSettings
    sample_rate_hz: int
    name: str = "vosk"

    @property
    def languages(self) -> tuple[str, ...]:
        return (self.settings.language,)

    def open_stream(self) -> "VoskStream":
        try:
            recogniser = vosk.KaldiRecognizer(self.model, self.sample_rate_hz)
        except Exception as error:  # a truncated graph is noticed only here, and libvosk raises nothing narrower
            path = self.settings.model_path
            raise ModelBroken(f"the model in {path} loads but cannot recognise: install it anew") from error
        recogniser.SetWords(True)
        return VoskStream(recogniser, alternatives=self.settings.alternatives)


class VoskStream:
    """One recogniser. Word confidences come from the lattice, or for numbers from the n-best list."""

    def __init__(self, recogniser: vosk.KaldiRecognizer, *, alternatives: int) -> None:
        self._recogniser = recogniser
        self._alternatives = alternatives

    def accept(self, pcm: bytes) -> tuple[Utterance, ...]:
        if not pcm:
            return ()
        return self.end_utterance() if self._recogniser.AcceptWaveform(pcm) else ()

    def partial(self) -> str:
        return str(json.loads(self._recogniser.PartialResult()).get("partial", ""))

    def end_utterance(self) -> tuple[Utterance, ...]:
        self._choose_result_kind()
        return _utterances(self._recogniser.Result())

    def finish(self) -> tuple[Utterance, ...]:
        self._choose_result_kind()
        return _utterances(self._recogniser.FinalResult())

    def _choose_result_kind(self) -> None:
        """The kind of result is chosen when it is read, from the same lattice: n-best costs no second pass."""
        if self._alternatives > 0:
            spoken_number = holds_number(self.partial().split(), digits_in_a_row=DIGITS_IN_A_ROW)
            self._recogniser.SetMaxAlternatives(self._alternatives if spoken_number else 0)


def _utterances(result_json: str) -> tuple[Utterance, ...]:
    result = json.loads(result_json)
    utterance = _from_n_best(result["alternatives"]) if "alternatives" in result else _from_lattice(result)
    return (utterance,) if utterance.words else ()


def _from_lattice(result: dict[str, Any]) -> Utterance:
    heard = result.get("result", [])
    return Utterance(words=tuple(_word(item, item["conf"]) for item in heard if is_word(item["word"])))


def _from_n_best(readings: list[dict[str, Any]]) -> Utterance:
    shares = _shares([reading["confidence"] for reading in readings])
    best = readings[0].get("result", [])
    words = tuple(_word(item, _support(item, readings, shares)) for item in best if is_word(item["word"]))
    texts = [tuple(filter(is_word, reading["text"].split())) for reading in readings]
    others = tuple(text for text in dict.fromkeys(texts) if text and text != texts[0])
    return Utterance(words=words, alternatives=others)


def _shares(scores: list[float]) -> list[float]:
    weights = [math.exp((score - max(scores)) * _POSTERIOR_SCALE) for score in scores]
    return [weight / sum(weights) for weight in weights]


def _support(item: dict[str, Any], readings: list[dict[str, Any]], shares: list[float]) -> float:
    """The share of the readings that have this word at this time."""
    middle = (item["start"] + item["end"]) / 2
    return sum(share for reading, share in zip(readings, shares, strict=True) if _has(reading, item["word"], middle))


def _has(reading: dict[str, Any], word: str, middle: float) -> bool:
    return any(it["word"] == word and it["start"] <= middle <= it["end"] for it in reading.get("result", []))


def _word(item: dict[str, Any], confidence: float) -> Word:
    start_ms, end_ms = round(item["start"] * 1000), round(item["end"] * 1000)
    return Word(text=item["word"], start_ms=start_ms, end_ms=end_ms, confidence=min(1.0, max(0.0, float(confidence))))
