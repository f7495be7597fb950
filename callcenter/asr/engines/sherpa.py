"""The sherpa-onnx engine, for SenseVoice and Paraformer models that an operator brings (`callcenter[sherpa]`).

These models hear a whole stretch at a time: it is decoded where a pause ends it, and what runs on without one is cut
where it is softest. Import it only in a disposable process, like any engine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sherpa_onnx
from numpy.typing import NDArray

from callcenter.asr.engine import EngineSettings, Utterance
from callcenter.asr.engines.sherpa_files import check_files, kind_of, network_of
from callcenter.asr.errors import ModelBroken
from callcenter.asr.text import is_word
from callcenter.domain.transcript import Word

RATE_HZ = 16000
LONGEST_SECONDS = 20.0
PARTIAL_EVERY_SECONDS = 1.0
"""A partial result decodes the running stretch from its beginning: no more often than this."""
_SHORTEST_SAMPLES = RATE_HZ // 10
_LAST_TOKEN_SECONDS = 0.24
_CUT_FRAME = RATE_HZ // 20

Floats = NDArray[np.float32]


def load(settings: EngineSettings) -> "SherpaEngine":
    """Raises ModelMissing, ModelBroken."""
    check_files(settings.model_path)
    network, tokens = str(network_of(settings.model_path)), str(settings.model_path / "tokens.txt")
    kind = kind_of(settings.model_path)
    try:
        if kind == "sense_voice":
            recogniser = sherpa_onnx.OfflineRecognizer.from_sense_voice(
                model=network, tokens=tokens, num_threads=1, language=settings.language, use_itn=False
            )
        else:
            recogniser = sherpa_onnx.OfflineRecognizer.from_paraformer(paraformer=network, tokens=tokens, num_threads=1)
    except Exception as error:  # onnxruntime raises nothing narrower
        raise ModelBroken(f"sherpa-onnx refuses the model in {settings.model_path}: unpack it anew") from error
    return SherpaEngine(recogniser=recogniser, settings=settings)


@dataclass(frozen=True, kw_only=True)
class SherpaEngine:
    recogniser: Any
    settings: EngineSettings
    sample_rate_hz: int = RATE_HZ
    name: str = "sherpa"

    @property
    def languages(self) -> tuple[str, ...]:
        return (self.settings.language,)

    def open_stream(self) -> "SherpaStream":
        return SherpaStream(self.recogniser)


class SherpaStream:
    """One side. Words have no confidence of their own where the model gives none: 1 then says nothing."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._samples: Floats = np.empty(0, np.float32)
        self._begins_at = 0
        self._partial = ""
        self._partial_at = 0

    def accept(self, pcm: bytes) -> tuple[Utterance, ...]:
        fresh = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        self._samples = np.concatenate((self._samples, fresh))
        heard: list[Utterance] = []
        while len(self._samples) > LONGEST_SECONDS * RATE_HZ:
            heard += self._take(_softest(self._samples[: int(LONGEST_SECONDS * RATE_HZ)]))
        return tuple(heard)

    def partial(self) -> str:
        if len(self._samples) - self._partial_at >= PARTIAL_EVERY_SECONDS * RATE_HZ:
            self._partial_at = len(self._samples)
            self._partial = " ".join(word.text for word in self._words(self._samples))
        return self._partial

    def end_utterance(self) -> tuple[Utterance, ...]:
        return tuple(self._take(len(self._samples)))

    def finish(self) -> tuple[Utterance, ...]:
        return self.end_utterance()

    def _take(self, length: int) -> Iterator[Utterance]:
        """The first so many samples, decoded for good."""
        words = tuple(self._words(self._samples[:length]))
        self._samples = self._samples[length:]
        self._begins_at += length
        self._partial, self._partial_at = "", 0
        if words:
            yield Utterance(words=words)

    def _words(self, samples: Floats) -> Iterator[Word]:
        if len(samples) < _SHORTEST_SAMPLES:
            return
        stream = self._recogniser.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        self._recogniser.decode_stream(stream)
        result = stream.result
        begins_seconds = self._begins_at / RATE_HZ
        yield from words_of(
            result.tokens,
            [begins_seconds + at for at in result.timestamps],
            list(getattr(result, "ys_log_probs", ())),
            ends_seconds=begins_seconds + len(samples) / RATE_HZ,
        )


def words_of(
    tokens: Sequence[str], starts: Sequence[float], log_probabilities: Sequence[float], *, ends_seconds: float
) -> Iterator[Word]:
    """Tokens as words: a Chinese character is one; pieces of other words (` leak`, `▁leak`, `lea@@` `k`) are joined.

    A model without times gives its words evenly over the stretch's length.
    """
    if len(starts) != len(tokens):
        starts = [ends_seconds * at / max(1, len(tokens)) for at in range(len(tokens))]
    probabilities = log_probabilities if len(log_probabilities) == len(tokens) else [0.0] * len(tokens)
    pieces: list[tuple[str, float, float, float]] = []
    goes_on = False
    for number, token in enumerate(tokens):
        end = min(
            starts[number + 1] if number + 1 < len(tokens) else ends_seconds, starts[number] + _LAST_TOKEN_SECONDS
        )
        text, begins = token.removesuffix("@@").lstrip(" ▁"), token[:1] in " ▁" or not token.isascii()
        joins = pieces and not begins and (goes_on or pieces[-1][0].isascii()) and text.isascii()
        goes_on = token.endswith("@@")
        if joins:
            before = pieces.pop()
            pieces.append((before[0] + text, before[1], end, min(before[3], probabilities[number])))
        elif is_word(text):
            pieces.append((text, starts[number], end, probabilities[number]))
    for text, start, end, probability in pieces:
        confidence = min(1.0, float(np.exp(probability)))
        yield Word(text=text, start_ms=round(start * 1000), end_ms=round(end * 1000), confidence=confidence)


def _softest(samples: Floats) -> int:
    """Where to cut: behind the softest twentieth of a second of the last third."""
    first = len(samples) * 2 // 3 // _CUT_FRAME
    frames = samples[: len(samples) // _CUT_FRAME * _CUT_FRAME].reshape(-1, _CUT_FRAME)[first:]
    return int((first + np.abs(frames).mean(axis=1).argmin() + 1) * _CUT_FRAME)
