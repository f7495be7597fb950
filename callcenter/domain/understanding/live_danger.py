"""Danger while a call goes on: words that still change count only once they have stood still for a moment."""

from dataclasses import dataclass, field

from callcenter.domain.tickets import Urgency
from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.text import lines_of
from callcenter.domain.understanding.urgency import alarms_in_words, find_urgency

_LETTERS_BEHIND = 2
"""So many letters must have followed: 着火 may yet become 着火了吗 or 着火演习."""


def is_emergency(transcript: Transcript, rules: Rules) -> bool:
    """Whether what was said so far holds a danger, by the rules that also judge the whole call."""
    found = find_urgency(lines_of(transcript), rules)
    return found is not None and found.value is Urgency.EMERGENCY


def danger_words(text: str, rules: Rules) -> tuple[str, ...]:
    """The words of danger in a stretch of speech, as they stand in it."""
    alarms = alarms_in_words(text, rules)
    words = (alarm.evidence.words for alarm in alarms if alarm.urgency is Urgency.EMERGENCY)
    return tuple(dict.fromkeys(word for word in words if word and word in text))


@dataclass(kw_only=True)
class PartialDanger:
    """Watches one side's partial words: danger that was seen before and is still there two letters on is stable."""

    _seen: dict[str, int] = field(default_factory=dict)

    def is_stable(self, text: str, rules: Rules) -> bool:
        words = danger_words(text, rules)
        self._seen = {word: self._seen.get(word, len(text)) for word in words}
        return any(len(text) - seen_at >= _LETTERS_BEHIND for seen_at in self._seen.values())

    def forget(self) -> None:
        """The words have become final."""
        self._seen.clear()
