"""The recogniser's homophones (水馆漏睡 for 水管漏水): keywords found by how they sound, as a last resort."""

import re
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import lazy_pinyin
from rapidfuzz import fuzz

CLOSE_ENOUGH = 90
"""Partial ratio of two readings, 0..100, from which on they are taken to be the same word."""

_CHINESE = re.compile("[一-龥]+")
_CHINESE_OR_ONE = re.compile("[一-龥]+|.", re.DOTALL)

LONGEST_TEXT = 200
"""Characters compared at most; what is longer has words enough of its own."""


def sound_of(text: str) -> str:
    """Toneless pinyin without the differences that speakers and recognisers lose: zh/z, ch/c, sh/s, ing/in, ang/an."""
    return " ".join(_folded(syllable) for syllable in lazy_pinyin(text))


def words_sounding_in(text: str, words: Iterable[str], *, exactly: bool = False) -> tuple[str, ...]:
    """The words that `text` sounds as if it held: of two characters, or `exactly`, only those with the same sound."""
    heard = sound_of(text[:LONGEST_TEXT])
    if not heard:
        return ()
    return tuple(word for word in words if _is_heard(word, heard, exactly=exactly))


def places_sounding_like(text: str, word: str) -> tuple[tuple[int, int], ...]:
    """Where `text` sounds exactly like `word`, letter for letter: (start, end)."""
    wanted = _syllables(word)
    heard = _syllables(text[:LONGEST_TEXT])
    count = len(wanted)
    return tuple((at, at + count) for at in range(len(heard) - count + 1) if heard[at : at + count] == wanted)


@lru_cache(maxsize=512)
def _syllables(text: str) -> tuple[str, ...]:
    """One entry a letter; what is no Chinese stands for itself."""
    return tuple(
        syllable
        for run in _CHINESE_OR_ONE.findall(text)
        for syllable in ([_folded(sound) for sound in lazy_pinyin(run)] if _CHINESE.match(run) else [run])
    )


def _is_heard(word: str, heard: str, *, exactly: bool) -> bool:
    sound = _sound_of_word(word)
    if len(word) < 2 or len(sound) < 5:
        return False
    if exactly or len(word) == 2:
        return f" {sound} " in f" {heard} "
    return fuzz.partial_ratio(sound, heard) >= CLOSE_ENOUGH


@lru_cache(maxsize=4096)
def _sound_of_word(word: str) -> str:
    return sound_of(word)


def _folded(syllable: str) -> str:
    for lost, kept in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(lost):
            syllable = kept + syllable[2:]
    for lost, kept in (("ing", "in"), ("eng", "en"), ("ang", "an")):
        if syllable.endswith(lost):
            syllable = syllable[: -len(lost)] + kept
    return syllable
