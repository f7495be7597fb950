"""Spoken Chinese numbers written as figures: 三栋二单元五零幺 is 3栋2单元501, 一百零一号 is 101号."""

import re
from dataclasses import dataclass

_DIGITS = {
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", "0123456789", strict=True)),
    **{"○": "0", "幺": "1", "两": "2"},
}
_RADIO = {**_DIGITS, "洞": "0", "拐": "7", "勾": "9"}
_UNIT_FIGURES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}

_D = "[" + "".join(_DIGITS) + "]"
_NONZERO = "[一二三四五六七八九两壹贰叁肆伍陆柒捌玖]"
_SECTION = (
    f"(?:{_NONZERO}[千仟](?:零?{_NONZERO}[百佰])?(?:零?{_NONZERO}?[十拾])?(?:零?{_NONZERO})?"
    f"|{_NONZERO}[百佰](?:零?{_NONZERO}?[十拾])?(?:零?{_NONZERO})?"
    f"|{_NONZERO}?[十拾]{_NONZERO}?)"
)
_DECIMAL_TAIL = f"(?:点{_D}+(?![十拾百佰千仟]))"
_BIG = re.compile(f"(?P<coefficient>{_SECTION}|{_NONZERO})(?P<decimal>{_DECIMAL_TAIL})?(?P<unit>[万亿兆])")
_SECTION_HERE = re.compile(_SECTION)
_DECIMAL_HERE = re.compile(_DECIMAL_TAIL)
_TAIL_HERE = re.compile(f"零?(?P<section>{_SECTION})|零(?P<ones>{_NONZERO})|(?P<short>{_NONZERO})(?!{_D})")

_RUN = re.compile(f"百分之[{''.join(_DIGITS)}十百点]+|正负(?={_D})|[{''.join(_DIGITS)}十拾百佰千仟万亿兆点]+")
_RADIO_RUN = re.compile("[" + "".join(_RADIO) + "]{7,}")

_MEASURES = (
    "个位名人户家栋幢座楼层号室单房期弄巷组排门梯米度元块毛角分秒天年月日周岁斤两吨尺寸里升瓦倍级种盏扇间套件"
    "台部辆把张条根次遍回趟只口颗棵片平公厘毫小点刻百千万亿盒篇字包箱瓶袋滴桶段处笔遍轮批杠"
)
_AFTER_ONE_STOPS = ("点", "块", "口气", "回事", "家人", "个劲", "条龙", "把手", "分为", "段时间", "门心思", "期间")
_KEPT_AS_WORDS = re.compile(
    "(?<![一二三四五六七八九十百千零幺两点])(?:乱七八糟|七上八下|七嘴八舌|三番五次|三番两次|四面八方|五花八门|三天两头|一五一十|三更半夜|一时半会|三下五除二"
    "|一户一[表码证价]|一而再再而三|一清二楚|一来二去|一模一样|一心一意|不三不四|丢三落四|百分百|十字|十足|十分(?!钟)"
    "|十全十美|千万别|千万不|千万要|万一(?![千百])|万科|四季|四处|四周|五金|二手|二维码|三轮|九龙|七里|百合|千山|万达|万象"
    "|统一|唯一|单一|逐一|之一|同一|五一(?=[放假节长期])|十一(?=[假放长国])|三八妇|三室|两室|一室|两侧|两边|三方|双方|两者|一体)"
    "|[一二三四]厅|[一二两]卫"
)
_WEEKDAY_BEFORE = re.compile(r"(?:周|星期|礼拜)$")
_TIME_BEFORE = re.compile(
    r"(?:上午|下午|早上|早晨|晚上|中午|凌晨|傍晚|夜里|半夜|今晚|明早|明晚|今早|明天|今天|后天|昨天|到|至|[周期]\w)$"
)
_NUMBER_BEFORE = re.compile(r"(?:[栋幢座号楼室房弄期元第区是为叫到按拨打给等于的至或-]|电话|尾号|数字)$")
_POINTING = frozenset("哪每某这那另头")
_APPROXIMATE = frozenset(["一二", "一两", "两三", "三四", "三五", "四五", "五六", "六七", "七八", "八九"])


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberSpan:
    """Where a spoken number stands in the text, and how it is written in figures."""

    start: int
    end: int
    figures: str


