"""Who is on the line: 王女士, 姓王, 联系人张先生; never the agent's or a repairman's name."""

import re
from dataclasses import replace

from callcenter.domain.tickets import Found
from callcenter.domain.transcript import Side
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.turns import answer_to

_TITLES = (
    r"女士|先生|小姐|太太|阿姨|大爷|大妈|大姐|大哥|奶奶|爷爷|叔叔|伯伯"
    r"|老师|师傅|医生|教授|经理|总|女生|同志|姐|哥|叔|姨|嫂"
)
_PLAIN_TITLES = ("女士", "先生", "小姐", "太太", "阿姨", "老师")
_STAFF_TITLES = ("师傅", "经理", "总", "医生", "教授", "同志")
_CONTACT_CUE = re.compile(r"(?:联系人|找|联系|业主|住户|租户|我是|我叫|称呼我|叫我|免贵姓|姓)[是为:：,，]{0,2}$")
_NAME_ENDS = re.compile(r"$|\W|[啊呀吧哈的,住在是我叫您你]|电话|手机|房|号|名字|单|复姓|\d")
_STAFF_BEFORE = re.compile(
    r"(?:保安|物业|你们|维修|工程部?|管家|客服|上次|之前|那个|楼上|楼下|隔壁|邻居|对门|表扬|感谢|投诉|谢谢)的?[一-龥]{0,3}$"
)


def find_contact(lines: tuple[Line, ...], rules: Rules) -> Found[str] | None:
    """The resident's form of address; the agent's words count where they address the resident with it."""
    resident = _best(_by_resident(lines, rules))
    agent = _best(_by_agent(lines, rules))
    if resident is None or agent is None:
        return resident or agent
    if agent.value.startswith(resident.value) and len(agent.value) > len(resident.value):
        return Found(value=agent.value, confidence=0.95, evidence=resident.evidence + agent.evidence, read_back=True)
    if agent.value[:1] == resident.value[:1]:
        return Found(value=resident.value, confidence=0.95, evidence=resident.evidence + agent.evidence, read_back=True)
    return resident if resident.confidence >= 0.8 else agent


def _best(found: list[Found[str]]) -> Found[str] | None:
    """The surest; of two ways to say the same name (姓王, 王女士) the fuller."""
    best = max(found, key=lambda one: one.confidence, default=None)
    fuller = [one for one in found if best and one.value.startswith(best.value) and len(one.value) > len(best.value)]
    return replace(fuller[0], confidence=0.95) if fuller else best


def _by_resident(lines: tuple[Line, ...], rules: Rules) -> list[Found[str]]:
    """Where the two sides are mixed in one channel a name may be the agent's own: it is not asserted."""
    own = [line for line in lines if not line.by_agent]
    if any(line.side is Side.UNKNOWN for line in own):
        return []
    return [one for line in own for one in (*_titled(line, rules), *_surnamed(line, rules), *_named(line, rules))]


def _found(line: Line, value: str, start: int, end: int, confidence: float) -> Found[str]:
    return Found(value=value, confidence=confidence, evidence=(line.evidence(start, end),))


def _titled(line: Line, rules: Rules) -> list[Found[str]]:
    found = []
    for match in re.finditer(f"(?P<surname>{rules.surname_pattern})(?P<title>{_TITLES})", line.written):
        before = line.written[max(0, match.start() - 8) : match.start()]
        cued = _CONTACT_CUE.search(before) is not None
        staff = match["title"] in _STAFF_TITLES or len(match["title"]) == 1
        if (staff and not cued) or (_STAFF_BEFORE.search(before) and not before.endswith(("找", "联系"))):
            continue
        found.append(_found(line, match.group(), match.start(), match.end(), 0.9 if cued else 0.7))
    return found


def _surnamed(line: Line, rules: Rules) -> list[Found[str]]:
    """我姓王, 免贵姓欧阳, 弓长张."""
    found = []
    for match in re.finditer(
        f"(?:我|免贵|本人|^|(?<=[,，。]))姓(?P<surname>{rules.surname_pattern})(?P<title>{_TITLES})?", line.written
    ):
        value = match["surname"] + (match["title"] or "")
        ends = match["title"] or _NAME_ENDS.match(line.written, match.end()) or value == line.written[match.end() :][:1]
        found.append(_found(line, value, match.start(), match.end(), 0.85 if ends else 0.5))
    for spelled, surname in rules.spelled_surnames.items():
        at = line.written.find(spelled)
        if at >= 0:
            found.append(_found(line, surname, at, at + len(spelled), 0.9))
    return found


def _named(line: Line, rules: Rules) -> list[Found[str]]:
    pattern = (
        r"(?:我叫|我的名字[是叫]|姓名[是:：]?|联系人[是:：]?)"
        rf"(?P<name>{rules.surname_pattern}[一-龥]{{1,2}}?)(?=[,，。;；\s\d]|电话|手机|$|住|在)"
    )
    return [
        _found(line, match["name"], match.start(), match.end(), 0.85)
        for match in re.finditer(pattern, line.written)
        if not re.search(f"(?:{_TITLES})$", match["name"])
    ]


def _by_agent(lines: tuple[Line, ...], rules: Rules) -> list[Found[str]]:
    """王女士,您好: how the agent addresses the resident, unless the resident says otherwise."""
    found = []
    pattern = f"(?P<name>(?:{rules.surname_pattern})(?:{'|'.join(_PLAIN_TITLES)}))"
    for line in lines:
        if not line.by_agent or answer_to(lines, line.index, within=1) is False:
            continue
        for match in re.finditer(pattern, line.written):
            before = line.written[max(0, match.start() - 6) : match.start()]
            if not re.search(r"(?:我是|我姓|我叫|同事|师傅|客服|工程)[一-龥]{0,2}$", before):
                found.append(_found(line, match["name"], match.start(), match.end(), 0.8))
    return found
