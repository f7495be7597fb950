"""Times, lengths and numbers as a person reads them: Shanghai time, 今天 when true, doubt as a figure."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.moments import Span
from callcenter.web.language import N_, Catalog

WEEKDAYS = (N_("周一"), N_("周二"), N_("周三"), N_("周四"), N_("周五"), N_("周六"), N_("周日"))
NEAR_DAYS = {-1: N_("昨天"), 0: N_("今天"), 1: N_("明天")}
_INLAND = re.compile(r"^(?:\+86|0086)(?=\d)")


class Formats:
    """Writes figures for one reader at one moment."""

    def __init__(self, *, catalog: Catalog, zone: ZoneInfo, now: datetime) -> None:
        self._ = catalog.gettext
        self._many = catalog.ngettext
        self.zone = zone
        self.now = now

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def iso(self, at: datetime) -> str:
        return self.local(at).isoformat(timespec="milliseconds" if at.microsecond else "seconds")

    def clock(self, at: datetime) -> str:
        return f"{self.local(at):%H:%M}"

    def exact_clock(self, at: datetime) -> str:
        written = f"{self.local(at):%H:%M:%S}"
        return f"{written}.{at.microsecond // 1000:03}" if at.microsecond else written

    def full(self, at: datetime) -> str:
        return f"{self.local(at):%Y-%m-%d} {self.exact_clock(at)}"

    def bytes(self, size: int) -> str:
        """1.4 MB, 830 kB: as file managers write it."""
        return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, size // 1000)} kB"

    def weekday(self, day: date) -> str:
        return self._(WEEKDAYS[day.weekday()])

    def day(self, at: datetime) -> str:
        """今天, 昨天, 明天, else 11-20 周五, with the year only where it differs."""
        day, today = self.local(at).date(), self.local(self.now).date()
        near = NEAR_DAYS.get((day - today).days)
        return self._(near) if near else self.date(at)

    def date(self, at: datetime) -> str:
        day = self.local(at).date()
        written = f"{day:%m-%d}" if day.year == self.local(self.now).year else f"{day:%Y-%m-%d}"
        return f"{written} {self.weekday(day)}"

    def dated_day(self, at: datetime) -> str:
        """今天 11-20 周五: for headings, where both are wanted."""
        near, written = self.day(at), self.date(at)
        return written if near == written else f"{near} {written}"

    def when(self, at: datetime) -> str:
        return f"{self.day(at)} {self.clock(at)}"

    def until(self, at: datetime) -> str:
        """今天 24:00 rather than 明天 00:00: a limit belongs to the day that it ends."""
        local = self.local(at)
        if (local.hour, local.minute) != (0, 0):
            return self.when(at)
        return f"{self.day(at - timedelta(minutes=1))} 24:00"

    def length(self, length: timedelta) -> str:
        """1 天 3 小时, 3 小时 24 分, 24 分: the two largest units."""
        minutes = int(length.total_seconds()) // 60
        days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
        if days:
            return (
                self._("%(days)s 天 %(hours)s 小时", days=days, hours=hours)
                if hours
                else self._("%(days)s 天", days=days)
            )
        if hours and rest:
            return self._("%(hours)s 小时 %(minutes)s 分", hours=hours, minutes=rest)
        if hours:
            return self._("%(hours)s 小时", hours=hours)
        if minutes:
            return self._("%(minutes)s 分", minutes=rest)
        return self._("不到 1 分")

    def call_length(self, milliseconds: int | None) -> str:
        """01:34, or 1:02:03 for a call of more than an hour."""
        if milliseconds is None:
            return "–"
        seconds = milliseconds // 1000
        if seconds >= 3600:
            return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
        return f"{seconds // 60:02}:{seconds % 60:02}"

    def seconds(self, low_ms: int | None, high_ms: int | None = None) -> str:
        """17.0, or 15.2±0.5 where a clock leaves it open."""
        if low_ms is None:
            return "–"
        span = Span(low_ms=low_ms, high_ms=high_ms if high_ms is not None else low_ms)
        middle = f"{span.middle_ms / 1000:.1f}"
        return middle if span.is_exact else f"{middle}±{(span.high_ms - span.low_ms) / 2000:.1f}"

    def rings(self, low: int | None, high: int | None) -> str:
        if low is None:
            return "–"
        if high is None or high == low:
            return self._("第 %(ring)s 声", ring=low)
        return self._("第 %(low)s 或 %(high)s 声", low=low, high=high)

    def percent(self, share: float | None) -> str:
        return "–" if share is None else f"{share * 100:.1f}"

    def band(self, low: float | None, high: float | None) -> str:
        """94.2–95.4 %, or one figure where nothing is open."""
        if low is None or high is None:
            return "–"
        a, b = self.percent(low), self.percent(high)
        return f"{a}%" if a == b else f"{a}–{b}%"

    def number(self, number: int) -> str:
        return f"{number:,}"

    def confidence(self, confidence: float | None) -> str:
        return "–" if confidence is None else f"{confidence:.2f}"


def inland(number: str) -> str:
    """The number as it is dialled in the country."""
    bare = _INLAND.sub("", number)
    is_landline = bare != number and not re.match(r"1\d{10}$|[48]00", bare)
    return f"0{bare}" if is_landline else bare


def masked(number: str | None) -> str:
    """138****6207; of a short number only its end."""
    if not number:
        return "–"
    digits = inland(number)
    if len(digits) >= 9:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"****{digits[-3:]}" if len(digits) > 4 else "****"
