"""The rules of service language as data: forbidden wordings, the words wanted, and the limits of the measures."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Label:
    """How a check is called on the console."""

    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class ForbiddenWording:
    """What must not be said; `unless` reaching over the words of a match takes it back.

    `opening_only`: it counts in the agent's first turn alone, and only where that turn holds no greeting.
    """

    key: str
    label: Label
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str]
    opening_only: bool = False


@dataclass(frozen=True, kw_only=True)
class WantedWording:
    """What should be said: part of the opening or closing words."""

    key: str
    label: Label
    pattern: re.Pattern[str]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a measure of the conversation becomes a finding; the file says what each is."""

    listening_share: float
    listening_least: float
    least_talk_seconds: float
    interruption_after_ms: int
    interruption_overlap_ms: int
    interruption_letters: int
    silence_seconds: float
    silence_after_wait_seconds: float
    letters_a_minute: float
    rate_least_letters: int
    repeated_words: int
    matter_letters: int


@dataclass(frozen=True, kw_only=True)
class LanguageRules:
    """Everything of the checks that is data. `version` changes with any letter of the file.

    `sounds` maps the first syllable to the words that begin with it: (syllables, letters).
    """

    version: str
    never: tuple[ForbiddenWording, ...]
    opening: tuple[WantedWording, ...]
    closing: WantedWording
    promises: re.Pattern[str]
    promise_label: Label
    times: re.Pattern[str]
    quoted_before: re.Pattern[str]
    quoted_after: re.Pattern[str]
    sounds: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    limits: Limits

    def labels(self) -> Mapping[str, Label]:
        """Of every check that the file names; the others are in `findings.MEASURE_LABELS`."""
        wanted = {one.key: one.label for one in (*self.opening, self.closing)}
        return {one.key: one.label for one in self.never} | wanted | {"promise": self.promise_label}
