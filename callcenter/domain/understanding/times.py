"""Spoken times (半小时内, 明天下午三点以后) as a start and an end in the estate's own time zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

LATEST_DAYS = 60
"""A time further away than this was not understood."""

_DAY_WORDS = {
    "大后天": 3,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "今早": 0,
    "当天": 0,
    "明天": 1,
    "明日": 1,
    "明早": 1,
    "明晚": 1,
    "后天": 2,
}
_PARTS = {
    "凌晨": (0, 6), "清晨": (6, 8), "早上": (7, 10), "早晨": (7, 10), "一早": (7, 10), "上午": (8, 12),
    "中午": (11, 14), "下午": (12, 18),
    "傍晚": (17, 19), "晚上": (18, 22), "夜里": (20, 24), "晚": (18, 22), "早": (7, 10),
}  # fmt: skip
_WEEKDAYS = {**{letter: index for index, letter in enumerate("一二三四五六")}, "日": 6, "天": 6}

_DAY = (
    r"(?P<word>大后天|今天|今日|今(?=[晚早])|当天|明天|明日|明(?=[晚早])|后天)"
    r"|(?P<week>下下|下|这|本)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    r"|(?P<weekend>(?:下个?|这个?|本)?周末)"
    r"|(?P<month>\d{1,2})月(?P<monthday>\d{1,2})[日号]"
    r"|(?<!\d)(?P<onlyday>\d{1,2})号(?=[上下早晚中]|以前|之前|前|以后|之后|来|过来|在)"
)
_CLOCK = (
    r"(?P<hour{n}>\d{{1,2}})(?:[点时](?:钟|整)?(?:(?P<half{n}>半)|(?P<quarter{n}>[一三13])刻|(?P<minute{n}>\d{{1,2}})分?)?"
    r"|[:：](?P<colon{n}>\d{{2}}))"
)
_POINT = re.compile(
    r"(?:(?:" + _DAY + r")(?:的)?[,，\s]?)?"
    r"(?P<part>凌晨|清晨|早上|早晨|一早|上午|中午|下午|傍晚|晚上|夜里|晚(?=\d|$|[,，。]|点|来|回|在)|早(?=\d))?(?:的)?[,，\s]?"
    r"(?:(?:大概|大约|差不多)?"
    + _CLOCK.format(n="")
    + r"(?:(?:到|至|-|–|~|～)(?P<part2>上午|中午|下午|晚上)?"
    + _CLOCK.format(n="2")
    + r")?)?"
)  # fmt: skip
_BOUND = re.compile(
    r"(?:钟)?(?P<from>以后|之后|后(?!天|面)|开始|起)|(?P<till>以前|之前|前(?!天|面|台)|之内|以内|内)|(?P<about>左右|前后)"
)
_SPAN = re.compile(
    r"(?P<half>半)个?(?P<halfunit>小时|钟头|天)"
    r"|(?P<count>\d{1,3}|[一两])个?(?P<andhalf>半)?个?(?P<unit>分钟|小时|钟头|工作日|天|礼拜|星期|周)"
    r"|(?P<quarter>1|一|三|3)刻钟"
)
_SPAN_BOUND = re.compile(r"(?P<within>之?以?内)|(?P<later>以?之?后)|(?P<upto>左右)?")
_OFFICE_END = re.compile(r"(?:今天)?下班(?:之|以)?前|(?:今天|当天|今日)(?:之|以)?内|今天(?:之|以)?前")


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSpan:
    """A time said at `at`..`to` of the text; an open end is None."""

    start: datetime | None
    end: datetime | None
    at: int
    to: int
    sure: float


def times_in(text: str, heard_at: datetime) -> tuple[TimeSpan, ...]:
    """All times of a line with its numbers as figures, in order; those that have passed are left out."""
    found = [*_spans(text, heard_at), *_office_ends(text, heard_at), *_points(text, heard_at)]
    latest = heard_at + timedelta(days=LATEST_DAYS)
    ahead = [one for one in found if _is_ahead(one, heard_at, latest)]
    return tuple(sorted(_without_overlaps(ahead), key=lambda one: one.at))


def _is_ahead(one: TimeSpan, heard_at: datetime, latest: datetime) -> bool:
    ends = one.end or one.start
    begins = one.start or one.end
    ordered = one.start is None or one.end is None or one.start < one.end
    return ordered and ends is not None and begins is not None and ends > heard_at and begins < latest


def _without_overlaps(found: list[TimeSpan]) -> list[TimeSpan]:
    kept: list[TimeSpan] = []
    for one in sorted(found, key=lambda span: span.at - span.to):
        if all(one.to <= other.at or one.at >= other.to for other in kept[:200]):
            kept.append(one)
    return kept


def _spans(text: str, heard_at: datetime) -> Iterator[TimeSpan]:
    """半小时内 ends, 十分钟后 starts."""
    for match in _SPAN.finditer(text):
        length = _length(match)
        bound = _SPAN_BOUND.match(text, match.end())
        if length is None or bound is None:
            continue
        moment = _working_days_on(heard_at, length.days) if match["unit"] == "工作日" else heard_at + length
        if bound["within"] or bound["upto"]:
            yield TimeSpan(start=None, end=moment, at=match.start(), to=bound.end(), sure=0.9)
        elif bound["later"]:
            yield TimeSpan(start=moment, end=None, at=match.start(), to=bound.end(), sure=0.85)


def _working_days_on(heard_at: datetime, days: int) -> datetime:
    """Monday to Friday; the official calendar's holidays are the deadlines' business, not the wording's."""
    moment = heard_at
    for _ in range(min(days, LATEST_DAYS)):
        moment += timedelta(days=1)
        while moment.weekday() >= 5:
            moment += timedelta(days=1)
    return moment


