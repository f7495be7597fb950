"""Whether we may call: a resident who wants no more calls, and the leave that an agent asked for."""

import re

from callcenter.domain.phone_numbers import dialable
from callcenter.domain.tickets import Consent, DoNotCall, Found
from callcenter.domain.understanding.phones import valid_number
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.turns import answer_to

_NO = (
    r"(?:(?:(?<![特分区级性告类个差识])别(?![的人处墅致名扭])|(?<!要)不要|不许|不准|甭|莫|请勿|勿)(?!忘|光|只|净|不|等|挂|错|让我|叫我|是|以为|怪|说|管|超|急)"
    r"|(?:不想|不愿意?|不希望)(?:再)?(?:接|收|被|你们)|不接受|(?<![你他]们)(?<!物业)(?<!客服)(?<!一直)(?:拒绝|停止|禁止)|少(?=打|来))"
)
_CALL = (
    r"(?:打(?:给我|过来|进来|来)?[^，。,]{0,6}(?:电话|手机|号码?)|(?:打|来|拨)电话|来电|拨打?(?:我|这个)|致电|打给我|打我"
    r"|电话(?:打扰|骚扰|联系|回访|推销)|骚扰|回访|联系我|打扰我|推销|(?:打|拨)[^，。,\d]{0,4}\d{7,12}(?!\d))"
)
_UNWANTED = re.compile(rf"{_NO}[^，。,]{{0,8}}?{_CALL}")
_ERASED = re.compile(
    r"(?:把|将)?我[^，。,]{0,6}(?:号码?|电话|手机)[^，。,]{0,6}(?:删|拉黑|移(?:除|出)|去掉|注销)|(?:退订|拉(?:进|入|到)?黑名单)"
    r"|(?:删|移除|去掉)[^，。,]{0,4}我[^，。,]{0,4}(?:号码?|电话)"
)
_NO_LONGER = re.compile(rf"(?:以后|今后|往后)[^，。,]{{0,6}}(?:不用|不必|不需要|无需)[^，。,]{{0,6}}{_CALL}")
_WAIVED = re.compile(rf"(?:不用|不必|无需|用不着|不需要)(?:再)?[^，。,]{{0,6}}{_CALL}")
_FOR_GOOD = re.compile(
    r"以后|今后|往后|再|老是|总是|(?:老|总)(?=给|打|来|跟|往)|一直|永远|任何|天天|成天|骚扰|推销|一律"
)
_ONLY_THEN = re.compile(
    r"晚上|中午|早上|上午|下午|半夜|夜里|凌晨|周末|上班|睡觉|休息|开会|孩子睡|午睡|\d点|这个点|这时候|今天|明天|(?:之|以)前"
    r"|没[^，。,]{0,6}(?:就|前)|(?:修|处理|解决)(?:好|完)"
)
_STOP_IT = re.compile(r"(?<![特分])(?:别|不要)(?:再|老)?(?:打|拨)(?:过来|来)?了?(?:啊|吧|好吗)?$")
_OTHERS = re.compile(
    r"(?:让|叫|请|管)(?:他|她|他们|她们|楼上|邻居|隔壁)|(?:邻居|楼上|隔壁|保安|孩子)[^，。,]{0,4}(?:别|不要)|打(?:牌|麻将|球|架|人|孩子|扰邻)"
)
_ABOUT_CALLS = re.compile(r"电话|手机|号码|来电|骚扰|回访|推销|联系|黑名单|退订|打给我|打我|\d{7,12}")
_UNWANTED_NUMBER = re.compile(
    rf"{_NO}(?:再)?[^，。,\d打]{{0,4}}(?:打|拨)[^，。,\d打]{{0,6}}(?P<number>\d{{7,12}})(?!\d)"
)
_ELSEWHERE = re.compile(
    r"打(?:我)?(?:老公|老婆|爱人|先生|太太|妈|爸|儿子|女儿|家里|座机|固话|另|那个|下面|单位|公司)|(?:改|换)(?:成|到|打|个)"
)
_CLAUSE = re.compile(r"[^，。,；;！!？?]+")
_ASKS_LEAVE = re.compile(
    r"(?:可以|方便|能|能否|是否|同不同意|同意|愿意|介意)[^，。？?]{0,14}(?:回访|短信|祝福|打(?:个)?电话|电话联系|微信|推送|录音|登记|公开|转给|提供给)[^，。]{0,10}(?:吗|吧|么|？|\?|可以$|方便$|同意$)"
)


def find_do_not_call(lines: tuple[Line, ...]) -> Found[DoNotCall] | None:
    """The surest wording; a wish for one time of day or about this one call only is no request for good."""
    found = [one for line in lines if not line.by_agent for one in _unwanted(line)]
    return max(found, key=lambda one: one.confidence, default=None)


def _unwanted(line: Line) -> list[Found[DoNotCall]]:
    found = []
    for clause in _CLAUSE.finditer(line.written):
        sure = _sureness(clause.group()) or _short_sureness(clause.group(), line)
        if sure:
            evidence = line.evidence(clause.start(), clause.end())
            number = _UNWANTED_NUMBER.search(clause.group())
            named = dialable(valid_number(number["number"])) if number else None
            found.append(Found(value=DoNotCall(number=named), confidence=sure, evidence=(evidence,)))
    return found


def _sureness(words: str) -> float:
    if _OTHERS.search(words) or not _ABOUT_CALLS.search(words):
        return 0.0
    if _ERASED.search(words):
        return 0.85
    if _ONLY_THEN.search(words):
        return 0.0
    if _NO_LONGER.search(words):
        return 0.8
    if _ELSEWHERE.search(words):
        return 0.4
    if _UNWANTED.search(words) and not _is_reproach(words):
        return 0.9 if _FOR_GOOD.search(words) else 0.65
    return 0.4 if _WAIVED.search(words) and "再" in words else 0.0


def _short_sureness(words: str, line: Line) -> float:
    """别再打了: about calls only where the rest of the line is."""
    is_meant = _STOP_IT.search(words) is not None and re.search(r"电话|骚扰|推销|回访", line.written) is not None
    return 0.65 if is_meant and not _OTHERS.search(words) and not _ONLY_THEN.search(words) else 0.0


def _is_reproach(words: str) -> bool:
    """你们不要不接电话, 别光打电话不办事: about how we answer, not about calling."""
    return (
        re.search(r"不接(?!受)|接(?:我|业主)的?电话|(?:光|只|净)(?:打|会|说)|打不通|挂(?:我|断)?(?:的)?电话", words)
        is not None
    )


def find_consents(lines: tuple[Line, ...]) -> tuple[Found[Consent], ...]:
    """Leave that the agent asked for and the resident gave or refused; a question without an answer says nothing."""
    found = []
    for line in lines:
        match = _ASKS_LEAVE.search(line.written) if line.by_agent else None
        answer = answer_to(lines, line.index, within=1) if match is not None else None
        if match is None or answer is None:
            continue
        reply = lines[line.index + 1].whole()
        consent = Consent(asked=match.group(), given=answer)
        found.append(
            Found(value=consent, confidence=0.8, evidence=(line.evidence(*match.span()), reply), read_back=True)
        )
    return tuple(found)
