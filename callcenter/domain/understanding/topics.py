"""What the call is about: the request type and the service categories, with the words that speak for them."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from callcenter.domain.tickets import Evidence, Found, RequestType, Urgency
from callcenter.domain.understanding.homophones import words_sounding_in
from callcenter.domain.understanding.rules import RequestWording, Rules
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.urgency import alarms_in

_NEGATED = re.compile(r"(?:没有?|不是|并没有?|没什么|不存在|没出现|除了)(?:再|出现|发生|什么|说)?$")
_AGENT_SHARE = 0.34
"""What the agent's restating weighs against the resident's own words."""

EXPLICIT_POINTS = 5
_ENOUGH = 2.0
_MOST_CATEGORIES = 3
_COUNTED_REPEATS = 4
_DANGER_CATEGORIES = {"gas": "gas", "fire": "fire", "burst": "plumbing", "live": "power"}


@dataclass(kw_only=True, slots=True)
class _Tally:
    points: float = 0.0
    words: dict[str, int] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)


def find_categories(lines: tuple[Line, ...], rules: Rules) -> tuple[Found[str], ...]:
    """Categories, the likeliest first; further ones only where they are nearly as likely."""
    tallies = _tallies(lines, rules)
    best = max((tally.points for tally in tallies.values()), default=0.0)
    if best < _ENOUGH:
        return _by_sound(lines, rules) or _weak(tallies)
    order = {category.key: index for index, category in enumerate(rules.categories)}
    ranked = sorted(tallies.items(), key=lambda pair: (-pair[1].points, order[pair[0]]))
    near = [(key, tally) for key, tally in ranked if tally.points >= max(_ENOUGH, best * 0.6)]
    return tuple(_found(key, tally, sure=0.9 if tally.points >= 3 else 0.75) for key, tally in near[:_MOST_CATEGORIES])


def _found(key: str, tally: _Tally, *, sure: float) -> Found[str]:
    return Found(value=key, confidence=sure, evidence=tuple(tally.evidence[:8]))


def _weak(tallies: dict[str, _Tally]) -> tuple[Found[str], ...]:
    """A single weak word is shown to the reviewer, not asserted."""
    ranked = sorted(tallies.items(), key=lambda pair: -pair[1].points)
    return tuple(_found(key, tally, sure=0.4) for key, tally in ranked[:1])


def _tallies(lines: tuple[Line, ...], rules: Rules) -> dict[str, _Tally]:
    """A word said again counts for less each time; danger names its category plainly."""
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for line in lines:
        for alarm in alarms_in(line, rules) if not line.by_agent else ():
            if alarm.kind in _DANGER_CATEGORIES:
                tallies[_DANGER_CATEGORIES[alarm.kind]].points = 5.0
                tallies[_DANGER_CATEGORIES[alarm.kind]].evidence.append(alarm.evidence)
    for line in sorted(lines, key=lambda one: one.by_agent):
        share = _AGENT_SHARE if line.by_agent else 1.0
        for match in rules.category_words.finditer(line.written):
            if _NEGATED.search(line.written[max(0, match.start() - 5) : match.start()]):
                continue
            for key, points in rules.category_of_word[match.group()]:
                _count(tallies[key], match, points * share, line)
    return dict(tallies)


def _count(tally: _Tally, match: re.Match[str], points: float, line: Line) -> None:
    said = tally.words.get(match.group(), 0)
    tally.words[match.group()] = said + 1
    if said < _COUNTED_REPEATS:
        tally.points += points if not said else points * 0.2
        tally.evidence.append(line.evidence(match.start(), match.end()))


def _by_sound(lines: tuple[Line, ...], rules: Rules) -> tuple[Found[str], ...]:
    own = [line for line in lines if not line.by_agent]
    words = [word for word, pairs in rules.category_of_word.items() if any(points == 3 for _, points in pairs)]
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for line in own[:20]:
        for word in words_sounding_in(line.raw, words):
            for key, _ in rules.category_of_word[word]:
                tallies[key].points += len(word)
                tallies[key].evidence.append(line.whole())
    best = max(tallies, key=lambda key: tallies[key].points, default=None)
    return (_found(best, tallies[best], sure=0.62),) if best is not None else ()


def find_request_type(
    lines: tuple[Line, ...], urgency: Found[Urgency] | None, categories: tuple[Found[str], ...], rules: Rules
) -> Found[RequestType] | None:
    """The type by the resident's own wording; danger makes it an emergency whatever else was said."""
    if urgency is not None and urgency.value is Urgency.EMERGENCY:
        return Found(value=RequestType.EMERGENCY, confidence=urgency.confidence, evidence=urgency.evidence)
    own = tuple(line for line in lines if not line.by_agent)
    found = _best_request(own, rules)
    if found is None or found.confidence < rules.threshold:
        return _usual_request(categories, rules) or found
    return found


def _usual_request(categories: tuple[Found[str], ...], rules: Rules) -> Found[RequestType] | None:
    """What people usually want who name a thing and say nothing else (楼道灯不亮: 报修)."""
    first = next(iter(categories), None)
    if first is None or first.confidence < rules.threshold:
        return None
    usual = next((one.usual_request for one in rules.categories if one.key == first.value), None)
    return Found(value=usual, confidence=0.65, evidence=first.evidence) if usual is not None else None


def _best_request(lines: tuple[Line, ...], rules: Rules) -> Found[RequestType] | None:
    scored = [(request, _evidence_for(request, lines)) for request in rules.requests]
    ranked = sorted(scored, key=lambda pair: -sum(points for points, _ in pair[1]))
    if not ranked or not ranked[0][1]:
        return None
    request, hits = ranked[0]
    lead = sum(points for points, _ in hits) - sum(points for points, _ in ranked[1][1])
    weak = sum(points for points, _ in hits) < 2
    confidence = 0.5 if weak else (0.85 if lead else 0.65)
    return Found(
        value=request.request_type, confidence=confidence, evidence=tuple(evidence for _, evidence in hits[:6])
    )


def _evidence_for(request: RequestWording, lines: tuple[Line, ...]) -> list[tuple[int, Evidence]]:
    """One hit a pattern, and one explicit naming at most: a word said ten times must not outweigh everything else."""
    hits: list[tuple[int, Evidence]] = []
    for pattern, points in request.patterns:
        if points == EXPLICIT_POINTS and any(points == known for known, _ in hits):
            continue
        evidence = _first_evidence(pattern, lines)
        if evidence is not None:
            hits.append((points, evidence))
    return hits


def _first_evidence(pattern: re.Pattern[str], lines: tuple[Line, ...]) -> Evidence | None:
    for line in lines:
        match = pattern.search(line.written)
        if match is not None:
            return line.evidence(match.start(), match.end())
    return None
