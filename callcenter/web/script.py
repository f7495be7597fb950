"""A transcript as a script: time, who, words, with the words that fields were heard from marked where they stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketFieldRow

SIDE_CLASS = {"resident": "res", "agent": "agt"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Words that a field was taken from; `kind` is heard / unsure / danger, `fields` the fields by name."""

    start: int
    end: int
    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a line: plain where it has no mark."""

    text: str
    kind: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A stretch of speech; `recording_id` and `number` name it for whoever corrects its words."""

    start_ms: int
    end_ms: int
    side: str
    parts: tuple[Part, ...]
    corrected: bool
    recording_id: str
    number: int

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def css(self) -> str:
        return SIDE_CLASS.get(self.side, "unk")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One piece of evidence of one field on one call."""

    field: str
    kind: str
    side: str
    words: str
    start_ms: int
    end_ms: int
    call_id: str | None


def pieces(fields: Iterable[TicketFieldRow]) -> tuple[Piece, ...]:
    """All evidence of a ticket's fields; what a person corrected no longer marks the words that were misheard."""
    return tuple(
        Piece(
            field=field.field,
            kind=_kind(field),
            side=str(one.get("side", "")),
            words=str(one.get("words", "")),
            start_ms=int(one.get("start_ms", 0)),
            end_ms=int(one.get("end_ms", 0)),
            call_id=one.get("call_id"),
        )
        for field in fields
        if field.state != "corrected"
        for one in field.evidence
    )


def _kind(field: TicketFieldRow) -> str:
    if field.field == "urgency" and field.heard == "emergency":
        return "danger"
    return "unsure" if field.state == "unsure" else "heard"


def lines(segments: Sequence[SegmentRow], evidence: Sequence[Piece], *, call_id: str) -> tuple[Line, ...]:
    own = [piece for piece in evidence if piece.call_id in (call_id, None)]
    return tuple(_line(segment, [piece for piece in own if _touches(segment, piece)]) for segment in segments)


def _touches(segment: SegmentRow, piece: Piece) -> bool:
    return segment.side == piece.side and piece.start_ms < segment.end_ms and piece.end_ms > segment.start_ms


def _line(segment: SegmentRow, evidence: Sequence[Piece]) -> Line:
    text = segment.corrected_text if segment.corrected_text is not None else segment.text
    spans = ((piece, _span(segment, text, piece)) for piece in evidence)
    marks = _apart([(piece, span) for piece, span in spans if span is not None])
    return Line(
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        side=segment.side,
        parts=tuple(_parts(text, marks)),
        corrected=segment.corrected_text is not None,
        recording_id=segment.recording_id,
        number=segment.number,
    )


def _span(segment: SegmentRow, text: str, piece: Piece) -> tuple[int, int] | None:
    """Where the evidence stands in the line: by its words, else by the times of the recognised words."""
    at = text.find(piece.words) if piece.words else -1
    if at >= 0:
        return at, at + len(piece.words)
    if segment.corrected_text is not None:
        return None
    found: list[tuple[int, int]] = []
    position = 0
    for word, start_ms, end_ms, *_ in segment.words:
        at = text.find(word, position)
        if at < 0:
            continue
        position = at + len(word)
        if start_ms < piece.end_ms and end_ms > piece.start_ms:
            found.append((at, position))
    return (found[0][0], found[-1][1]) if found else None


def _apart(found: Sequence[tuple[Piece, tuple[int, int]]]) -> list[Mark]:
    """Marks that do not overlap: the same words may speak for several fields, else the longer mark stands."""
    by_span: dict[tuple[int, int], list[Piece]] = {}
    for piece, span in found:
        by_span.setdefault(span, []).append(piece)
    kept: list[Mark] = []
    for (start, end), of_span in sorted(by_span.items(), key=lambda item: (item[0][0] - item[0][1], item[0])):
        kinds = {piece.kind for piece in of_span}
        kind = next(one for one in ("danger", "unsure", "heard") if one in kinds)
        inside = [mark for mark in kept if mark.start < end and mark.end > start]
        fields = tuple(dict.fromkeys(piece.field for piece in of_span))
        if not inside:
            kept.append(Mark(start=start, end=end, kind=kind, fields=fields))
        elif len(inside) == 1 and inside[0].start <= start and inside[0].end >= end:
            around = inside[0]
            kept[kept.index(around)] = Mark(
                start=around.start,
                end=around.end,
                kind=around.kind,
                fields=tuple(dict.fromkeys(around.fields + fields)),
            )
    return sorted(kept, key=lambda mark: mark.start)


def _parts(text: str, marks: Sequence[Mark]) -> Iterable[Part]:
    position = 0
    for mark in marks:
        if mark.start > position:
            yield Part(text=text[position : mark.start])
        yield Part(text=text[mark.start : mark.end], kind=mark.kind, fields=mark.fields)
        position = mark.end
    if position < len(text):
        yield Part(text=text[position:])
