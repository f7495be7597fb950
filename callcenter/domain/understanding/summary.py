"""One line about the request, cut from the resident's own words: no word that was not said."""

import re

from callcenter.domain.tickets import Found
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.text import Line

LONGEST = 60
"""Characters of the line."""

_CLAUSE = re.compile(r"[^，。,；;！!？?、]+")
_OPENING = re.compile(
    r"^(?:喂|你好|您好|哎|诶|呃|嗯|那个|这个|就是|就是说|然后|是这样的?|我想|麻烦你?们?|请问一?下?|啊|哦|我跟你说|我要报修|我要投诉)+"
)
_ADDRESS = re.compile(
    r"^(?:我是|我住在?|我们?是|我这里是|我这边是|住)?[^，。,]{0,12}?\d+(?:栋|幢|号楼|号|座|弄)(?:\d+单元)?(?:\d{3,4})?(?:室|房)?(?:的)?(?:业主|住户|租户)?"
)
_EMPTY = re.compile(
    r"^(?:好的?|谢谢你?们?|再见|嗯|对的?|是的?|行|可以|没有了|辛苦了|拜拜|不客气|我姓.|.女士|.先生)+[啊吧呀了]?$"
)


def find_summary(lines: tuple[Line, ...], rules: Rules) -> Found[str] | None:
    """The resident's clauses that carry the topic, in their order."""
    own = [line for line in lines if not line.by_agent]
    clauses = [(line, clause) for line in own for clause in _CLAUSE.finditer(line.written)]
    kept = [(line, clause, text) for line, clause in clauses if (text := _plain(clause.group())) is not None]
    telling = [item for item in kept if rules.category_words.search(item[2])] or kept[:2]
    chosen = _within(telling)
    if not chosen:
        return None
    evidence = tuple(line.evidence(clause.start(), clause.end()) for line, clause, _ in chosen)
    return Found(value=",".join(text for _, _, text in chosen).replace(",", "，"), confidence=0.7, evidence=evidence)


def _plain(clause: str) -> str | None:
    text = _OPENING.sub("", _ADDRESS.sub("", _OPENING.sub("", clause))).strip()
    return text if len(text) >= 2 and not _EMPTY.match(text) and not text.isdigit() else None


def _within(telling: list[tuple[Line, re.Match[str], str]]) -> list[tuple[Line, re.Match[str], str]]:
    chosen: list[tuple[Line, re.Match[str], str]] = []
    length = 0
    for line, clause, text in telling:
        if any(text == other for _, _, other in chosen):
            continue
        if chosen and length + len(text) > LONGEST:
            break
        chosen.append((line, clause, text[:LONGEST]))
        length += len(text)
    return chosen
