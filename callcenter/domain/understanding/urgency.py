"""How pressing it is: danger (紧急), no water or power and the like (急), else 一般; with the words that say so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from callcenter.domain.tickets import Evidence, Found, Urgency
from callcenter.domain.understanding.danger import affirmed, sightings
from callcenter.domain.understanding.homophones import words_sounding_in
from callcenter.domain.understanding.rules import Rules, UrgencyWording
from callcenter.domain.understanding.text import Line, line_of

_QUESTION = re.compile(r"^(?![^，。,；;]{0,8}(?:知道|管不管|来不来))[^，。,；;！!]{0,5}(?:吗|么|没有?[？?]|[？?])")
_DREADED = ("hurt", "fire")
"""Kinds that people name as a fear (怕着火). A feared gas leak is a gas leak."""
_BREATH = 30
_CLAUSE_END = re.compile(r"[，。,；;！!？?、]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """A wording of danger or urgency and where it stands."""

    kind: str
    urgency: Urgency
    evidence: Evidence


def find_urgency(lines: tuple[Line, ...], rules: Rules) -> Found[Urgency] | None:
    """The most pressing thing that the resident said; None where the resident said nothing."""
    own = [line for line in lines if not line.by_agent]
    if not own:
        return None
    alarms = [
        *(alarm for line in own for alarm in alarms_in(line, rules)),
        *_across_pauses(own, rules),
        *_affirmed(lines, rules),
    ]
    if any(rules.urgency.calm.search(_masked(line.written, rules.urgency)) for line in own):
        alarms = [alarm for alarm in alarms if alarm.urgency is Urgency.EMERGENCY]
    for urgency, confidence in ((Urgency.EMERGENCY, 0.9), (Urgency.URGENT, 0.8)):
        found = tuple(alarm.evidence for alarm in alarms if alarm.urgency is urgency)
        if found:
            return Found(value=urgency, confidence=confidence, evidence=found)
    return Found(value=Urgency.NORMAL, confidence=0.7)


def alarms_in(line: Line, rules: Rules) -> tuple[Alarm, ...]:
    """Danger first; also usable on the live partial words of a call that is still going on."""
    wording = rules.urgency
    text = _masked(line.written, wording)
    danger = (*_alarms(line, text, Urgency.EMERGENCY, wording),)
    danger = danger or (*_combined(line, text, wording),) or _by_sound(line, wording)
    if danger or wording.calm.search(text):
        return danger
    return tuple(_alarms(line, text, Urgency.URGENT, wording))


def alarms_in_words(text: str, rules: Rules) -> tuple[Alarm, ...]:
    """The same for the words recognised so far on a live call; numbers may be spoken or typed."""
    return alarms_in(line_of(text), rules)


@lru_cache(maxsize=1024)
def _masked(text: str, wording: UrgencyWording) -> str:
    return wording.masked.sub(lambda match: "○" * len(match.group()), text)


def _combined(line: Line, text: str, wording: UrgencyWording) -> Iterator[Alarm]:
    """Source, state and person put together, where no wording of its own was found."""
    for seen in sightings(text, wording.combined):
        if not _is_denied(text, seen.state, wording, dreaded=False):
            yield Alarm(kind=seen.kind, urgency=Urgency.EMERGENCY, evidence=line.evidence(seen.start, seen.end))


def _affirmed(lines: tuple[Line, ...], rules: Rules) -> Iterator[Alarm]:
    for kind, reply in affirmed(lines, rules.urgency.combined):
        yield Alarm(kind=kind, urgency=Urgency.EMERGENCY, evidence=reply.whole())


def _by_sound(line: Line, wording: UrgencyWording) -> tuple[Alarm, ...]:
    """Recognised speech only: the recogniser writes 没气味 for 煤气味."""
    if not line.has_words:
        return ()
    return tuple(
        Alarm(kind=kind, urgency=Urgency.EMERGENCY, evidence=line.whole())
        for kind, words in wording.sounds.items()
        if words_sounding_in(line.raw, words, exactly=True)
    )


def _across_pauses(own: list[Line], rules: Rules) -> Iterator[Alarm]:
    """电梯卡住了 / 里面有人: danger said in two breaths."""
    for before, line in pairwise(own):
        text = _masked(f"{before.written[-_BREATH:]},{line.written[:_BREATH]}", rules.urgency)
        seam = min(len(before.written), _BREATH)
        for seen in sightings(text, rules.urgency.combined):
            if seen.start < seam < seen.end - 1 and not _is_denied(text, seen.state, rules.urgency, dreaded=False):
                yield Alarm(kind=seen.kind, urgency=Urgency.EMERGENCY, evidence=line.whole())
        for kind, start, end in _worded(text, Urgency.EMERGENCY, rules.urgency):
            if start < seam < end - 1:
                yield Alarm(kind=kind, urgency=Urgency.EMERGENCY, evidence=line.whole())


def _alarms(line: Line, text: str, urgency: Urgency, wording: UrgencyWording) -> Iterator[Alarm]:
    for kind, start, end in _worded(text, urgency, wording):
        yield Alarm(kind=kind, urgency=urgency, evidence=line.evidence(start, end))


@lru_cache(maxsize=1024)
def _worded(text: str, urgency: Urgency, wording: UrgencyWording) -> tuple[tuple[str, int, int], ...]:
    """(kind, start, end) of every wording that is not denied."""
    kinds = wording.danger if urgency is Urgency.EMERGENCY else wording.urgent
    return tuple(
        (kind, match.start(), match.end())
        for kind, pattern in kinds.items()
        for match in pattern.finditer(text)
        if not _is_denied(text, match, wording, dreaded=kind in _DREADED)
    )


def _is_denied(text: str, match: re.Match[str], wording: UrgencyWording, *, dreaded: bool) -> bool:
    clause = _CLAUSE_END.split(text[max(0, match.start() - 14) : match.start()])[-1]
    if dreaded and wording.feared.search(clause):
        return True
    return (
        wording.denied.search(clause) is not None or _QUESTION.match(text[match.end() : match.end() + 12]) is not None
    )
