"""服务忌语: forbidden wordings in the agent's turns, but not where somebody else is quoted."""

import re
from collections.abc import Iterator, Sequence

from callcenter.domain.service_language.findings import Finding
from callcenter.domain.service_language.rules import ForbiddenWording, LanguageRules
from callcenter.domain.service_language.turns import Turn

_CLAUSE_END = re.compile("[。！!？?；;]")


def find_forbidden(turns: Sequence[Turn], rules: LanguageRules) -> Iterator[Finding]:
    """A kind counts once a sentence, and no words count for two kinds."""
    agents = [turn for turn in turns if turn.by_agent]
    greeting = next(one.pattern for one in rules.opening if one.key == "greeting")
    for number, turn in enumerate(agents):
        taken: list[tuple[int, int]] = []
        for wording in rules.never:
            clauses: list[tuple[int, int]] = []
            if wording.opening_only and (number or greeting.search(turn.text)):
                continue
            for start, end in _matches(turn.text, wording):
                if any(start < after and before < end for before, after in (*taken, *clauses)):
                    continue
                if _is_quoted(turn.text, start, end, rules):
                    continue
                taken.append((start, end))
                clauses.append(_clause_around(turn.text, start, end))
                yield turn.finding(wording.key, start, end)


def _matches(text: str, wording: ForbiddenWording) -> list[tuple[int, int]]:
    spans = [match.span() for pattern in wording.patterns for match in pattern.finditer(text)]
    excused = [match.span() for match in wording.unless.finditer(text)]
    return sorted(
        (start, end) for start, end in spans if not any(start < after and before < end for before, after in excused)
    )


def _is_quoted(text: str, start: int, end: int, rules: LanguageRules) -> bool:
    before = text[:start]
    inside_marks = any(before.count(opened) > before.count(closed) for opened, closed in ("“”", "「」", "『』"))
    inside_marks = inside_marks or before.count('"') % 2 == 1
    return (
        inside_marks
        or rules.quoted_before.search(text[:start]) is not None
        or rules.quoted_after.match(text, end) is not None
    )


def _clause_around(text: str, start: int, end: int) -> tuple[int, int]:
    before = [match.end() for match in _CLAUSE_END.finditer(text, 0, start)]
    after = _CLAUSE_END.search(text, end)
    return (before[-1] if before else 0, after.start() if after else len(text))