def _length(match: re.Match[str]) -> timedelta | None:
    if match["half"]:
        return timedelta(hours=12) if match["halfunit"] == "天" else timedelta(minutes=30)
    if match["quarter"]:
        return timedelta(minutes=45 if match["quarter"] in "三3" else 15)
    count = {"一": 1.0, "两": 2.0}.get(match["count"]) or float(match["count"])
    count += 0.5 if match["andhalf"] else 0.0
    unit = match["unit"]
    if unit == "分钟":
        return timedelta(minutes=count)
    if unit in ("小时", "钟头"):
        return timedelta(hours=count)
    return timedelta(days=count * (7 if unit in ("礼拜", "星期", "周") else 1))


def _office_ends(text: str, heard_at: datetime) -> Iterator[TimeSpan]:
    """下班前 is six in the evening, 今天内 is before midnight."""
    for match in _OFFICE_END.finditer(text):
        hour = time(18) if "下班" in match.group() else time(23, 59)
        end = datetime.combine(heard_at.date(), hour, heard_at.tzinfo)
        yield TimeSpan(start=None, end=end, at=match.start(), to=match.end(), sure=0.85)


def _points(text: str, heard_at: datetime) -> Iterator[TimeSpan]:
    carried: date | None = None
    carried_to = -10
    for match in _POINT.finditer(text):
        if not match.group() or not _says_a_time(match):
            continue
        day = _day(match, heard_at)
        if day is None and match["monthday"]:
            continue
        if day is None and carried is not None and match.start() - carried_to <= 8:
            day = carried
        span = _point(match, day, heard_at, _BOUND.match(text, match.end()), text)
        if day is not None:
            carried, carried_to = day, match.end()
        if span is not None:
            yield span


def _says_a_time(match: re.Match[str]) -> bool:
    named = any(match[name] for name in ("word", "weekday", "weekend", "monthday", "onlyday", "part"))
    return named or match["hour"] is not None


def _day(match: re.Match[str], heard_at: datetime) -> date | None:
    today = heard_at.date()
    try:
        if match["word"]:
            word = match["word"] if len(match["word"]) > 1 else f"{match['word']}天"
            return today + timedelta(days=_DAY_WORDS[word])
        if match["weekday"]:
            return _weekday(today, _WEEKDAYS[match["weekday"]], match["week"])
        if match["weekend"]:
            return _weekday(today, 5, "下" if match["weekend"].startswith("下") else None)
        if match["monthday"]:
            day = date(today.year, int(match["month"]), int(match["monthday"]))
            return day if day >= today else date(today.year + 1, day.month, day.day)
        if match["onlyday"]:
            return _day_of_month(today, int(match["onlyday"]))
    except ValueError:
        return None
    return None


