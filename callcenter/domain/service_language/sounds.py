"""Puts right what the recogniser wrote in other letters of the same sound (我不之道: 我不知道), letter for letter."""

import re
from collections.abc import Mapping
from functools import lru_cache

from pypinyin import lazy_pinyin

from callcenter.domain.understanding.homophones import sound_of

_RUN = re.compile("[一-龥]+|.", re.DOTALL)


@lru_cache(maxsize=2048)
def syllables_of(text: str) -> tuple[str, ...]:
    """One entry a letter, without tone and without what speakers confuse; 您 counts as 你."""
    return tuple(
        syllable
        for run in _RUN.findall(text)
        for syllable in ([_folded(one) for one in lazy_pinyin(run)] if "一" <= run[0] <= "龥" else [run])
    )


def put_right(text: str, sounds: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]) -> str:
    """`text` with the rules' words where it has their sound in other letters; its length stays."""
    letters = list(text)
    heard = syllables_of(text)
    if len(heard) != len(letters):
        return text
    at = 0
    while at < len(letters):
        word = next((word for sound, word in sounds.get(heard[at], ()) if heard[at : at + len(sound)] == sound), None)
        if word is None:
            at += 1
            continue
        letters[at : at + len(word)] = [
            old if _is_you(old) and _is_you(new) else new
            for old, new in zip(letters[at : at + len(word)], word, strict=True)
        ]
        at += len(word)
    return "".join(letters)


def _is_you(letter: str) -> bool:
    return letter in "你您"


def _folded(syllable: str) -> str:
    folded = sound_of_syllable(syllable)
    return "ni" if folded == "nin" else folded


@lru_cache(maxsize=2048)
def sound_of_syllable(syllable: str) -> str:
    """`sound_of` leaves what is pinyin already as it is, but for the folding."""
    return sound_of(syllable)
