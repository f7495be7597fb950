"""The operator's own words: names and terms that callers say and the recogniser spells as it likes, found by sound.

Letters are exchanged one for one, only for words of the list, so that nothing is invented: a stretch is the word where
each syllable sounds the same (zh/z, ing/in and tones are not told apart), or where another reading of it has the word.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pypinyin import Style, lazy_pinyin

from callcenter.domain.transcript import Segment, Transcript, Word
from callcenter.domain.understanding.homophones import places_sounding_like

LEAST_LETTERS, MOST_LETTERS = 2, 20
MOST_WORDS = 5000
SAME_TONES, OTHER_TONES, READ_ELSEWHERE = 0.9, 0.75, 0.95
"""How sure an exchange is, by what speaks for it."""


class WordListError(ValueError):
    """The list cannot be used; the message names the line and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """`heard` stood at `start` of the text; `word` stands there now."""

    start: int
    heard: str
    word: str
    confidence: float


def read_word_list(text: str) -> tuple[str, ...]:
    """A word a line; blank lines and what follows a # are left out. Longer words first. Raises WordListError."""
    words: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word = line.split("#", 1)[0].strip()
        if not word:
            continue
        if not LEAST_LETTERS <= len(word) <= MOST_LETTERS or not all("一" <= letter <= "龥" for letter in word):
            raise WordListError(
                f"line {number}: {word[:30]!r}: a word a line, of {LEAST_LETTERS} to {MOST_LETTERS} Chinese characters"
            )
        words[word] = None
    if len(words) > MOST_WORDS:
        raise WordListError(f"{len(words)} words; more than {MOST_WORDS} would be heard everywhere")
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def repairs_of(segment: Segment, words: Iterable[str]) -> tuple[Repair, ...]:
    """What to exchange in the segment's text, in its order, not overlapping; a longer word goes before a shorter."""
    found: list[Repair] = []
    taken: set[int] = set()
    for word in words:
        for start, end in places_sounding_like(segment.text, word):
            places = set(range(start, end))
            if segment.text[start:end] != word and not places & taken:
                found.append(_repair(segment, word, start, end))
            taken |= places
    return tuple(sorted(found, key=lambda one: one.start))


def _repair(segment: Segment, word: str, start: int, end: int) -> Repair:
    heard = segment.text[start:end]
    if any(word in reading for reading in segment.alternatives):
        confidence = READ_ELSEWHERE
    else:
        confidence = SAME_TONES if _tones(heard) == _tones(word) else OTHER_TONES
    return Repair(start=start, heard=heard, word=word, confidence=confidence)


def _tones(text: str) -> list[str]:
    return lazy_pinyin(text, style=Style.TONE3)


def with_words(transcript: Transcript, words: tuple[str, ...]) -> Transcript:
    """The transcript with the list's words in their places; a word that was exchanged is no surer than the exchange."""
    if not words:
        return transcript
    return replace(transcript, segments=tuple(_with_words(segment, words) for segment in transcript.segments))


def _with_words(segment: Segment, words: tuple[str, ...]) -> Segment:
    repairs = repairs_of(segment, words)
    if not repairs:
        return segment
    letters = list(segment.text)
    sure = [1.0] * len(letters)
    for one in repairs:
        for offset, letter in enumerate(one.word):
            letters[one.start + offset], sure[one.start + offset] = letter, one.confidence
    spelt = "".join(word.text for word in segment.words) == segment.text
    return replace(
        segment,
        text="".join(letters),
        words=tuple(_exchanged(segment.words, letters, sure)) if spelt else segment.words,
    )


def _exchanged(words: tuple[Word, ...], letters: list[str], sure: list[float]) -> Iterator[Word]:
    at = 0
    for word in words:
        end = at + len(word.text)
        yield replace(word, text="".join(letters[at:end]), confidence=min(word.confidence, *sure[at:end]))
        at = end
