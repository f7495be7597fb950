"""Danger told in unforeseen words: source, state and person put together within one sentence (see danger.toml)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.turns import answers

REMOTE = "remote"
"""The class whose words say that it is feared, advised against, told of or long past."""

_SENTENCE = re.compile(r"[^。！!？?；;]+[？?]?")
_MOST_MATCHES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Combination:
    """All of the classes within so many letters of one sentence make a danger of this kind."""

    kind: str
    parts: tuple[re.Pattern[str], ...]
    within: int
    unless: tuple[re.Pattern[str], ...]
    dreaded: bool


@dataclass(frozen=True, kw_only=True)
class Affirmed:
    """A danger that the agent asks after and the resident affirms; `named` must have been said on the call."""

    kind: str
    question: re.Pattern[str]
    yes: re.Pattern[str]
    named: re.Pattern[str] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class DangerWording:
    """What danger.toml holds."""

    combinations: tuple[Combination, ...]
    asked: tuple[Affirmed, ...]
    remote: re.Pattern[str] | None
    classes: Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A combination that was heard: `state` is where its last class begins, which may be denied."""

    kind: str
    start: int
    end: int
    state: re.Match[str]


@lru_cache(maxsize=1024)
def sightings(text: str, wording: DangerWording) -> tuple[Sighting, ...]:
    """In the order of the file, at most one a combination and sentence."""
    heard = _Heard(text)
    return tuple(
        found
        for combination in wording.combinations
        if all(heard.matches(part) for part in combination.parts)
        for sentence in heard.sentences
        if (found := _sighting(heard, sentence, combination, wording)) is not None
    )


class _Heard:
    """A text with what was found in it, each class looked for once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._matches: dict[re.Pattern[str], list[re.Match[str]]] = {}
        self._sentences: list[tuple[int, int]] | None = None

    @property
    def sentences(self) -> list[tuple[int, int]]:
        if self._sentences is None:
            self._sentences = [match.span() for match in _SENTENCE.finditer(self.text)]
        return self._sentences

    def matches(self, part: re.Pattern[str]) -> list[re.Match[str]]:
        known = self._matches.get(part)
        if known is None:
            known = self._matches[part] = list(part.finditer(self.text))
        return known

    def within(self, part: re.Pattern[str], sentence: tuple[int, int]) -> list[re.Match[str]]:
        start, end = sentence
        return [match for match in self.matches(part) if start <= match.start() and match.end() <= end]


def _sighting(
    heard: _Heard, sentence: tuple[int, int], combination: Combination, wording: DangerWording
) -> Sighting | None:
    matches = [heard.within(part, sentence)[:_MOST_MATCHES] for part in combination.parts]
    if not all(matches) or any(heard.within(pattern, sentence) for pattern in combination.unless):
        return None
    closest = _closest(matches, combination.within)
    if closest is None:
        return None
    first, last = min(match.start() for match in closest), max(match.end() for match in closest)
    remote = heard.within(wording.remote, sentence) if combination.dreaded and wording.remote is not None else ()
    if any(match.start() < last for match in remote):
        return None
    return Sighting(kind=combination.kind, start=first, end=last, state=closest[-1])


def _closest(matches: list[list[re.Match[str]]], within: int) -> tuple[re.Match[str], ...] | None:
    """One match of each class, around each match of the first; the first group that lies close enough."""
    for anchor in matches[0]:
        group = [anchor]
        for others in matches[1:]:
            group.append(min(others, key=lambda match: _distance(anchor, match)))
        if max(match.end() for match in group) - min(match.start() for match in group) <= within + _length(group):
            return tuple(group)
    return None


def _distance(one: re.Match[str], other: re.Match[str]) -> int:
    return max(one.start() - other.end(), other.start() - one.end(), 0)


def _length(group: list[re.Match[str]]) -> int:
    """The letters of the classes themselves are not counted as distance, save those that overlap."""
    covered: set[int] = set()
    for match in group:
        covered.update(range(match.start(), match.end()))
    return len(covered)


def affirmed(lines: tuple[Line, ...], wording: DangerWording) -> Iterator[tuple[str, Line]]:
    """(kind, the resident's line) of every danger that the agent asked after and the resident affirmed."""
    for asked in wording.asked:
        if asked.named is not None and not any(asked.named.search(line.written) for line in lines):
            continue
        for line in lines:
            if line.by_agent and asked.question.search(line.written):
                yield from (
                    (asked.kind, reply) for reply in answers(lines, line.index) if asked.yes.search(reply.written)
                )