def number_spans(text: str) -> tuple[NumberSpan, ...]:
    """All spoken numbers of `text`, left to right; words such as 一直 or 乱七八糟 are left alone."""
    if not _RUN.search(text):
        return ()
    kept = _kept_positions(text)
    spans: list[NumberSpan] = []
    taken = 0
    for match in _radio_runs(text):
        spans.extend(_spans_between(text, taken, match.start(), kept))
        spans.append(NumberSpan(start=match.start(), end=match.end(), figures=_radio_figures(match.group())))
        taken = match.end()
    spans.extend(_spans_between(text, taken, len(text), kept))
    return tuple(spans)


def written(text: str) -> str:
    """`text` with its spoken numbers as figures."""
    parts: list[str] = []
    at = 0
    for span in number_spans(text):
        parts += [text[at : span.start], span.figures]
        at = span.end
    return "".join([*parts, text[at:]])


def _radio_runs(text: str) -> list[re.Match[str]]:
    return [match for match in _RADIO_RUN.finditer(text) if set(match.group()) & {"洞", "拐", "勾"}]


def _radio_figures(run: str) -> str:
    return "".join(_RADIO[letter] for letter in run)


def _kept_positions(text: str) -> frozenset[int]:
    return frozenset(at for match in _KEPT_AS_WORDS.finditer(text) for at in range(match.start(), match.end()))


def _spans_between(text: str, start: int, end: int, kept: frozenset[int]) -> list[NumberSpan]:
    spans: list[NumberSpan] = []
    for match in _RUN.finditer(text, start, end):
        for first, last in _free_parts(match.start(), match.end(), kept):
            spans.extend(_spans_of_run(text, first, last))
    return spans


def _free_parts(start: int, end: int, kept: frozenset[int]) -> list[tuple[int, int]]:
    if not any(at in kept for at in range(start, end)):
        return [(start, end)]
    parts: list[tuple[int, int]] = []
    first = start
    for at in range(start, end + 1):
        if at == end or at in kept:
            if at > first:
                parts.append((first, at))
            first = at + 1
    return parts


def _spans_of_run(text: str, start: int, end: int) -> list[NumberSpan]:
    run = text[start:end]
    if run.startswith("百分之"):
        figures = written_cardinal(run[3:])
        return [NumberSpan(start=start, end=end, figures=f"{figures}%")] if figures else []
    if run == "正负":
        return [NumberSpan(start=start, end=end, figures="±")]
    spans: list[NumberSpan] = []
    at = 0
    while at < len(run):
        figures, used = _number_at(
            run, at, text[:start][-4:] if at == 0 else run[max(0, at - 4) : at], text[end : end + 4]
        )
        if used and _stands_for_a_number(text, start + at, start + at + used, figures):
            spans.append(NumberSpan(start=start + at, end=start + at + used, figures=figures))
        at += used or 1
    return spans


def written_cardinal(run: str) -> str:
    """The figures of a run that is one number from end to end, or ""."""
    figures, used = _number_at(run, 0, "", "")
    return figures if used == len(run) else ""


def _number_at(run: str, start: int, before: str, after: str) -> tuple[str, int]:
    """The number that begins at `start` of a run of numerals, with its decimals; ("", 0) if none does."""
    whole, at = _whole_at(run, start)
    if not whole or _is_clock_time(run, start, at, before, after):
        return whole, at - start
    while (match := _DECIMAL_HERE.match(run, at)) is not None:
        whole += "." + "".join(_DIGITS[letter] for letter in match.group()[1:])
        at = match.end()
    return whole, at - start


def _is_clock_time(run: str, start: int, at: int, before: str, after: str) -> bool:
    if run[at : at + 1] != "点" or not run[start:at]:
        return False
    if _TIME_BEFORE.search(before):
        return True
    ends_run = _DECIMAL_HERE.match(run, at)
    return (
        ends_run is not None and ends_run.end() == len(run) and bool(re.match("分(?!贝)|左右|以[后前]|之[后前]", after))
    )


def _whole_at(run: str, start: int) -> tuple[str, int]:
    """Figures without decimals: pieces that follow each other (三百九十九三) are written side by side."""
    pieces: list[str] = []
    at = start
    while at < len(run):
        big = _BIG.match(run, at)
        section = _SECTION_HERE.match(run, at)
        if big is not None and not _is_approximate_ten(run, at):
            figures, at = _big_number(run, at)
            pieces.append(figures)
        elif section is not None:
            pieces.append(str(_section_value(section.group())))
            at = section.end()
        elif run[at] in _DIGITS and not _is_weight(run, at, start):
            pieces.append(_DIGITS[run[at]])
            at += 1
        else:
            break
    return "".join(pieces), at


