"""The estate's name (小区): from the register where there is one, else by how names of estates end."""

import re

from callcenter.domain.tickets import Evidence, Found
from callcenter.domain.understanding.homophones import places_sounding_like
from callcenter.domain.understanding.place_mentions import Mention
from callcenter.domain.understanding.register import EstateRegister
from callcenter.domain.understanding.text import Line

_ENDINGS = (
    "小区|花园|新村|公寓|家园|嘉园|雅苑|名苑|景苑|佳苑|新苑|花苑|庭苑|庭院|大院|新城|名城|豪庭|华庭|华府|山庄|广场|大厦"
    "|国际城|国际|公馆|公园|名邸|云邸|半岛|水岸|印象|世纪城|金城|新家|别墅|都市|城邦|花都|名都|城市|[东西南北]?[一二三四五]村|中心|嘉苑|翠园|星城|豪园|雅园|御园|壹号|里弄"
)
_LEAD = (
    r"(?:^|[,，。！!？?；;：:、\s]|我们?是|我们?住在?|我们?家?在|我们|住在?|这里是|这边是|位于|您好|你好|业主|地址是?|小区是?"
    r"|在|到|是|[县区市镇]|街道|路|\d)"
)
_NAMED = re.compile(
    _LEAD + r"(?P<name>[一-龥A-Z]{1,8}?(?:" + _ENDINGS + r")(?:小区)?(?:[一-龥]{1,3}店)?)(?![一-龥]?路)"
)
_SHORT_NAMED = re.compile(
    _LEAD + r"(?P<name>[一-龥]{1,5}[苑园城府庭湾郡邸墅轩阁居坊])"
    r"(?=\d+(?:栋|号|幢|座|期|弄)|[一二三四五六]期|的?(?:业主|住户|租户))"
)
_ENDING = re.compile(rf"(?:{_ENDINGS})(?:小区)?$")
_STRIPPED = re.compile(
    r"^(?:喂|你好|您好|我们?是|我们?住在?|我们?家?在|我们?|住在?|这里是|这边是|位于|业主|地址是?|小区是?|包括|在|是"
    r"|[A-Z]?\d*[市县区镇]|[一-龥]{2,3}(?:街道|社区|区|镇)(?=[一-龥]{3}))+"
)
_GENERIC = re.compile(
    r"^(?:[本我你他这那该全整各哪几个们的咱两]|住宅|所在|物业|小区|公园|广场|中心|业主|希望|现在|目前|请问|服务|客服|整个|什么"
    r"|隔壁|附近|旁边|周边|其他|老|新小区|居民|投诉|反映)|物业|客服|服务"
)
_ROAD = re.compile("[东南西北中一二三四]?(?:路|街|大道|巷)")
_BEFORE_ADDRESS = re.compile(
    r"(?:^|[,，。；;：:、\s]|我们?是|我们?住在?|住在?|这里是|这边是|您好|你好|地址是?|报修)(?P<name>[一-龥]{2,6})$"
)
_NOT_A_NAME = re.compile(
    r"[我你您他她它们的了在有个这那哪来没要请吗吧呢啊呃嗯就也都和跟给到说去从把被让叫问打不对是住报修维错喂号楼栋层室户房家电话手机地址单元"
    r"业主师傅女士先生门厅路街道巷月期年点分]|大概|应该|可能|麻烦|漏水|占用|车辆|外面|里面|进入|上海市|附近|对面|隔壁"
)


def estate_in(line: Line, mentions: tuple[Mention, ...], register: EstateRegister | None) -> Found[str] | None:
    """The estate that a line names."""
    return _known(line, mentions, register) or _named(line) or _before_address(line, mentions)


def _found(line: Line, name: str, start: int, confidence: float) -> Found[str]:
    evidence: Evidence = line.evidence(start, start + len(name))
    return Found(value=name, confidence=confidence, evidence=(evidence,))


def _known(line: Line, mentions: tuple[Mention, ...], register: EstateRegister | None) -> Found[str] | None:
    if register is None:
        return None
    for name in register.estates:
        start = line.raw.find(name)
        if start >= 0:
            return Found(value=name, confidence=0.95, evidence=(line.evidence_of_raw(start, start + len(name)),))
    return (
        _known_by_short_name(line, register)
        or _known_by_sound(line, register)
        or _short_name_by_sound(line, mentions, register)
        or _in_other_readings(line, register)
    )


def _in_other_readings(line: Line, register: EstateRegister) -> Found[str] | None:
    """The one estate that other readings of the recogniser name."""
    named = {name for name in register.estates for text in line.alternatives if name in text}
    return Found(value=named.pop(), confidence=0.7, evidence=(line.whole(),)) if len(named) == 1 else None


def _known_by_sound(line: Line, register: EstateRegister) -> Found[str] | None:
    """The recogniser's homophones: 风华景苑 is the register's 枫桦景苑, if only one estate sounds so."""
    heard = [
        (name, spans[0])
        for name in register.estates
        if len(name) >= 3 and (spans := places_sounding_like(line.raw, name))
    ]
    return _only(line, heard, 0.75)


def _only(line: Line, heard: list[tuple[str, tuple[int, int]]], confidence: float) -> Found[str] | None:
    """The one estate that was heard; a longer name hides a shorter one within it."""
    if len({name for name, _ in heard}) != 1:
        return None
    name, (start, end) = heard[0]
    return Found(value=name, confidence=confidence, evidence=(line.evidence_of_raw(start, end),))


def _known_by_short_name(line: Line, register: EstateRegister) -> Found[str] | None:
    """枫桦二期 is 枫桦景苑's second phase, if only one estate is called so; 枫桦路 is a road."""
    fitting = [
        (name, (start, start + len(short)))
        for name, short in _short_names(register)
        if (start := line.raw.find(short)) >= 0 and not _ROAD.match(line.raw, start + len(short))
    ]
    return _only(line, fitting, 0.8)


def _short_names(register: EstateRegister) -> list[tuple[str, str]]:
    pairs = ((name, _ENDING.sub("", name)) for name in register.estates)
    return [(name, short) for name, short in pairs if len(short) >= 2 and short != name]


def _short_name_by_sound(line: Line, mentions: tuple[Mention, ...], register: EstateRegister) -> Found[str] | None:
    """风华二期: a short name by its sound, only where an address goes on right behind it."""
    begins = {line.origin[mention.start] for mention in mentions}
    heard = [
        (name, (start, end))
        for name, short in _short_names(register)
        for start, end in places_sounding_like(line.raw, short)
        if end in begins or line.raw[end : end + 2] == "小区"
    ]
    return _only(line, heard, 0.7)


def _named(line: Line) -> Found[str] | None:
    for match in (*_NAMED.finditer(line.written), *_SHORT_NAMED.finditer(line.written)):
        name = _STRIPPED.sub("", match["name"])
        if len(name) >= 3 and not _GENERIC.search(name) and not _NOT_A_NAME.search(name[:-2]):
            return _found(line, name, match.end("name") - len(name), 0.7 if not line.by_agent else 0.6)
    return None


def _before_address(line: Line, mentions: tuple[Mention, ...]) -> Found[str] | None:
    """枫桦一期17号: the words that begin a typed line right before its address; too weak for recognised speech."""
    if not mentions or line.has_words:
        return None
    match = _BEFORE_ADDRESS.search(line.written[: mentions[0].start][-12:])
    if match is None or _NOT_A_NAME.search(match["name"]):
        return None
    return _found(line, match["name"], mentions[0].start - len(match["name"]), 0.6)
