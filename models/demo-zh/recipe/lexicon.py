"""Words and how the voice says them, counted over the training text.

The front end reads a clause as a whole, so 一 and 不 change their tone with what follows, and 都, 了 or 着 are read as
the clause wants; each reading that a word has in at least one case of twelve becomes a pronunciation of its own.
"""

import collections
import math

import jieba

SPOKEN_ALONE = set("零一二三四五六七八九十百千两幺洞拐杠")
RAREST_SHARE = 1 / 12
MOST_READINGS = 3


def segmented(clause):
    """Words; figures one by one, so that a number is never a word of its own."""
    words, buffer = [], ""
    for letter in clause:
        if letter in SPOKEN_ALONE:
            words.extend(jieba.lcut(buffer) if buffer else [])
            words.append(letter)
            buffer = ""
        else:
            buffer += letter
    return words + (jieba.lcut(buffer) if buffer else [])


def vocabulary(hotline, general, *, general_words):
    """The hotline's words, and the commonest of the general ones; every letter of a word is a word too."""
    ours = collections.Counter(word for clauses in hotline for clause in clauses for word in clause)
    common = collections.Counter(word for clause in general for word in clause)
    words = {word for word, count in ours.items() if count >= 2 or len(word) <= 2}
    words |= {word for word, _ in common.most_common(general_words) if len(word) <= 4}
    return words | {letter for word in words for letter in word}


class Readings:
    """Counts (word, sounds) over clauses."""

    def __init__(self, voice):
        self._front, self._counts = voice, collections.defaultdict(collections.Counter)

    def count(self, words):
        syllables = self._front.syllables("".join(words))
        if len(syllables) != sum(map(len, words)):
            return  # 儿 melted into the syllable before it
        at = 0
        for word in words:
            self._counts[word][tuple(s for one in syllables[at : at + len(word)] for s in one)] += 1
            at += len(word)

    def lexicon(self, words):
        """word -> [(sounds, probability)], the likeliest with 1.0, as in Kaldi's dictionaries."""
        found = {}
        for word in sorted(words):
            counts = collections.Counter(self._counts.get(word, {}))
            alone = tuple(self._front.sounds(word))
            if alone:
                counts[alone] += 1
            if not counts:
                continue
            best, total = max(counts.values()), sum(counts.values())
            kept = [(s, n / best) for s, n in counts.most_common(MOST_READINGS) if n / total >= RAREST_SHARE]
            found[word] = [(sounds, max(share, math.exp(-3))) for sounds, share in kept]
        return found
