"""Addresses as they stand in a line: 5511弄，236号，502 or 3栋2单元501, and not 18栋966户 or 监控室2号."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from callcenter.domain.understanding.register import canonical_phase
from callcenter.domain.understanding.text import Line

SLOTS = ("estate", "phase", "lane", "building", "unit", "floor", "room")

_NUMBERED_THING = (
    r"线|门(?!口|牌|面|铃)|电梯|车|表|柜|机|桌|厅|码|召|称|房|室|泵|井|梯|岗|窗|桩|箱|楼|栋"
    r"|[上下]午|早|晚|到期|之前|以前|之后|以后"
)
_NOT_A_ROOM_AFTER = (
    r"(?:(?=1[3-9]\d{9}(?!\d))|(?!\d))"
    r"(?!户(?!主)|多?余|多[个户万]|m|M|㎡|平(?!时|台)|年(?![久轻老])|月|日(?![光常])|天(?![津花台然])|层|楼(?![下上顶道梯板管])|万(?![科达])|元|块"
    r"|个|来[个户]|几[户个人]|吨|毫[米升]|厘米|公[里斤分升顷]|斤|米|度|次(?!卧)|人(?!家)|名(?!字)|位(?!置)|车位|辆|盏|只(?![要有能是])|套(?!房)"
    r"|台(?![盆面上灯风])|部(?!分)|条|页|伏|瓦|兆|%|点(?![不火])|分(?!配)|小时|[kKwWvVgG]|[.．]\d+(?:平|m|米|元|万|块|吨)|栋|幢|座|弄|单元|期"
    r"|号(?:" + _NUMBERED_THING + r")|户型|型)"
)
_TOKEN = re.compile(
    r"(?P<dashed>(?<![\dA-Za-z.—–-])(?P<d1>\d{1,2})(?:栋|幢|号楼|号)?[-－—–杠](?:(?P<d2>\d{1,2})(?:单元)?[-－—–杠])?(?P<d3>\d{3,4})(?![\d—–-]))"
    r"|(?P<phase>(?<![\d.])(?:\d{1,2}(?:\.\d)?|[一二三四五六七八九十]{1,2})期(?![间限待望刊货房]))"
    r"|(?P<lane>(?<!\d)\d{1,5})弄(?!堂|[好错坏脏])"
    r"|第?(?P<building>附?[A-Za-z]?(?<!\d)\d{1,4}[A-Za-z]?|(?<![A-Za-z])[A-Za-z])(?:号楼|号栋|号座|栋楼?|幢楼?|座|[#＃]楼?)(?![谈位机])"
    r"|(?P<unit>(?<!\d)\d{1,2}|[甲乙丙丁东西]|(?<![A-Za-z])[A-Za-z])单元(?![楼栋]房)"
    r"|(?P<floor>(?:负|地下)?(?<!\d)\d{1,2})(?:楼(?!栋)|层)"
    r"|(?P<numbered>附?[A-Za-z]?(?<![\d.])\d{1,5})号(?!" + _NUMBERED_THING + r")"
    r"|(?P<room>(?<![\d.A-Za-z/:：-])\d{3,4}[A-Fa-f]?)(?P<suffix>号?房间?|号?室|号(?!"
    + _NUMBERED_THING
    + r"))?"
    + _NOT_A_ROOM_AFTER
    + r"|(?P<short_room>(?<!\d)\d{1,2})(?:号房|室(?!内|外|友|[一二两三]厅)|房(?!屋|产|子|东|租|价|间))"
    r"|(?P<long_room>(?<!\d)\d{5})(?:号?房|号?室)"
)
_GAP = re.compile(r"[,，、。.\s]{0,2}(?:(?:呃|嗯|那个|啊|呀|的|是|就是|额|顶楼|顶层|业主|住户)[,，、\s]{0,2}){0,3}$")
_SPOT_BEFORE = re.compile(r"[室房机库岗亭泵梯闸柜箱井池灯桩表位门站]$")
_DATE_BEFORE = re.compile(r"(?:月|月份|本月|上个?月|这个?月|下个?月|今天|明天|昨天|每个?月|[从到至])$")
_ROAD_BEFORE = re.compile(r"(?:路|街|大道|巷|公路|村|新村|小区|花园|公寓|[苑园城府庭湾郡邸墅坊里居])$")
_AT_DOOR = re.compile(r"(?:门口|大门|楼道|单元门|楼下|楼上|楼顶|门铃|业主|住户|的|电梯|门禁|[,，、。]|$)")
_COUNT_BEFORE = re.compile(r"(?:[共有由各每几多这那整]|单独的|为|是|哪)$")
_COUNTED_BEFORE = re.compile(r"(?:一共|总共|共有?|都?有|[一]?共计|高|报?建了?|每隔?)$")
_ONE_BUILDING_BEFORE = re.compile(r"(?:单独的|[这那整有为]|单元)$")
"""一栋 counts a building here: 我们单元一栋四十八户."""
_STOREYS_AFTER = re.compile(
    r"(?:高?层|楼房|住宅|别墅|多|余|来户|\d+[层户]|大楼|楼里|房子)|的?(?:住宅|商务|写字楼|小高层|电梯房|楼房|高)"
)
_CORRECTED_BARE = re.compile(r"(?:(?:不是|不对)[,，]|不是|不对|错了?|应该是|而是|[,，]是|哦是|改成|是)$")
_LIVES_BEFORE = re.compile(r"(?:我们?家?[住驻注著]在?|我家是|房号是?|门牌号?是?|房间号?是?|我们?住的?是)$")
_BREATH = re.compile(r"[一-龥]?")
_BEARS_ROOM = ("building", "unit", "floor", "lane")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """One address in a line. `parts` maps slot to value; `sure` is how plainly it was said (0..1)."""

    line: Line
    start: int
    end: int
    parts: dict[str, str]
    sure: float

    def get(self, slot: str) -> str | None:
        return self.parts.get(slot)


@dataclass(kw_only=True, slots=True)
class _Token:
    kind: str
    values: dict[str, str]
    start: int
    end: int


def mentions_in(line: Line, *, room_expected: bool = False) -> tuple[Mention, ...]:
    """The addresses of a line. `room_expected`: the agent has just asked, so that a bare number is a room."""
    text = line.written
    found: list[Mention] = []
    group: list[_Token] = []
    for token in _tokens(text):
        if group and not _continues(text, group, token):
            found += _mention(line, group, room_expected=room_expected)
            group = []
        group.append(token)
    found += _mention(line, group, room_expected=room_expected)
    return _without_stumbles(found, text)


def _without_stumbles(found: list[Mention], text: str) -> tuple[Mention, ...]:
    """28栋是2号楼601: of two buildings in one breath one is misheard, and nobody can tell which; the room stands."""
    stumbled = {
        at
        for at, (before, mention) in enumerate(pairwise(found))
        if None not in (buildings := {before.get("building"), mention.get("building")}) and len(buildings) == 2
        if _BREATH.fullmatch(text[before.end : mention.start]) and not _ROAD_BEFORE.search(text[: before.start])
    }
    doubted = stumbled | {at + 1 for at in stumbled}
    kept = (_without_building(mention) if at in doubted else mention for at, mention in enumerate(found))
    return tuple(mention for mention in kept if mention.parts)


def _without_building(mention: Mention) -> Mention:
    return replace(mention, parts={slot: value for slot, value in mention.parts.items() if slot != "building"})


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        kind = "dashed" if match["dashed"] else "room" if match["room"] else kind
        yield _Token(kind=kind, values=_values(match, kind), start=match.start(), end=match.end())


def _values(match: re.Match[str], kind: str) -> dict[str, str]:
    if kind == "dashed":
        return _present(building=match["d1"], unit=match["d2"], room=match["d3"])
    if kind == "phase":
        return {"phase": canonical_phase(match["phase"])}
    if kind in ("short_room", "long_room"):
        return {"room": match[kind]}
    if kind == "room":
        return _present(room=match["room"].upper(), suffix=match["suffix"])
    return {kind: match[kind].upper()}


def _present(**values: str | None) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


_ORDER = {
    "phase": 0,
    "lane": 1,
    "numbered": 2,
    "building": 2,
    "dashed": 2,
    "unit": 3,
    "floor": 4,
    "room": 5,
    "short_room": 5,
    "long_room": 5,
}


def _continues(text: str, group: list[_Token], token: _Token) -> bool:
    last = group[-1]
    between = text[last.end : token.start]
    rises = _ORDER[token.kind] > _ORDER[last.kind] or _is_numbered_room(group, token)
    return rises and last.kind != "dashed" and _GAP.match(between) is not None


def _is_numbered_room(group: list[_Token], token: _Token) -> bool:
    """62栋338号: the number after a building is a room."""
    borne = any(part.kind in ("building", "unit", "floor") for part in group)
    return token.kind == "numbered" and borne and len(token.values["numbered"]) in (3, 4)


def _mention(line: Line, group: list[_Token], *, room_expected: bool) -> list[Mention]:
    parts: dict[str, str] = {}
    sure = 0.9
    for at, token in enumerate(group):
        following = group[at + 1 :]
        added, token_sure = _parts_of(line.written, token, parts, following, room_expected=room_expected)
        parts |= added
        sure = min(sure, token_sure) if added else sure
    if not parts:
        return []
    return [Mention(line=line, start=group[0].start, end=group[-1].end, parts=parts, sure=sure)]


def _parts_of(
    text: str, token: _Token, parts: dict[str, str], following: list[_Token], *, room_expected: bool
) -> tuple[dict[str, str], float]:
    before, after = text[max(0, token.start - 6) : token.start], text[token.end : token.end + 6]
    if token.kind == "numbered":
        return _numbered(token.values["numbered"], before, after, parts, following)
    if token.kind == "room":
        return _room(token, before, parts, room_expected=room_expected)
    if token.kind in ("short_room", "long_room"):
        borne = any(slot in parts for slot in _BEARS_ROOM)
        return ({"room": token.values["room"]}, 0.85) if borne else ({}, 0.0)
    if token.kind == "building" and not following and _COUNT_BEFORE.search(before) and _STOREYS_AFTER.match(after):
        return {}, 0.0
    if token.kind == "building" and not following and _COUNTED_BEFORE.search(before):
        return {}, 0.0
    if token.kind == "building" and token.values["building"] == "1" and _ONE_BUILDING_BEFORE.search(before):
        return {}, 0.0
    if token.kind == "floor" and (_STOREYS_AFTER.match(after) or _COUNTED_BEFORE.search(before)):
        return {}, 0.0
    return dict(token.values), 0.9


def _room(token: _Token, before: str, parts: dict[str, str], *, room_expected: bool) -> tuple[dict[str, str], float]:
    room = {"room": token.values["room"]}
    if any(slot in parts for slot in _BEARS_ROOM):
        return room, 0.9
    suffix = token.values.get("suffix", "")
    if suffix.endswith(("室", "房", "房间")) and not _SPOT_BEFORE.search(before):
        return room, 0.8
    if suffix in ("", "号") and room_expected:
        return room, 0.8
    if suffix in ("", "号") and _LIVES_BEFORE.search(before):
        return room, 0.7
    if suffix == "" and _CORRECTED_BARE.search(before):
        return room, 0.65
    return {}, 0.0


def _numbered(
    number: str, before: str, after: str, parts: dict[str, str], following: list[_Token]
) -> tuple[dict[str, str], float]:
    """17号: a building, a room behind a building, a date, or a machine's number."""
    if "building" in parts or "unit" in parts or "floor" in parts:
        return ({"room": number}, 0.85) if len(number) in (3, 4) else ({}, 0.0)
    if any(token.kind in ("building", "dashed") for token in following):
        return {}, 0.0
    building = {"building": number}
    if "lane" in parts or "phase" in parts:
        return building, 0.9
    if _SPOT_BEFORE.search(before) or _DATE_BEFORE.search(before):
        return {}, 0.0
    if _ROAD_BEFORE.search(before):
        return building, 0.85
    if len(number) > 3:
        return building, 0.3
    if any(token.kind in ("room", "unit", "floor", "short_room") for token in following):
        return building, 0.85
    at_start = not re.search(r"\w$", before) or bool(re.search(r"(?:住|在|是|我们?|这里|这边)$", before))
    return (building, 0.65) if at_start and _AT_DOOR.match(after) else ({}, 0.0)
