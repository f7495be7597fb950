"""Calls as the tests write them down."""

from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.domain.transcript import Segment, Side, Transcript, Word
from callcenter.domain.understanding import CallContext, EstateRegister

TUESDAY_TEN = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
CONTEXT = CallContext(heard_at=TUESDAY_TEN, area_code="021")


def context_with(*rows: dict[str, str], caller_number: str | None = None) -> CallContext:
    register = EstateRegister.from_rows(rows) if rows else None
    return CallContext(heard_at=TUESDAY_TEN, area_code="021", register=register, caller_number=caller_number)


def recognised(
    words: str, *, side: Side = Side.RESIDENT, start_ms: int = 0, alternatives: tuple[str, ...] = ()
) -> Segment:
    """Words divided by blanks, 200 ms each; `/` is a pause of 600 ms."""
    spoken: list[Word] = []
    at = start_ms
    for word in words.split():
        if word == "/":
            at += 600
            continue
        spoken.append(Word(text=word, start_ms=at, end_ms=at + 200, confidence=0.9))
        at += 200
    text = "".join(word.text for word in spoken)
    return Segment(side=side, start_ms=start_ms, end_ms=at, text=text, words=tuple(spoken), alternatives=alternatives)


def call(*segments: Segment) -> Transcript:
    return Transcript.of(segments, duration_ms=60_000)
