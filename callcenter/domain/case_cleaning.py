"""What goes into the case library names nobody: names, numbers, rooms and number plates are taken out of a text.

What is taken out leaves a word behind, so that the sentence still reads. A person looks at the case afterwards: rules
find what is written the usual way, and no more.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from callcenter.domain.understanding.place_mentions import mentions_in
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.text import line_of

SOMEBODY, NUMBER, HOME, PLATE, ADDRESS = "某某", "（号码）", "某户", "（车牌）", "（邮箱）"
_TITLES = (
    "先生|女士|小姐|太太|阿姨|叔叔|大爷|大妈|大姐|大哥|奶奶|爷爷|伯伯"
    "|老师|师傅|医生|教授|经理|主管|工程师|工|总|姐|哥|叔|姨"
)
_MAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z][·・ ]?[A-Za-z0-9]{5,6}(?![A-Za-z0-9])"
)
_NUMBER = re.compile(
    r"(?:\+?86[- ]?)?(?<![\d.])(?:\d[- ]?){6,}\d[\dXx]?(?:转\d{1,5})?|[零〇一二三四五六七八九幺]{7,}|\d+\*{2,}\d+"
)
_BARE_ROOM = re.compile(r"(?<![\d.:：])\d{3,4}(?=\s*(?:室|房|户|家|业主|住户|卫生间|厨房|阳台|客厅|卧室|配电|门口))")
_NOT_A_NAME = re.compile(
    r"(?:物业|维修|保安|保洁|电工|水电|门卫|值班|工程|客服|厂家|电梯|老|大|小|各位|每位|这位|那位|一位)$"
)


def cleaned(text: str, *, rules: Rules, names: Iterable[str] = (), room: str | None = None) -> str:
    """`text` without anybody's particulars. `names` are those known, of residents and of staff; `room` the ticket's."""
    told = _MAIL.sub(ADDRESS, text)
    told = _PLATE.sub(PLATE, told)
    told = "\n".join(_without_homes(line) for line in told.split("\n"))
    told = _BARE_ROOM.sub(HOME, told)
    if room and len(room) >= 3:
        told = re.sub(rf"(?<!\d){re.escape(room)}(?!\d)(?:室|房)?", HOME, told)
    told = _NUMBER.sub(NUMBER, told)
    for name in sorted({one for one in names if len(one) >= 2}, key=len, reverse=True):
        told = told.replace(name, _titled(name))
    return _without_surnames(told, rules)


def _titled(name: str) -> str:
    """王女士 keeps its title, 王小明 is 某某."""
    title = re.search(f"(?:{_TITLES})$", name)
    return f"某{title[0]}" if title else SOMEBODY


def _without_homes(line: str) -> str:
    """An address that leads to a home; a building alone leads to nobody."""
    if not line.strip():
        return line
    read = line_of(line)
    spans = [
        (read.origin[one.start], read.origin[min(one.end, len(read.origin) - 1)])
        for one in mentions_in(read)
        if "room" in one.parts
    ]
    edges = [(0, 0), *spans, (len(read.raw), len(read.raw))]
    return HOME.join(read.raw[before[1] : after[0]] for before, after in pairwise(edges))


def _without_surnames(text: str, rules: Rules) -> str:
    """王女士 is 某女士, 我叫王小明 is 我叫某某, 姓王 is 姓某."""
    surname = rules.surname_pattern
    text = re.sub(f"(?P<cue>我叫|名叫|姓名[是:：]?|联系人[是:：]?){surname}[一-龥]{{1,2}}", rf"\g<cue>{SOMEBODY}", text)
    text = re.sub(f"姓{surname}", "姓某", text)

    def hidden(match: re.Match[str]) -> str:
        before = text[max(0, match.start() - 2) : match.start()]
        return match[0] if _NOT_A_NAME.search(before + match["name"]) else f"某{match['title']}"

    return re.sub(f"(?P<name>{surname})(?P<title>{_TITLES})(?![程具作人])", hidden, text)
