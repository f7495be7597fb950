"""One line of the call, cleaned: spaces out, spoken numbers as figures, with the way back to words and times."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from callcenter.domain.tickets import Evidence
from callcenter.domain.transcript import Segment, Side, Transcript, Word
from callcenter.domain.understanding.numbers import number_spans

LONGEST_LINE = 4000
"""Characters; a longer segment is cut into lines of at most this length, so that no rule sees a whole book."""
PAUSE_MS = 240
NUMBER_PAUSE_MS = 450
"""Silence between two words that stands for a comma; longer inside a number, which people read out in pieces."""

_FULL_WIDTH = re.compile("[！-～]")
_NUMERALS = frozenset("零〇一二三四五六七八九十百千万亿幺两点0123456789")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A segment as the rules read it.

    `origin[i]` is the index in `raw` of the i-th character of `written`, with one more entry for its end;
    `times[i]` are the start and end in milliseconds of the i-th character of `raw`.
    """

    index: int
    side: Side
    raw: str
    written: str
    origin: tuple[int, ...]
    times: tuple[tuple[int, int], ...]
    alternatives: tuple[str, ...] = ()
    has_words: bool = False

    @property
    def by_agent(self) -> bool:
        return self.side is Side.AGENT

    def evidence(self, start: int, end: int) -> Evidence:
        """The source words behind `written[start:end]`."""
        first = self.origin[min(start, len(self.origin) - 1)]
        last = max(self.origin[min(end, len(self.origin) - 1)], first)
        times = self.times[first:last] or ((0, 0),)
        return Evidence(side=self.side, words=self.raw[first:last], start_ms=times[0][0], end_ms=times[-1][1])

    def evidence_of_raw(self, start: int, end: int) -> Evidence:
        """The evidence for `raw[start:end]`."""
        times = self.times[start:end] or ((0, 0),)
        return Evidence(side=self.side, words=self.raw[start:end], start_ms=times[0][0], end_ms=times[-1][1])

    def whole(self) -> Evidence:
        return self.evidence(0, len(self.written))


def lines_of(transcript: Transcript) -> tuple[Line, ...]:
    """The call's lines in the order they began, empty ones left out."""
    lines: list[Line] = []
    for segment in transcript.segments:
        for text in _texts_of(segment.text):
            lines.append(_line_of_segment(segment, text, index=len(lines)))
    return tuple(lines)


def paused(line: Line) -> tuple[str, list[int]]:
    """The words as they were said, numbers too, with a comma where the speaker paused; the way back to `raw`."""
    return _with_pauses(line.raw, line.times)


def line_of(text: str, *, side: Side = Side.RESIDENT) -> Line:
    """A line that was typed, or a recogniser's other reading: no times."""
    return _line(side, _clean(text), index=0, start_ms=0, end_ms=0, words=(), alternatives=())


def divided(line: Line) -> Line:
    """The line with a comma also at the shorter pauses within its numbers: 一二零一 五栋 are two of them."""
    written, origin = _written_with_origin(line.raw, line.times, number_pause_ms=PAUSE_MS)
    return replace(line, written=written, origin=origin)


def respelled(line: Line, raw: str) -> Line:
    """The same stretch of speech in other words, letter for letter."""
    written, origin = _written_with_origin(raw, line.times)
    return replace(line, raw=raw, written=written, origin=origin)


def _texts_of(text: str) -> Iterator[str]:
    pieces = (_clean(text[start : start + LONGEST_LINE]) for start in range(0, len(text), LONGEST_LINE))
    return (piece for piece in pieces if piece)


def _line_of_segment(segment: Segment, text: str, *, index: int) -> Line:
    return _line(
        segment.side,
        text,
        index=index,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        words=segment.words,
        alternatives=segment.alternatives,
    )


def _clean(text: str) -> str:
    if text.isalnum() and not _FULL_WIDTH.search(text):
        return text
    return "".join(_kept_characters(text))


def _kept_characters(text: str) -> Iterator[str]:
    kept = ""
    space = False
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category in ("Cc", "Zs"):
            space = bool(kept)
            if character == "\n" and kept:
                yield ","
                kept, space = ",", False
            continue
        if category in ("Cf", "Cs", "Co", "Cn"):
            continue
        character = _half_width(character)
        if space and _is_ascii_word(kept) and _is_ascii_word(character):
            yield " "
        yield character
        kept, space = character, False


def _half_width(character: str) -> str:
    if "！" <= character <= "～" and (folded := chr(ord(character) - 0xFEE0)).isalnum():
        return folded
    return character


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _line(
    side: Side,
    raw: str,
    *,
    index: int,
    start_ms: int,
    end_ms: int,
    words: tuple[Word, ...],
    alternatives: tuple[str, ...],
) -> Line:
    times = _times(raw, start_ms, end_ms, words)
    written, origin = _written_with_origin(raw, times)
    return Line(
        index=index,
        side=side,
        raw=raw,
        written=written,
        origin=origin,
        times=times,
        alternatives=alternatives,
        has_words=bool(words),
    )


def _written_with_origin(
    raw: str, times: tuple[tuple[int, int], ...], *, number_pause_ms: int = NUMBER_PAUSE_MS
) -> tuple[str, tuple[int, ...]]:
    paused, source = _with_pauses(raw, times, number_pause_ms=number_pause_ms)
    parts: list[str] = []
    origin: list[int] = []
    at = 0
    spans = number_spans(paused)
    if not spans:
        return paused, tuple(source)
    for span in spans:
        parts += [paused[at : span.start], span.figures]
        origin += source[at : span.start]
        origin += _spread(source[span.start], source[span.end], len(span.figures))
        at = span.end
    parts.append(paused[at:])
    origin += source[at:]
    return "".join(parts), tuple(origin)


def _with_pauses(
    raw: str, times: tuple[tuple[int, int], ...], *, number_pause_ms: int = NUMBER_PAUSE_MS
) -> tuple[str, list[int]]:
    """A comma where the speaker paused: the recogniser writes none. The second value leads back to `raw`."""
    letters: list[str] = []
    source: list[int] = []
    if len(set(times)) < 2:
        return raw, list(range(len(raw) + 1))
    for index, letter in enumerate(raw):
        gap_ms = times[index][0] - times[index - 1][1] if index else 0
        if index and _is_pause(raw[index - 1], letter, gap_ms, number_pause_ms=number_pause_ms):
            letters.append(",")
            source.append(index)
        letters.append(letter)
        source.append(index)
    return "".join(letters), [*source, len(raw)]


def _is_pause(before: str, after: str, gap_ms: int, *, number_pause_ms: int) -> bool:
    within_number = before in _NUMERALS and after in _NUMERALS
    return gap_ms >= (number_pause_ms if within_number else PAUSE_MS) and before.isalnum() and after.isalnum()


def _spread(start: int, end: int, count: int) -> list[int]:
    """Source index of each figure: one to one where the digits were read out singly, else in proportion."""
    return [start + (end - start) * figure // count for figure in range(count)]


def _times(raw: str, start_ms: int, end_ms: int, words: tuple[Word, ...]) -> tuple[tuple[int, int], ...]:
    """Times of each character: of its word where the words spell the text, else of the segment."""
    from_words = [(word.start_ms, word.end_ms) for word in words for letter in word.text if not letter.isspace()]
    if len(from_words) == len(raw):
        return tuple(from_words)
    return ((start_ms, end_ms),) * len(raw)
