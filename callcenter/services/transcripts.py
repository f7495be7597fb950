"""Stored segments as the domain's transcript."""

from collections.abc import Sequence

from callcenter.db.recordings import SegmentRow
from callcenter.domain.transcript import Segment, Side, Transcript, Word


def transcript_of(rows: Sequence[SegmentRow], duration_ms: int) -> Transcript:
    """The stored segments as the domain's transcript; a person's correction wins over what was heard."""
    segments = (
        Segment(
            side=Side(row.side),
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            text=row.corrected_text or row.text,
            words=()
            if row.corrected_text
            else tuple(Word(text=w[0], start_ms=w[1], end_ms=w[2], confidence=w[3]) for w in row.words),
            alternatives=() if row.corrected_text else tuple(row.alternatives),
        )
        for row in rows
    )
    return Transcript.of(segments, duration_ms=duration_ms)
