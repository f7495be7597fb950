"""One side of one live call, in the recogniser's process: gated, recognised, with times of the side's own."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from callcenter.asr.audio import Samples
from callcenter.asr.engine import Engine, Stream, Utterance
from callcenter.asr.live_gate import Fed, LiveGate
from callcenter.domain.transcript import Word

LIVE_RATE_HZ = 8000
"""What telephony sends; an engine made for another rate gets it resampled."""

_LONGEST_PIECE = LIVE_RATE_HZ * 2 // 5
"""400 ms: the gate judges the newest sound by what it remembers, and the engine is best fed in such pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveUtterance:
    """What was heard between two pauses; times in ms of the stream."""

    words: tuple[Word, ...]
    alternatives: tuple[tuple[str, ...], ...]


class LiveSide:
    """Fed in order with what follows on what went before; `at_ms` is the stream's time at the first sample."""

    def __init__(self, engine: Engine) -> None:
        self._stream: Stream = engine.open_stream()
        self._gate = LiveGate(rate_hz=LIVE_RATE_HZ)
        self._rate = _Rate(engine.sample_rate_hz)
        self._clock = _StreamClock()
        self._began_at_ms: int | None = None
        self._said = False

    @property
    def is_speaking(self) -> bool:
        """Whether anything was fed since the last utterance that came out."""
        return self._said

    def accept(self, pcm: bytes, *, at_ms: int) -> Iterator[LiveUtterance]:
        if self._began_at_ms is None:
            self._began_at_ms = at_ms
        samples = np.frombuffer(pcm, "<i2")
        for start in range(0, len(samples), _LONGEST_PIECE):
            yield from self._hear(self._gate.add(samples[start : start + _LONGEST_PIECE]))

    def finish(self) -> Iterator[LiveUtterance]:
        yield from self._hear(self._gate.finish())
        yield from self._moved(self._stream.finish())

    def partial(self) -> str:
        return self._stream.partial()

    def _hear(self, fed: Iterable[Fed]) -> Iterator[LiveUtterance]:
        for piece in fed:
            self._clock.feed(piece.start, len(piece.samples))
            heard = self._stream.accept(self._rate.resampled(piece.samples).tobytes())
            self._said = not heard
            yield from self._moved(heard)
            if piece.ends:
                self._said = False
                yield from self._moved(self._stream.end_utterance())

    def _moved(self, heard: tuple[Utterance, ...]) -> Iterator[LiveUtterance]:
        began_at_ms = self._began_at_ms or 0
        for utterance in heard:
            words = tuple(self._clock.in_stream(word, began_at_ms) for word in utterance.words)
            yield LiveUtterance(words=words, alternatives=utterance.alternatives)


class _Rate:
    """Samples of the line at the engine's rate."""

    def __init__(self, rate_hz: int) -> None:
        same = rate_hz == LIVE_RATE_HZ
        self._resampler = None if same else AudioResampler(format="s16", layout="mono", rate=rate_hz)

    def resampled(self, samples: Samples) -> Samples:
        if self._resampler is None or not len(samples):
            return samples
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = LIVE_RATE_HZ
        return np.concatenate([out.to_ndarray().ravel() for out in self._resampler.resample(frame)] or [samples[:0]])


class _StreamClock:
    """The engine counts only what it was fed; this adds what was left out before."""

    def __init__(self) -> None:
        self._fed_from_ms = [0.0]
        self._left_out_ms = [0.0]
        self._fed = 0

    def feed(self, start: int, length: int) -> None:
        left_out_ms = (start - self._fed) * 1000 / LIVE_RATE_HZ
        if left_out_ms != self._left_out_ms[-1]:
            self._fed_from_ms.append(self._fed * 1000 / LIVE_RATE_HZ)
            self._left_out_ms.append(left_out_ms)
        self._fed += length

    def in_stream(self, word: Word, began_at_ms: int) -> Word:
        middle_ms = (word.start_ms + word.end_ms) / 2
        shift_ms = began_at_ms + round(self._left_out_ms[max(0, bisect_right(self._fed_from_ms, middle_ms) - 1)])
        return replace(word, start_ms=word.start_ms + shift_ms, end_ms=word.end_ms + shift_ms)
