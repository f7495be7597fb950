"""How well speech was recognised: character errors and slots of labelled calls, before and after repair."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.domain.understanding.labels import LabelError, Labelled, read_labels
from callcenter.domain.understanding.text import line_of
from callcenter.domain.word_list import with_words

_SPEAKER = re.compile(r"(?:^|\n|\s)(?:客服|住户|业主|坐席)[:：]")
_NO_LETTER = re.compile(r"[^\w]|_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A stretch as it was said, and as it was heard, with the recogniser's other readings."""

    said: str
    heard: Segment


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenRow:
    """One call of a regression set: what to hold its words and its slots against."""

    labelled: Labelled
    passages: tuple[Passage, ...]


@dataclass(kw_only=True)
class CharacterErrors:
    """Of the letters that were said; figures and spoken numbers are the same, punctuation counts for nothing."""

    letters: int = 0
    errors_before: int = 0
    errors_after: int = 0
    worse: int = 0
    """Passages that the repair made worse."""

    @property
    def rate_before(self) -> float | None:
        return self.errors_before / self.letters if self.letters else None

    @property
    def rate_after(self) -> float | None:
        return self.errors_after / self.letters if self.letters else None


def read_spoken(text: str) -> tuple[SpokenRow, ...]:
    """A labelled set whose rows have `segments`; of a row with `passages` ([heard, said, [reading, ...]] each) only
    these are held against each other, since nobody has looked at the rest. Raises LabelError.
    """
    labelled = read_labels(text)
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    return tuple(_row(one, row) for one, row in zip(labelled, rows, strict=True))


def _row(labelled: Labelled, row: dict[str, Any]) -> SpokenRow:
    if labelled.transcript is None:
        raise LabelError(f'line {labelled.line}: has no "segments": it does not say what was heard')
    if "passages" not in row:
        heard = "".join(segment.text for segment in labelled.transcript.segments)
        readings: tuple[str, ...] = tuple(r for s in labelled.transcript.segments for r in s.alternatives)
        return SpokenRow(labelled=labelled, passages=(_passage(heard, _SPEAKER.sub(" ", labelled.text), readings),))
    try:
        passages = tuple(_passage(heard, said, tuple(readings)) for heard, said, readings in row["passages"])
    except (TypeError, ValueError) as error:
        raise LabelError(f"line {labelled.line}: passages cannot be read: {error}") from error
    return SpokenRow(labelled=labelled, passages=passages)


def _passage(heard: str, said: str, readings: tuple[str, ...]) -> Passage:
    segment = Segment(side=Side.UNKNOWN, start_ms=0, end_ms=0, text=heard, alternatives=readings)
    return Passage(said=said, heard=segment)


def character_errors(rows: tuple[SpokenRow, ...], words: tuple[str, ...]) -> CharacterErrors:
    """Before: as it was recognised. After: with the operator's words in their places."""
    counted = CharacterErrors()
    for row in rows:
        for passage in row.passages:
            said = _letters(passage.said)
            transcript = Transcript.of([passage.heard], duration_ms=0)
            (repaired,) = with_words(transcript, words).segments
            before = Levenshtein.distance(said, _letters(passage.heard.text))
            after = Levenshtein.distance(said, _letters(repaired.text))
            counted.letters += len(said)
            counted.errors_before += before
            counted.errors_after += after
            counted.worse += after > before
    return counted


def without_readings(transcript: Transcript) -> Transcript:
    """Only what was heard first: what there was before any other reading was asked."""
    return Transcript.of(_first_readings(transcript), duration_ms=transcript.duration_ms)


def _first_readings(transcript: Transcript) -> Iterator[Segment]:
    for one in transcript.segments:
        yield Segment(side=one.side, start_ms=one.start_ms, end_ms=one.end_ms, text=one.text, words=one.words)


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", line_of(text).written).lower()
