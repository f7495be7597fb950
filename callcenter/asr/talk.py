"""Silence and cross-talk of a recording, from where each side's voice is heard; words are not asked."""

from collections.abc import Iterable, Sequence

from callcenter.asr.result import Talk

Span = tuple[int, int]
"""Start and end in ms."""


def measure_talk(sides: Sequence[Sequence[Span]], *, duration_ms: int) -> Talk:
    """`sides`: the spans of each side, in order, not overlapping within a side."""
    anybody = _joined(span for side in sides for span in side)
    gaps = [start - end for (_, end), (start, _) in zip([(0, 0), *anybody], [*anybody, (duration_ms, 0)], strict=True)]
    both = (
        sum(map(_length, sides[0])) + sum(map(_length, sides[1])) - sum(map(_length, anybody))
        if len(sides) > 1
        else None
    )
    return Talk(silence_ms=sum(gaps), longest_silence_ms=max(gaps), cross_talk_ms=both)


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _length(span: Span) -> int:
    return span[1] - span[0]
