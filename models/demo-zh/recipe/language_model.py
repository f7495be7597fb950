"""A trigram model of two texts, hotline and general, as an acceptor with back-off arcs.

Each text has its own trigrams with absolute discounting; the model is their weighted mean, kept for the n-grams that
are frequent enough, and everything else backs off.
"""

import collections
import math

START, END = "<s>", "</s>"
DISCOUNT = 0.7


class Text:
    """n-gram counts of one text; `probability(history, word)` interpolates down to the word's own share."""

    def __init__(self, sentences, words):
        self.counts = [collections.defaultdict(collections.Counter) for _ in range(3)]
        for sentence in sentences:
            row = [START, START, *(word if word in words else None for word in sentence), END]
            for at in range(2, len(row)):
                if row[at] is None:
                    continue
                self.counts[0][()][row[at]] += 1
                if row[at - 1] is not None:
                    self.counts[1][(row[at - 1],)][row[at]] += 1
                    if at > 2 and row[at - 2] is not None:
                        self.counts[2][(row[at - 2], row[at - 1])][row[at]] += 1
        self._totals = [{h: sum(c.values()) for h, c in order.items()} for order in self.counts]
        self._vocabulary = len(words) + 1

    def probability(self, history, word):
        order = len(history)
        shorter = self.probability(history[1:], word) if order else 1 / self._vocabulary
        counts = self.counts[order].get(history)
        if not counts:
            return shorter
        total = self._totals[order][history]
        return max(counts[word] - DISCOUNT, 0) / total + DISCOUNT * len(counts) / total * shorter

    def known(self, history):
        """0 for a history that never came, towards 1 for a frequent one."""
        total = self._totals[len(history)].get(history, 0)
        return total / (total + 20)


class Mixture:
    def __init__(self, texts_and_weights, least):
        """`least`: per text the smallest count of a bigram and of a trigram that is kept."""
        self._mixed = texts_and_weights
        self.kept = [collections.defaultdict(set), collections.defaultdict(set), collections.defaultdict(set)]
        for (text, _), (least2, least3) in zip(texts_and_weights, least, strict=True):
            for order, smallest in ((1, least2), (2, least3)):
                for history, counts in text.counts[order].items():
                    for word, count in counts.items():
                        if count >= smallest:
                            self.kept[order][history].add(word)
        for (before, last), words in self.kept[2].items():  # a trigram's history and end must exist as bigrams
            self.kept[1][(before,)].add(last)
            self.kept[1][(last,)] |= words

    def probability(self, history, word):
        """The weight of a text follows how well it knows the history: what it never saw does not count."""
        weights = [w * (text.known(history) if history else 1.0) for text, w in self._mixed]
        if not sum(weights):
            return self.probability(history[1:], word)
        return sum(w * t.probability(history, word) for (t, _), w in zip(self._mixed, weights, strict=True)) / sum(
            weights
        )


def arcs(mixture, words):
    """(history, word or None, cost, next history); None is the back-off. Histories are tuples of 0 to 2 words.

    Also the costs of ending, by history. Back-off weights make what is kept and what is backed off to sum to one.
    """
    found, endings = [], {}
    unigram = {word: mixture.probability((), word) for word in [*words, END]}
    histories = {(): set(unigram)} | {h: w for order in (1, 2) for h, w in mixture.kept[order].items()}

    def state(history):
        while history not in histories:
            history = history[1:]
        return history

    cache = {}

    def smoothed(history, word):
        """What the finished model says: the arc if there is one, else through the back-off."""
        if not history:
            return unigram[word]
        if history not in histories:
            return smoothed(history[1:], word)
        if word in histories[history]:
            return mixture.probability(history, word)
        return backoff(history) * smoothed(history[1:], word)

    def backoff(history):
        if history not in cache:
            kept = histories[history]
            left = 1 - sum(mixture.probability(history, word) for word in kept)
            lower = 1 - sum(smoothed(history[1:], word) for word in kept)
            cache[history] = max(left, 1e-4) / max(lower, 1e-4)
        return cache[history]

    for history, following in histories.items():
        if history:
            found.append((history, None, -math.log(backoff(history)), state(history[1:])))
        for word in sorted(following):
            cost = -math.log(unigram[word] if not history else mixture.probability(history, word))
            if word == END:
                endings[history] = cost
            else:
                found.append((history, word, cost, state((*history, word)[-2:])))
    return found, endings, state((START,))
