"""When the resident is at home or wants the visit; never the time at which something broke."""

import itertools
import re
from datetime import datetime

from callcenter.domain.tickets import Found, Wanted
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.times import TimeSpan, times_in
from callcenter.domain.understanding.turns import answer_to

_WANTED = re.compile(
    r"在家|有空|家里?有人|有人在|都在|方便|来(?:修|看|吧|就|都|也|一趟|处理|装|维修|$|[,，。])|(?:能|可以|再|想|要|请|麻烦|让|派)[^，。,]{0,6}来"
    r"|过来|上门|回(?:家|来)|到家|下班|约|等(?:你|着)|联系我|打(?:给)?我|打电话|可以$|行$|都行|都可以"
)
_PAST = re.compile(
    r"昨|前天|前晚|已经|开始(?:就)?(?:漏|停|没|坏|堵|响|吵)|从[^，。,]{0,8}(?:就|开始|起)|刚才|上周|上个|以来|一直|每天|每晚|天天|经常|总是"
)
_NOT_WANTED = re.compile(r"不在家|没空|没人|不方便|(?<!行)不行|出门|上班")


def find_wanted(lines: tuple[Line, ...], heard_at: datetime) -> Found[Wanted] | None:
    """The resident's own time, or the agent's proposal that the resident agreed to."""
    own = [one for line in lines if not line.by_agent for one in _times(line, heard_at)]
    if own:
        return own[-1]
    agreed = [
        one
        for line in lines
        if line.by_agent
        and answer_to(lines, line.index)
        and re.search(r"您[^。]{0,20}(?:在家|方便|有空)", line.written)
        for one in _times(line, heard_at)
    ]
    return agreed[-1] if agreed else None


def _times(line: Line, heard_at: datetime) -> list[Found[Wanted]]:
    spans = [span for span in times_in(line.written, heard_at) if _is_wanted(line.written, span)]
    if not spans:
        return []
    first, last = spans[0], spans[-1]
    joined = _joined(spans) if len(spans) > 1 else None
    start, end = joined or (last.start, last.end)
    at = first.at if joined else last.at
    sure = min(span.sure for span in (spans if joined else [last]))
    return [Found(value=Wanted(start=start, end=end), confidence=sure, evidence=(line.evidence(at, last.to),))]


def _joined(spans: list[TimeSpan]) -> tuple[datetime | None, datetime | None] | None:
    """周六周日都在家: times said one after the other are one wish."""
    gaps = [later.at - earlier.to for earlier, later in itertools.pairwise(spans)]
    whole = all(span.start is not None and span.end is not None for span in spans)
    if not whole or any(gap > 4 for gap in gaps):
        return None
    return min(span.start for span in spans if span.start), max(span.end for span in spans if span.end)


def _is_wanted(text: str, span: TimeSpan) -> bool:
    around = text[max(0, span.at - 12) : span.to + 14]
    after = text[span.to : span.to + 8]
    before = text[max(0, span.at - 6) : span.at]
    if before.endswith(("除了", "除")) or _PAST.search(before) or _PAST.search(after[:5]) or _NOT_WANTED.search(after):
        return False
    return _WANTED.search(around) is not None
