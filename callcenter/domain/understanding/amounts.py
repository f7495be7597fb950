"""Money that was named on the call: 350元, 120块5, 1.5万."""

import re
from decimal import Decimal

from callcenter.domain.tickets import Amount, Found
from callcenter.domain.understanding.text import Line

MOST = 8

_AMOUNT = re.compile(
    r"(?<![\d.])(?P<number>\d{1,9}(?:\.\d{1,2})?)(?P<ten_thousand>万)?"
    r"(?:元|块(?=钱|\d(?!\d)|[,，。！!？?；;]|$|[多的了吧吗呢啊每一呀么左])|万(?=[块元]))"
    r"(?P<tenths>\d(?!\d|[栋幢号楼单]))?(?:[毛角])?钱?"
)
_PIECES = re.compile(r"块[^，。,]{0,3}(?:砖|玻璃|瓷|板|石|木|皮|布|毯|地|牌|电池|墙)")


def find_amounts(lines: tuple[Line, ...]) -> tuple[Found[Amount], ...]:
    """Each sum once, in the order they were first named; repeated by the other side it is confirmed."""
    found: dict[Decimal, Found[Amount]] = {}
    for line in lines:
        for match in _AMOUNT.finditer(line.written):
            if _PIECES.match(line.written, match.end("number")):
                continue
            yuan = _yuan(match)
            evidence = line.evidence(match.start(), match.end())
            known = found.get(yuan)
            if known is None:
                amount = Amount(yuan=yuan, text=match.group())
                found[yuan] = Found(value=amount, confidence=0.85, evidence=(evidence,))
            elif evidence.side is not known.evidence[0].side:
                found[yuan] = Found(
                    value=known.value, confidence=0.95, evidence=(*known.evidence, evidence), read_back=True
                )
    return tuple(found.values())[:MOST]


def _yuan(match: re.Match[str]) -> Decimal:
    yuan = Decimal(match["number"]) * (10_000 if match["ten_thousand"] else 1)
    return yuan + (Decimal(match["tenths"]) / 10 if match["tenths"] else 0)