def _is_weight(run: str, at: int, start: int) -> bool:
    """二两: a weight of two liang, not 22."""
    return run[at] == "两" and at == start + 1 == len(run) - 1


def _is_approximate_ten(run: str, at: int) -> bool:
    return run[at : at + 2] in _APPROXIMATE


def _section_value(section: str) -> int:
    total = 0
    digit = 0
    last_unit = 1
    after_zero = False
    for letter in section:
        if letter in _UNIT_FIGURES:
            last_unit = _UNIT_FIGURES[letter]
            total += (digit or 1) * last_unit
            digit = 0
            after_zero = False
        elif _DIGITS[letter] == "0":
            after_zero = True
        else:
            digit = int(_DIGITS[letter])
    if digit and not after_zero and last_unit >= 100:
        return total + digit * last_unit // 10
    return total + digit


def _big_number(run: str, start: int) -> tuple[str, int]:
    """一万一千 is 11000, 三百一十五万 stays 315万, 一亿两千三百 is 1亿2300."""
    figures = ""
    pending = 0
    at = start
    last_unit = 0
    while (match := _BIG.match(run, at)) is not None:
        coefficient = _coefficient(match)
        combines = match["unit"] == "万" and not match["decimal"] and int(coefficient) < 100
        if combines:
            pending = int(coefficient) * 10000
        else:
            figures += coefficient + match["unit"]
        last_unit = 10000 if combines else 0
        at = match.end()
        if run[at : at + 1] == "零" and _BIG.match(run, at + 1):
            at += 1
    tail, at = _tail(run, at, last_unit)
    value = pending + tail
    return figures + (str(value) if value else ""), at


def _coefficient(match: re.Match[str]) -> str:
    letters = match["coefficient"]
    whole = str(_section_value(letters)) if len(letters) > 1 or letters in _UNIT_FIGURES else _DIGITS[letters]
    decimal = match["decimal"]
    return whole + ("." + "".join(_DIGITS[letter] for letter in decimal[1:]) if decimal else "")


def _tail(run: str, at: int, last_unit: int) -> tuple[int, int]:
    match = _TAIL_HERE.match(run, at)
    if match is None:
        return 0, at
    if match["section"]:
        return _section_value(match["section"]), match.end()
    if match["ones"]:
        return int(_DIGITS[match["ones"]]), match.end()
    return int(_DIGITS[match["short"]]) * (last_unit // 10 or 1), match.end()


def _stands_for_a_number(text: str, start: int, end: int, figures: str) -> bool:
    """Whether the numeral is a quantity or a name in figures, and not a part of a word."""
    spoken = text[start:end]
    after = text[end : end + 4]
    before = text[max(0, start - 4) : start]
    if _reads_as_about(spoken, after):
        return False
    if len(figures) >= 3 or (len(figures) == 2 and spoken[0] in "十拾" and len(spoken) == 2) or "十" in spoken[1:]:
        return True
    if _WEEKDAY_BEFORE.search(before):
        return False
    return _is_measured(spoken, before, after) or _is_alone(before, after) or _is_named(spoken, before, after)


def _reads_as_about(spoken: str, after: str) -> bool:
    """两三天, 十七八个: about so many."""
    measured = after[:1] in set(_MEASURES) - set("栋幢座号室") or after[:1] in "十百千"
    return spoken[-2:] in _APPROXIMATE and len(spoken) <= 3 and measured and "零" not in spoken


def _is_measured(spoken: str, before: str, after: str) -> bool:
    if not after or after[0] not in _MEASURES:
        return False
    if spoken == "一" and before[-1:] in _POINTING:
        return False
    if spoken == "一" and after.startswith("点"):
        return bool(_TIME_BEFORE.search(before) or re.match(r"点(?:钟|半|以后|之后|以前|之前|左右|到|至)", after))
    if spoken == "一" and after.startswith("块"):
        return after[1:2] in set("钱五二三四六七八九") or before[-1:] == "十"
    return not (spoken == "一" and after.startswith(_AFTER_ONE_STOPS))


def _is_alone(before: str, after: str) -> bool:
    return not re.match(r"\w", after) and not re.search(r"\w$", before)


def _is_named(spoken: str, before: str, after: str) -> bool:
    ends = not after or not re.match(r"\w", after)
    if before.endswith("正负") or re.search(r"[十百千\d二两三四五六七八九]块$", before):
        return True
    return bool(_NUMBER_BEFORE.search(before)) and (ends or len(spoken) > 1)
