"""The call-back number: what was spoken wins over the caller ID; a number of a wrong length is no number."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from callcenter.domain.tickets import Evidence, Found
from callcenter.domain.transcript import Side
from callcenter.domain.understanding.homophones import places_sounding_like
from callcenter.domain.understanding.text import Line, line_of
from callcenter.domain.understanding.turns import answer_to, is_denied_at, phone_was_asked

_DIGITS = re.compile(r"(?<![\dA-Za-z.])(?P<plus>\+)?\d(?:[\d]|[-－—–()（）\s,，、。.](?=\d)){2,40}(?![\dA-Za-z%％])")
_EXTENSION = re.compile(r"[,，\s]{0,2}(?:转|分机号?(?:是)?|转接)[,，\s]{0,2}(?P<extension>\d{1,6})(?!\d)")
_MOBILE = re.compile(r"(?:\+?86|0086|0)?(?P<number>1[3-9]\d{9})")
_LONG_DISTANCE = re.compile(r"(?:(?:\+?86|0086)?0?)(?P<area>10|2\d|[3-9]\d{2})(?P<number>[2-9]\d{6,7})")
_FREE = re.compile(r"[48]00\d{7}")
_CUE = re.compile(r"电话|手机|座机|号码|固话|打我|打给我|拨我|联系方式|回电|回我|联系我|短号|内线|打这个|联系人")
_CUE_BEHIND = re.compile(r"[,，]?这个?(?:电话|号码|手机|座机|号)|[,，]?是我(?:家|的)?(?:电话|号码|手机|座机)")
_LANDLINE_CUES = ("座机", "固话")
_SHORT_CUE = re.compile(r"(?:短号|内线|小号|分机)(?:号码)?[是为:：]?$")
_NOT_A_PHONE = re.compile(
    r"(?:身份证|户号|表号|卡号|工单号?|单号|编号|订单|账号|合同号?|证号|工号|尾号|车牌号?|验证码|密码)[码是为:：,，的]{0,4}$"
)
_DIALLED = re.compile(r"(?:打了|打过|拨打|拨了|打给?你们?|打的|你们的?(?:电话|号码)是?)[^,，。]{0,4}$")
_HOME_NUMBER_BEFORE = re.compile(r"(?:栋|幢|单元|楼|号|座|弄)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spoken:
    """A valid number in a line."""

    number: str
    line: Line
    start: int
    end: int
    sure: float


def find_phone(lines: tuple[Line, ...], *, caller_number: str | None, area_code: str | None) -> Found[str] | None:
    """The number to call back on that was said on the call; None where none was (the caller ID is kept elsewhere)."""
    spoken = [one for line in lines for one in _spoken_in(lines, line, area_code)]
    found = _chosen(spoken, lines)
    if found is None:
        found = _joined(lines, area_code) or _repaired(lines, caller_number, area_code)
    return found


def valid_number(digits: str, *, area_code: str | None = None, extension: str = "") -> str | None:
    """The number as one dials it inside mainland China, or None: mobiles, landlines, 400/800."""
    bare = re.sub(r"[^\d+]", "", digits)
    if (mobile := _MOBILE.fullmatch(bare)) is not None:
        return mobile["number"]
    tail = f"转{extension}" if extension else ""
    if _FREE.fullmatch(bare):
        return bare + tail
    if bare.startswith(("0", "+86")) and (line := _LONG_DISTANCE.fullmatch(bare)) is not None:
        return f"0{line['area']}{line['number']}{tail}" if _fits_area(line["area"], line["number"]) else None
    if re.fullmatch(r"[2-9]\d{6,7}", bare):
        return _local(bare, area_code, tail)
    return None


def _local(number: str, area_code: str | None, tail: str) -> str | None:
    if not area_code:
        return number + tail
    area = area_code.lstrip("0")
    return f"0{area}{number}{tail}" if _fits_area(area, number) else None


def _fits_area(area: str, number: str) -> bool:
    """010 and 02x have 8 digits; other areas 7 or 8."""
    return len(number) == 8 or (len(number) == 7 and len(area) == 3)


def _spoken_in(lines: tuple[Line, ...], line: Line, area_code: str | None) -> list[_Spoken]:
    asked = not line.by_agent and phone_was_asked(lines, line.index)
    return [
        one
        for match in _DIGITS.finditer(line.written)
        if (one := _spoken(line, match, asked=asked, area_code=area_code)) is not None
    ]


def _spoken(line: Line, match: re.Match[str], *, asked: bool, area_code: str | None) -> _Spoken | None:
    text = line.written
    before = text[max(0, match.start() - 12) : match.start()]
    if _NOT_A_PHONE.search(before):
        return None
    extension = _EXTENSION.match(text, match.end())
    cued = asked or _CUE.search(before) is not None or _CUE_BEHIND.match(text, match.end()) is not None
    digits = re.sub(r"[^\d+]", "", match.group())
    number = _number_of(
        digits, before, cued=cued, area_code=area_code, extension=extension["extension"] if extension else ""
    )
    if number is None:
        return None
    is_mobile = len(number) == 11 and number[0] == "1"
    if not is_mobile and (not cued or _DIALLED.search(before)):
        return None
    end = extension.end() if extension and "转" in number else match.end()
    return _Spoken(number=number, line=line, start=match.start(), end=end, sure=0.9 if is_mobile or cued else 0.7)


def _number_of(digits: str, before: str, *, cued: bool, area_code: str | None, extension: str) -> str | None:
    if _SHORT_CUE.search(before) and 3 <= len(digits) <= 6:
        return digits
    number = valid_number(digits, area_code=area_code, extension=extension)
    if number is None and _HOME_NUMBER_BEFORE.search(before) and len(digits) in (14, 15):
        return valid_number(digits[-11:])
    return number


def _chosen(spoken: list[_Spoken], lines: tuple[Line, ...]) -> Found[str] | None:
    """The resident's last valid number; the agent's only if it was read back and not denied."""
    own = [one for one in spoken if not one.line.by_agent and not is_denied_at(one.line.written, one.start)]
    denied = {one.number for one in spoken if not one.line.by_agent and is_denied_at(one.line.written, one.start)}
    echoes = [one for one in spoken if one.line.by_agent and answer_to(lines, one.line.index) is not False]
    own = [one for one in own if one.number not in denied]
    if not own:
        return _from_agent([one for one in echoes if answer_to(lines, one.line.index)])
    best = _of_resident(own)
    return _against_echoes(best, echoes, lines)


def _of_resident(own: list[_Spoken]) -> _Spoken:
    """The last number, unless an earlier one is a mobile and the last a landline."""
    mobiles = [one for one in own if len(one.number) == 11 and one.number[0] == "1"]
    return (mobiles or own)[-1]


def _from_agent(echoes: list[_Spoken]) -> Found[str] | None:
    return _found(echoes[-1], sure=0.85, read_back=True) if echoes else None


def _against_echoes(best: _Spoken, echoes: list[_Spoken], lines: tuple[Line, ...]) -> Found[str]:
    later = [one for one in echoes if one.line.index > best.line.index]
    same = [one for one in later if one.number == best.number]
    if same:
        return _found(best, sure=0.98, read_back=answer_to(lines, same[-1].line.index) is True)
    nearly = [one for one in later if _differs_little(one.number, best.number)]
    if nearly:
        agreed = _agreed_reading(best, nearly[-1])
        return agreed or _found(best, sure=0.5, read_back=False)
    return _found(best, sure=best.sure, read_back=False)


def _differs_little(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= 3


def _agreed_reading(resident: _Spoken, agent: _Spoken) -> Found[str] | None:
    """The two sides were recognised differently: the number that both have among their other readings."""
    both = (_readings(resident.line) | {resident.number}) & (_readings(agent.line) | {agent.number})
    if len(both) != 1:
        return None
    return _found(replace(resident, number=both.pop()), sure=0.85, read_back=True)


def _readings(line: Line) -> set[str]:
    return {number for text in line.alternatives for number in _mobiles_in(text)}


def _mobiles_in(text: str) -> Iterable[str]:
    for match in _DIGITS.finditer(line_of(text).written):
        number = valid_number(match.group())
        if number and len(number) == 11 and number[0] == "1":
            yield number


def _extended_in(text: str, area_code: str | None) -> Iterable[str]:
    """Landlines with an extension: the words behind them say that they are numbers."""
    written = line_of(text).written
    for match in _DIGITS.finditer(written):
        extension = _EXTENSION.match(written, match.end())
        if extension is not None and (
            number := valid_number(match.group(), area_code=area_code, extension=extension["extension"])
        ):
            yield number


def _landlines_in(text: str, area_code: str | None) -> Iterable[str]:
    """Landlines behind words that say so, if only by their sound (做机 is 座机)."""
    line = line_of(text)
    for match in _DIGITS.finditer(line.written):
        before = line.written[max(0, match.start() - 4) : match.start()]
        if any(places_sounding_like(before, cue) for cue in _LANDLINE_CUES) and (
            number := valid_number(match.group(), area_code=area_code)
        ):
            yield number


def _found(one: _Spoken, *, sure: float, read_back: bool) -> Found[str]:
    evidence = (one.line.evidence(one.start, one.end),)
    return Found(value=one.number, confidence=sure, evidence=evidence, read_back=read_back)


_FILLERS = re.compile(r"[嗯呃哦啊是对的那个就,，。、\s电话手机号码我]|一八[零幺]")


def _joined(lines: tuple[Line, ...], area_code: str | None) -> Found[str] | None:
    """A number said in pieces, line by line, the agent's 嗯 between them."""
    own = [line for line in lines if line.side is not Side.AGENT]
    for first in range(len(own)):
        digits = ""
        for last in range(first, min(first + 5, len(own))):
            piece = _FILLERS.sub("", own[last].written)
            if not piece.isascii() or not piece.isdigit() or len(piece) > 10:
                break
            digits += piece
            number = valid_number(digits, area_code=area_code) if last > first else None
            if number is not None and len(number) == 11:
                evidence: tuple[Evidence, ...] = tuple(line.whole() for line in own[first : last + 1])
                return Found(value=number, confidence=0.75, evidence=evidence)
    return None


def _repaired(lines: tuple[Line, ...], caller_number: str | None, area_code: str | None) -> Found[str] | None:
    """The first reading gave a number of a wrong length: the best other reading that is a whole one.

    A mobile, or a landline with its extension.
    """
    caller = valid_number(caller_number or "", area_code=area_code)
    for line in lines:
        match = re.search(r"(?<!\d)\d{7,14}(?!\d)", line.written)
        if line.by_agent or match is None or _NOT_A_PHONE.search(line.written[: match.start()][-12:]):
            continue
        readings = [number for text in line.alternatives for number in _mobiles_in(text)]
        readings = readings or [number for text in line.alternatives for number in _extended_in(text, area_code)]
        readings = readings or [number for text in line.alternatives for number in _landlines_in(text, area_code)]
        if readings:
            number = caller if caller in readings else readings[0]
            evidence = (line.evidence(match.start(), match.end()),)
            return Found(value=number, confidence=0.75, evidence=evidence)
    return None
