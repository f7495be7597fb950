"""What a check of one call brings: findings with their place in the audio, what was judged at all, and the measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.service_language.rules import Label
from callcenter.domain.understanding.rules import Rules

MEASURE_LABELS: Mapping[str, Label] = {
    "name_used": Label(zh="称呼住户", en="name used"),
    "repeated_back": Label(zh="复述问题", en="problem repeated back"),
    "listening": Label(zh="倾听占比", en="listening share"),
    "interruption": Label(zh="打断住户", en="interruption"),
    "silence": Label(zh="长时间无声", en="long silence"),
    "speaking_rate": Label(zh="语速过快", en="speaks too fast"),
}
"""The checks that are no wordings."""

MISSING = frozenset({"greeting", "company", "surname", "help", "farewell", "name_used", "repeated_back", "promise"})
"""Findings that say what was not said; the others say what was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckContext:
    """What is known of the call besides its words. `heard_at`: timezone-aware, local; `company`: its short name."""

    heard_at: datetime
    understanding: Rules
    is_complaint: bool = False
    company: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing to be heard: which check, the words, where in the recording (milliseconds), in which line.

    `amount` is the measure where the check has one: overlap or silence in milliseconds, share in percent, letters
    a minute.
    """

    check: str
    words: str
    start_ms: int
    end_ms: int
    line: int
    amount: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkMeasures:
    """How the talking went. `letters` and `agent_ms` give the agent's rate; None: nothing to measure."""

    resident_ms: int = 0
    agent_ms: int = 0
    letters: int = 0
    interruptions: int = 0
    longest_silence_ms: int = 0
    silences: int = 0

    @property
    def listening_share(self) -> float | None:
        """The resident's part of all talking, 0..1."""
        whole = self.resident_ms + self.agent_ms
        return self.resident_ms / whole if whole else None

    @property
    def letters_a_minute(self) -> float | None:
        return self.letters * 60_000 / self.agent_ms if self.agent_ms else None


@dataclass(frozen=True, kw_only=True, slots=True)
class LanguageCheck:
    """`judged` holds every check that could be made of this call: True where nothing was found."""

    rules_version: str
    findings: tuple[Finding, ...] = ()
    judged: Mapping[str, bool] = field(default_factory=dict)
    measures: TalkMeasures = field(default_factory=TalkMeasures)
