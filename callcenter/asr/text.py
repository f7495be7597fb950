"""Recognised words as a person writes them."""

import re
from collections.abc import Iterable, Sequence

_WRITTEN_WITHOUT_SPACES = re.compile(r"[\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")
_SPOKEN_DIGITS = frozenset("零〇一二三四五六七八九幺两" + "공영일이삼사오육칠팔구") | {
    *("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"),
}
_NOT_WORDS = frozenset({"<eps>", "<unk>", "<UNK>", "[unk]", "<SIL>", "SIL", "!SIL"})


def join_words(words: Iterable[str]) -> str:
    """No space between Chinese words; one space beside any other word."""
    text = ""
    for word in words:
        if text and not (_WRITTEN_WITHOUT_SPACES.match(text[-1]) or _WRITTEN_WITHOUT_SPACES.match(word)):
            text += " "
        text += word
    return text


def is_word(token: str) -> bool:
    """False for the engine's own marks for silence and the unknown."""
    return bool(token) and token not in _NOT_WORDS


def holds_number(words: Sequence[str], *, digits_in_a_row: int) -> bool:
    """Whether at least that many single digits were spoken one after the other."""
    run = 0
    for word in words:
        run = run + 1 if word in _SPOKEN_DIGITS else 0
        if run >= digits_in_a_row:
            return True
    return False
