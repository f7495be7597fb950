"""Free text as it is said: what an operator or a resident wrote with figures becomes words that a voice reads right.

14:00-18:00 is 下午两点到晚上六点, 3栋2单元501 is 三栋二单元五零幺, 0571-87654321 digit by digit, 35.5元 三十五元五角.
"""

import re
from collections.abc import Callable

from callcenter.domain.spoken import as_numeral, digit_by_digit, spoken_amount, spoken_clock, spoken_number

_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(?:1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|[48]00[- ]?\d{3}[- ]?\d{4})(?!\d)")
_DATE = re.compile(r"(?<!\d)(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号]")
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?=年)")
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?!\d)")
_MONEY = re.compile(r"(?:[¥￥]\s*(\d{1,9}(?:\.\d{1,2})?)(?:元)?|(\d{1,9}(?:\.\d{1,2})?)元)")
_LANE = re.compile(r"(\d{1,4})弄")
_BUILDING = re.compile(r"(\d{1,4})(号楼|栋|幢|座|单元|楼|层|期)")
_ROOM = re.compile(r"(?<=[栋幢座元弄号楼房])(\d{3,4})(?!\d)|(?<!\d)(\d{3,4})(?=[室房])")
_DECIMAL = re.compile(r"(?<!\d)(\d{1,12})\.(\d{1,6})(?!\d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)[%％]")
_LONG = re.compile(r"\d{5,}")
_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TWO = re.compile(r"(?<!\d)2(?=[次个天户名位台部间家条处种年周]|小时|分钟)")
_NUMBER = re.compile(r"\d+")
_UNTIL = re.compile(r"(?<=[点半分日])\s*[-–—~～]\s*(?=[\u4e00-\u9fff])")


def spoken_words(text: str) -> str:
    """The text with every figure in words. Digits of keys to press (按1) are said as numerals, too."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return _UNTIL.sub("到", text)


def _date(match: re.Match[str]) -> str:
    return _spoken_date(match[1], match[2], match[3])


def _spoken_date(year: str | None, month: str, day: str) -> str:
    spoken_year = f"{digit_by_digit(year).replace('幺', '一')}年" if year else ""
    return f"{spoken_year}{spoken_number(int(month))}月{spoken_number(int(day))}日"


def _money(match: re.Match[str]) -> str:
    yuan, _, rest = (match[1] or match[2]).partition(".")
    return spoken_amount(int(yuan) * 100 + int(rest.ljust(2, "0") or "0"))


def _room(match: re.Match[str]) -> str:
    return digit_by_digit(match[1] or match[2])


def _decimal(match: re.Match[str]) -> str:
    return f"{spoken_number(int(match[1]))}点{digit_by_digit(match[2]).replace('幺', '一')}"


def _percent(match: re.Match[str]) -> str:
    return f"百分之{_DECIMAL.sub(_decimal, match[1])}"


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_COMMA, lambda match: ""),
    (_PHONE, lambda match: digit_by_digit(match[0].removeprefix("+"))),
    (_ISO_DATE, _date),
    (_DATE, _date),
    (_YEAR, lambda match: digit_by_digit(match[1]).replace("幺", "一")),
    (_CLOCK, lambda match: spoken_clock(int(match[1]), int(match[2]))),
    (_MONEY, _money),
    (_LANE, lambda match: f"{digit_by_digit(match[1])}弄"),
    (_BUILDING, lambda match: f"{as_numeral(match[1])}{match[2]}"),
    (_ROOM, _room),
    (_PERCENT, _percent),
    (_DECIMAL, _decimal),
    (_LONG, lambda match: digit_by_digit(match[0])),
    (_TWO, lambda match: "两"),
    (_NUMBER, lambda match: as_numeral(match[0])),
)
