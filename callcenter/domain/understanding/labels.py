"""Labelled sets: what was said, as text or as a recogniser heard it, and what a right draft says of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.domain.transcript import Segment, Side, Transcript, Word

PLACE = ("estate", "phase", "lane", "building", "unit", "floor", "room")
SLOTS = (
    *("type", "category", "urgency", "responsibility"),
    *PLACE,
    *("contact", "phone", "from", "to", "promise", "due"),
)


class LabelError(ValueError):
    """A line of a labelled set cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """One call. `expect` None: nothing may be asserted; slots not named are not judged.

    `heard_at` is when it was said, where the row tells; `transcript` what a recogniser made of it, if one did.
    """

    line: int
    text: str
    expect: Mapping[str, Any]
    heard_at: datetime | None = None
    transcript: Transcript | None = None


def read_labels(text: str) -> tuple[Labelled, ...]:
    """One JSON object a line: {"text": ..., "expect": {slot: value or null}}, and perhaps "heard_at" and "segments".

    Other keys are left alone. Raises LabelError.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise LabelError("the set has no rows")
    return tuple(_labelled(number, line) for number, line in lines)


def _labelled(number: int, line: str) -> Labelled:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise LabelError(f"line {number}: no JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("expect"), dict):
        raise LabelError(f'line {number}: needs {{"text": "...", "expect": {{...}}}}')
    unknown = sorted(row["expect"].keys() - set(SLOTS))
    if unknown:
        raise LabelError(f"line {number}: no such slot {unknown[0]!r}; there are {', '.join(SLOTS)}")
    return Labelled(
        line=number,
        text=row["text"],
        expect=row["expect"],
        heard_at=_heard_at(number, row.get("heard_at")),
        transcript=transcript_from(number, row["segments"]) if "segments" in row else None,
    )


def _heard_at(number: int, written: Any) -> datetime | None:
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except (TypeError, ValueError) as error:
        raise LabelError(f"line {number}: heard_at {written!r}: write it like 2026-11-24T10:00:00+08:00") from error
    if at.tzinfo is None:
        raise LabelError(f"line {number}: heard_at {written!r} needs its offset, for example +08:00")
    return at


def transcript_from(number: int, segments: Any) -> Transcript:
    """Of [side, start_ms, end_ms, text, [[word, start_ms, end_ms, confidence], ...], [reading, ...]] each."""
    try:
        return Transcript.of(
            [_segment(*one) for one in segments], duration_ms=max((one[2] for one in segments), default=0)
        )
    except (TypeError, ValueError, IndexError) as error:
        raise LabelError(f"line {number}: segments cannot be read: {error}") from error


def _segment(side: str, start_ms: int, end_ms: int, text: str, words: list[Any], readings: list[str]) -> Segment:
    return Segment(
        side=Side(side),
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        words=tuple(Word(text=one[0], start_ms=one[1], end_ms=one[2], confidence=one[3]) for one in words),
        alternatives=tuple(readings),
    )
