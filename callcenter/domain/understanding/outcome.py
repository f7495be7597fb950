"""Whether the matter was settled on the call itself, by what the resident says of it."""

import re

from callcenter.domain.tickets import Found, RequestType
from callcenter.domain.understanding.text import Line

_WORKS = r"来电|来水|有电|有水|有气|亮|通|正常|恢复|不漏|不响|不堵|打开|刷开|能开|能用|能刷|能进|好使|退下来"
_SOLVED = re.compile(
    rf"(?:问题|事情?|这个)?(?:已经|都)?解决了|(?:现在|已经|又|真|可以|果然|诶|哎)(?:真的)?(?:就)?(?:好了|可以了|行了|(?:{_WORKS})了)"
    rf"|(?:{_WORKS})了[,，。！!]?(?:谢谢|太好了|好的|麻烦你|辛苦)|不用(?:再)?(?:派人|师傅|人)?(?:过?来|修|报修)(?:修|看)?了|没事了|弄好了|修好了"
)
_ASKED = re.compile(r"^(?:没有?|吗|么|没|不|之?后|以后|再|就|才)|^[？?]")
_BEFORE = re.compile(
    r"(?:没|没有|还没|未|说|如果|等|要是|什么时候(?:能|才)?|怎么还没|才能?|就|算|昨天|上次|之前|前天)[^，。,]{0,6}$"
)
_STILL = re.compile(
    r"还是(?:不|没|老样子|一样|打不|漏|亮不)|(?:没|没有)(?:解决|用|变化|反应)|又(?:坏|漏|停|堵|灭|跳|不)"
)
_UNDERSTOOD = re.compile(r"^(?:[哦噢嗯啊好的行,，]{0,6})(?:明白|知道|清楚|了解|懂)了")


def find_solved(lines: tuple[Line, ...], request_type: RequestType | None) -> Found[bool] | None:
    """What the resident said last about it; None where they said nothing of the kind."""
    solved: Found[bool] | None = None
    heard_agent = False
    for line in lines:
        if line.by_agent:
            heard_agent = True
            continue
        solved = _said(line) or solved
        if heard_agent and request_type is RequestType.ENQUIRY and (match := _UNDERSTOOD.match(line.written)):
            solved = Found(value=True, confidence=0.65, evidence=(line.evidence(*match.span()),))
    return solved


def _said(line: Line) -> Found[bool] | None:
    said: list[tuple[int, Found[bool]]] = []
    for match in _SOLVED.finditer(line.written):
        before, after = line.written[max(0, match.start() - 10) : match.start()], line.written[match.end() :]
        if not _ASKED.match(after) and not _BEFORE.search(before):
            said.append((match.start(), Found(value=True, confidence=0.75, evidence=(line.evidence(*match.span()),))))
    for match in _STILL.finditer(line.written):
        said.append((match.start(), Found(value=False, confidence=0.7, evidence=(line.evidence(*match.span()),))))
    return max(said, key=lambda one: one[0])[1] if said else None
