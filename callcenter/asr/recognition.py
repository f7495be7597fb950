"""Second step of a transcription, in a disposable process: one side's samples become segments."""

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.asr.audio import Samples
from callcenter.asr.engine import Engine, Stream, Utterance
from callcenter.asr.mono_turns import turns_of
from callcenter.asr.speech_gate import Region, hear_speech
from callcenter.asr.text import join_words
from callcenter.domain.transcript import Segment, Side, Word

_PIECE_SECONDS = 0.5
_FULL_SCALE = 32700
_CLIPPED_SHARE = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognitionTask:
    side: Side
    pcm_path: Path
    rate_hz: int
    progress_path: Path | None = None
    """Where to write how far we are, in ms as text; for a progress bar."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognisedSide:
    segments: tuple[Segment, ...]
    speech_ms: int
    spoken: tuple[tuple[int, int], ...]
    """Where the voice itself is heard, in ms."""
    warnings: tuple[str, ...]


def recognise(task: RecognitionTask, engine: Engine) -> RecognisedSide:
    """Words only where somebody speaks; their times are those of the recording."""
    samples: Samples = np.memmap(task.pcm_path, np.int16, mode="r")
    speech = hear_speech(samples, rate_hz=task.rate_hz)
    regions, report = speech.regions, _progress_writer(task)
    utterances = _hear(engine, samples, regions, rate_hz=task.rate_hz, report=report)
    if task.side is Side.UNKNOWN:
        utterances = (turn for heard in utterances for turn in turns_of(heard, speech.level_db))
    segments = tuple(_segment(heard, task.side) for heard in utterances)
    clipped = regions and float((np.abs(samples) >= _FULL_SCALE).mean()) > _CLIPPED_SHARE
    warnings = [] if regions else [f"no_speech:{task.side}"]
    return RecognisedSide(
        segments=segments,
        speech_ms=sum(region.end - region.start for region in regions) * 1000 // task.rate_hz,
        spoken=speech.voiced_ms,
        warnings=(*warnings, *([f"clipped:{task.side}"] if clipped else [])),
    )


def _hear(
    engine: Engine, samples: Samples, regions: tuple[Region, ...], *, rate_hz: int, report: Callable[[int], None]
) -> Iterator[Utterance]:
    if not regions:
        return
    stream = engine.open_stream()
    clock = _RecordingClock(regions, rate_hz=rate_hz)
    for region in regions:
        for heard in _feed(stream, samples, region, piece=int(rate_hz * _PIECE_SECONDS)):
            yield clock.in_recording(heard)
        report(region.end * 1000 // rate_hz)
    for heard in stream.finish():
        yield clock.in_recording(heard)


def _feed(stream: Stream, samples: Samples, region: Region, *, piece: int) -> Iterator[Utterance]:
    """One region; what is spoken after the gap behind it belongs to another utterance."""
    ended = False
    for start in range(region.start, region.end, piece):
        heard = stream.accept(samples[start : min(start + piece, region.end)].tobytes())
        ended = bool(heard)
        yield from heard
    if not ended:
        yield from stream.end_utterance()


class _RecordingClock:
    """The engine counts only what it was fed; this adds what was left out before."""

    def __init__(self, regions: tuple[Region, ...], *, rate_hz: int) -> None:
        self._fed_from_ms: list[float] = []
        self._left_out_ms: list[float] = []
        fed = 0
        for region in regions:
            self._fed_from_ms.append(fed * 1000 / rate_hz)
            self._left_out_ms.append((region.start - fed) * 1000 / rate_hz)
            fed += region.end - region.start

    def in_recording(self, heard: Utterance) -> Utterance:
        return Utterance(words=tuple(map(self._moved, heard.words)), alternatives=heard.alternatives)

    def _moved(self, word: Word) -> Word:
        middle_ms = (word.start_ms + word.end_ms) / 2
        shift_ms = round(self._left_out_ms[max(0, bisect_right(self._fed_from_ms, middle_ms) - 1)])
        start_ms, end_ms = word.start_ms + shift_ms, word.end_ms + shift_ms
        return Word(text=word.text, start_ms=start_ms, end_ms=end_ms, confidence=word.confidence)


def _segment(heard: Utterance, side: Side) -> Segment:
    text = join_words(word.text for word in heard.words)
    readings = (join_words(words) for words in heard.alternatives)
    return Segment(
        side=side,
        start_ms=heard.words[0].start_ms,
        end_ms=heard.words[-1].end_ms,
        text=text,
        words=heard.words,
        alternatives=tuple(reading for reading in dict.fromkeys(readings) if reading != text),
    )


def _progress_writer(task: RecognitionTask) -> Callable[[int], None]:
    path = task.progress_path
    if path is None:
        return lambda _done_ms: None

    def write(done_ms: int) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_text(str(done_ms), encoding="ascii")
        os.replace(fresh, path)

    return write