def _weekday(today: date, weekday: int, which: str | None) -> date:
    monday = today - timedelta(days=today.weekday())
    if which == "下":
        return monday + timedelta(days=7 + weekday)
    if which == "下下":
        return monday + timedelta(days=14 + weekday)
    day = monday + timedelta(days=weekday)
    return day if day >= today else day + timedelta(days=7)


def _day_of_month(today: date, number: int) -> date:
    if number >= today.day:
        return today.replace(day=number)
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following.replace(day=number)


def _point(
    match: re.Match[str], day: date | None, heard_at: datetime, bound: re.Match[str] | None, text: str
) -> TimeSpan | None:
    to = bound.end() if bound else match.end()
    first = _clock(match, "", match["part"], day, heard_at, text)
    if match["hour"] is not None and first is None:
        return None
    if first is not None:
        start, end, sure = _around(match, first, bound, day, heard_at, text)
    else:
        start, end, sure = _part_of_day(match, bound, day, heard_at)
    if start is None and end is None:
        return None
    return TimeSpan(start=start, end=end, at=match.start(), to=to, sure=sure)


def _around(
    match: re.Match[str], first: datetime, bound: re.Match[str] | None, day: date | None, heard_at: datetime, text: str
) -> tuple[datetime | None, datetime | None, float]:
    sure = 0.9 if day is not None or match["part"] else 0.65
    if match["hour2"] is not None:
        last = _clock(match, "2", match["part2"] or match["part"], first.date(), heard_at, text)
        if last is not None and last <= first and last + timedelta(hours=12) > first:
            last += timedelta(hours=12)
        return first, last, sure
    if bound and bound["from"]:
        return first, None, sure
    if bound and bound["till"]:
        return None, first, sure
    margin = timedelta(minutes=30) if bound and bound["about"] else timedelta(0)
    return first - margin, first + (margin or timedelta(hours=1)), sure


def _part_of_day(
    match: re.Match[str], bound: re.Match[str] | None, day: date | None, heard_at: datetime
) -> tuple[datetime | None, datetime | None, float]:
    part = match["part"]
    if day is None and part is None:
        return None, None, 0.0
    base = day or heard_at.date()
    hours = _PARTS[part] if part else (0, 24)
    start, end = _at(base, hours[0], heard_at), _at(base, hours[1], heard_at)
    if match["weekend"]:
        end += timedelta(days=1)
    if day is None and end <= heard_at:
        start, end = start + timedelta(days=1), end + timedelta(days=1)
    if bound and bound["from"]:
        return start, None, 0.7
    if bound and bound["till"]:
        return None, end if part or bound["till"].endswith("内") else start, 0.8
    return max(start, heard_at), end, 0.8


def _at(day: date, hour: int, heard_at: datetime) -> datetime:
    return datetime.combine(day, time(0), heard_at.tzinfo) + timedelta(hours=hour)


def _clock(
    match: re.Match[str], which: str, part: str | None, day: date | None, heard_at: datetime, text: str
) -> datetime | None:
    if match[f"hour{which}"] is None:
        return None
    hour, minute = int(match[f"hour{which}"]), _minute(match, which)
    if hour > 24 or minute > 59:
        return None
    hour = _afternoon(hour, part, text[max(0, match.start() - 6) : match.start()])
    moment = _at(day or heard_at.date(), hour, heard_at) + timedelta(minutes=minute)
    if day is None and moment <= heard_at:
        moment += timedelta(hours=12) if part is None and hour < 12 else timedelta(days=1)
        moment += timedelta(days=1) if moment <= heard_at else timedelta(0)
    return moment


def _minute(match: re.Match[str], which: str) -> int:
    if match[f"half{which}"]:
        return 30
    if match[f"quarter{which}"]:
        return 45 if match[f"quarter{which}"] in "三3" else 15
    return int(match[f"minute{which}"] or match[f"colon{which}"] or 0)


def _afternoon(hour: int, part: str | None, before: str) -> int:
    """下午三点 is 15; with no part of the day nobody means the small hours."""
    if part in ("下午", "傍晚", "晚上", "夜里", "晚") and hour < 12:
        return hour + 12
    if part in ("夜里", "晚上", "晚") and hour == 12:
        return 24
    if part == "中午" and hour in (1, 2):
        return hour + 12
    if part is None and (1 <= hour <= 6 or (hour <= 10 and "下班" in before)):
        return hour + 12
    return hour
