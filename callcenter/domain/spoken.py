"""How numbers, places and times are said: room and ticket numbers digit by digit with 幺, buildings as numerals."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from callcenter.domain.tickets import Place

_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
_NUMERALS = "零一二三四五六七八九"


def digit_by_digit(text: str) -> str:
    """501 -> 五零幺. Letters are kept, everything else becomes a pause."""
    return re.sub(r"[^\w]+", "，", "".join(_DIGITS.get(char, char) for char in text)).strip("，")


def as_numeral(text: str) -> str:
    """18 -> 十八, for buildings and units; what is not a number below 10000 is said digit by digit."""
    if not text.isascii() or not text.isdigit() or len(text) > 4 or (len(text) > 1 and text[0] == "0"):
        return digit_by_digit(text)
    return _numeral(int(text))


def _numeral(number: int) -> str:
    """0 to 9999."""
    if number < 10:
        return _NUMERALS[number]
    spoken, gap = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit = number // size % 10
        if digit:
            spoken += ("零" if gap else "") + _NUMERALS[digit] + unit
            gap = False
        elif spoken:
            gap = True
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def spoken_number(number: int) -> str:
    """12 -> 十二, 2300 -> 两千三百, 10050 -> 一万零五十; below a million million, else digit by digit."""
    if not 0 <= number < 10**12:
        return digit_by_digit(str(number))
    spoken, before = "", False
    for unit, size in (("亿", 10**8), ("万", 10**4), ("", 1)):
        part = number // size % 10**4
        if part:
            numeral = _numeral(part)
            if before and part < 1000:
                numeral = "零" + ("一" if 10 <= part < 20 else "") + numeral
            spoken += ("两" if part == 2 and unit else numeral) + unit
        before = before or part > 0
    return re.sub(r"^二(?=[千百])", "两", spoken) or "零"


def spoken_amount(fen: int) -> str:
    """Money in 1/100 yuan: 123456 -> 一千二百三十四元五角六分, 20000 -> 两百元, 5 -> 五分."""
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    spoken = ("两" if yuan == 2 else spoken_number(yuan)) + "元" if yuan or not fen else ""
    if jiao:
        spoken += f"{_NUMERALS[jiao]}角"
    elif yuan and rest:
        spoken += "零"
    return spoken + (f"{_NUMERALS[rest]}分" if rest else "")


def spoken_place(place: Place) -> str:
    """3栋2单元501 -> 三栋二单元五零幺."""
    of_lane = place.lane is not None
    parts = (
        place.estate or "",
        place.phase or "",
        f"{digit_by_digit(place.lane)}弄" if place.lane else "",
        f"{as_numeral(place.building)}{'号' if of_lane else '栋'}" if place.building else "",
        f"{as_numeral(place.unit)}单元" if place.unit else "",
        f"{as_numeral(place.floor)}楼" if place.floor and not place.room else "",
        f"{digit_by_digit(place.room)}{'室' if of_lane else ''}" if place.room else "",
    )
    return "".join(parts)


def spoken_ticket_number(number: str) -> str:
    """GD-1124-0001 -> 幺幺二四，零零零幺; the letters are the same on every ticket and are left out."""
    return digit_by_digit(re.sub(r"^[A-Za-z]+-?", "", number))


def spoken_date(day: date, *, today: date) -> str:
    """今天, 明天, 十二月三日; the year too where it is another."""
    names = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
    year = "" if day.year == today.year else f"{''.join(_NUMERALS[int(digit)] for digit in str(day.year))}年"
    return names.get((day - today).days, f"{year}{_numeral(day.month)}月{_numeral(day.day)}日")


def spoken_clock(hour: int, minute: int) -> str:
    """14:05 -> 下午两点零五分, 9:30 -> 上午九点半."""
    if (hour, minute) in ((12, 0), (24, 0)):
        return "中午十二点" if hour == 12 else "晚上十二点"
    part = next(name for until, name in _PARTS_OF_DAY if hour < until)
    twelve = hour % 12 or (12 if hour else 0)
    said = f"{part}{'两' if twelve == 2 else _numeral(twelve)}点"
    if not minute:
        return said
    return said + ("半" if minute == 30 else f"{'零' if minute < 10 else ''}{_numeral(minute)}分")


_PARTS_OF_DAY = ((6, "凌晨"), (12, "上午"), (13, "中午"), (19, "下午"), (25, "晚上"))


def spoken_time(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """今天上午十点半, 明天上午九点, 十二月三日下午两点零五分."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return spoken_date(local.date(), today=today) + spoken_clock(local.hour, local.minute)
