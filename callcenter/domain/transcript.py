"""What was said on a call: words with times, grouped into segments, each side of the line apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Who spoke. UNKNOWN is the honest answer for a recording with both sides mixed in one channel."""

    RESIDENT = "resident"
    AGENT = "agent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One recognised word; times in milliseconds from the start of the recording, confidence 0..1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A stretch of speech of one side between two pauses.

    `text` is the words as a person writes them (no spaces between Chinese words);
    `alternatives` are the recogniser's next-best readings of the same stretch, best first.
    """

    side: Side
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Mean word confidence; 0 where there are no words."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Transcript:
    """All segments of a call in the order they began."""

    segments: tuple[Segment, ...]
    duration_ms: int

    @classmethod
    def of(cls, segments: Iterable[Segment], *, duration_ms: int) -> "Transcript":
        ordered = sorted(segments, key=lambda part: (part.start_ms, part.end_ms, part.side))
        return cls(segments=tuple(ordered), duration_ms=duration_ms)

    @property
    def is_empty(self) -> bool:
        return not any(segment.text for segment in self.segments)

    def of_side(self, side: Side) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.segments if segment.side == side)
