"""The rules that operators edit: categories, request types, danger words, family names, words of dialects."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from callcenter.domain.tickets import RequestType
from callcenter.domain.understanding.danger import DangerWording


@dataclass(frozen=True, kw_only=True)
class Category:
    """A service category with its labels; `points` maps a word to how much it speaks for the category.

    `usual_request` is what people want who name the thing and nothing else.
    """

    key: str
    zh: str
    en: str
    points: Mapping[str, int]
    usual_request: RequestType | None


@dataclass(frozen=True, kw_only=True)
class RequestWording:
    """How residents say that they want something; each pattern with its points."""

    request_type: RequestType
    zh: str
    en: str
    patterns: tuple[tuple[re.Pattern[str], int], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class UrgencyWording:
    """Patterns of danger and urgency by kind; `masked` names things, `denied` and `calm` take back.

    `sounds` are words of danger that are also looked for by their sound.
    """

    masked: re.Pattern[str]
    denied: re.Pattern[str]
    calm: re.Pattern[str]
    feared: re.Pattern[str]
    danger: Mapping[str, re.Pattern[str]]
    urgent: Mapping[str, re.Pattern[str]]
    sounds: Mapping[str, tuple[str, ...]]
    combined: DangerWording


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A way of speaking that the recogniser and these rules do not know; `words` are its own, each a pattern."""

    key: str
    zh: str
    en: str
    words: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Everything of the understanding that is data. `threshold`: below it a value is not asserted."""

    categories: tuple[Category, ...]
    requests: tuple[RequestWording, ...]
    urgency: UrgencyWording
    surnames: tuple[str, ...]
    spelled_surnames: Mapping[str, str]
    neutral_words: tuple[str, ...] = ()
    dialects: tuple[Dialect, ...] = ()
    threshold: float = field(default=0.6)

    @cached_property
    def surname_pattern(self) -> str:
        return "(?:" + "|".join(re.escape(name) for name in self.surnames) + ")"

    @cached_property
    def category_of_word(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for category in self.categories:
            for word, points in category.points.items():
                found.setdefault(word, []).append((category.key, points))
        found |= {word: [] for word in self.neutral_words}
        return {word: tuple(pairs) for word, pairs in found.items()}

    @cached_property
    def category_words(self) -> re.Pattern[str]:
        """All words, the longest first, so that 停车费 is found before 停车."""
        words = sorted(self.category_of_word, key=lambda word: (-len(word), word))
        return re.compile("|".join(re.escape(word) for word in words))
