"""Several problems in one call (还有, 另外, 第二): each with its category, so that none is lost behind the first."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from callcenter.domain.tickets import Found, Problem, RequestType, Urgency
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.topics import find_categories, find_request_type
from callcenter.domain.understanding.urgency import find_urgency

MOST = 5
SURE = 0.75
LONGEST = 80

_NEXT = re.compile(
    r"(?:^|(?<=[，。,；;！!？?]))(?:[呃嗯啊哦诶,，]{0,3})"
    r"(?:还有(?!人|老人|孩子|小孩|没|多久|几)|另外|再有|再一个|再就是|再者|顺便|除此之外|其次|然后还有|还想|还要(?:反映|反应|报|投诉|问|说)"
    r"|第[二三四2-4](?:个|件|点|条)?|[2-4]是|[2-4]来)"
)


def find_problems(lines: tuple[Line, ...], rules: Rules) -> tuple[Found[Problem], ...]:
    """Two or more, each begun with words that say so; otherwise none."""
    groups = _groups(tuple(line for line in lines if not line.by_agent))
    problems: list[Found[Problem]] = []
    for group in groups if len(groups) > 1 else ():
        problem = _problem(group, rules)
        if problem is not None and all(problem.value.category != other.value.category for other in problems):
            problems.append(problem)
    return tuple(problems[:MOST]) if len(problems) > 1 else ()


def _groups(own: tuple[Line, ...]) -> list[list[Line]]:
    """The resident's words, cut where another matter begins."""
    groups: list[list[Line]] = [[]]
    for line in own:
        cuts = [match.start() for match in _NEXT.finditer(line.written)]
        for number, piece in enumerate(_pieces(line, cuts)):
            if number or (cuts and cuts[0] == 0):
                groups.append([])
            if piece.written:
                groups[-1].append(piece)
    return [group for group in groups if group]


def _pieces(line: Line, cuts: list[int]) -> Iterator[Line]:
    edges = [0, *(cut for cut in cuts if cut), len(line.written)]
    for start, end in pairwise(edges):
        yield replace(line, written=line.written[start:end], origin=line.origin[start : end + 1])


def _problem(group: list[Line], rules: Rules) -> Found[Problem] | None:
    lines = tuple(group)
    category = next(iter(find_categories(lines, rules)), None)
    if category is None or category.confidence < SURE:
        return None
    urgency = find_urgency(lines, rules)
    request = find_request_type(lines, urgency, (category,), rules)
    value = Problem(
        category=category.value,
        request_type=RequestType(request.value) if request and request.confidence >= rules.threshold else None,
        urgency=urgency.value if urgency else Urgency.NORMAL,
        text="，".join(line.written.strip(" ,，。") for line in lines)[:LONGEST],
    )
    return Found(value=value, confidence=category.confidence, evidence=category.evidence)
