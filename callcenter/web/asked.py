"""Which calls an address asks for: `period` day/week/month, `day` any date within it, `number` one of our numbers.

What cannot be read is taken as today, so that an old or mistyped link still shows a page.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from callcenter.domain.periods import Period, PeriodKind, period_of, period_of_date
from callcenter.reports.call_scope import Scope
from callcenter.web.language import N_
from callcenter.web.visit import Visit

KINDS = {PeriodKind.DAY: N_("日"), PeriodKind.WEEK: N_("周"), PeriodKind.MONTH: N_("月")}
BEFORE = {PeriodKind.DAY: N_("前一天"), PeriodKind.WEEK: N_("上周"), PeriodKind.MONTH: N_("上月")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    period: Period
    number: str | None
    now: datetime

    @property
    def scope(self) -> Scope:
        return Scope(start=self.period.start, end=self.period.end, number=self.number)

    @property
    def before(self) -> Period:
        return self.period.before(now=self.now)

    @property
    def is_running(self) -> bool:
        return self.period.start <= self.now < self.period.end

    def address(self, page: str = "/answering", *, period: Period | None = None, **more: object) -> str:
        """The address of a page about these calls, or about those of another period."""
        wanted = period or self.period
        asked = {"period": wanted.kind.value, "day": f"{wanted.start:%Y-%m-%d}"}
        if self.number is not None:
            asked["number"] = self.number
        return f"{page}?{urlencode(asked | {name: str(value) for name, value in more.items() if value is not None})}"

    def everywhere(self) -> str:
        """The same time, whichever number was called."""
        return replace(self, number=None).address()

    def calls(self, which: str, **more: object) -> str:
        """Where a figure leads: the calls that it counts."""
        return self.address("/answering/calls", period=None, which=which, **more)

    def of_kind(self, kind: PeriodKind) -> Period:
        """The day, week or month of this one's first day; of the running one, that of now."""
        return period_of(kind, self.now if self.is_running else self.period.start, self.period.start.tzinfo)

    def written(self, visit: Visit) -> str:
        """今天 11-24 周二, 11-23 周一 – 11-29 周日, 2026-11."""
        f, start = visit.formats, self.period.start
        if self.period.kind is PeriodKind.DAY:
            return f.dated_day(start)
        if self.period.kind is PeriodKind.MONTH:
            return f"{start:%Y-%m}"
        return f"{f.date(start)} – {f.date(self.period.end - timedelta(hours=1))}"


def asked(request: web.Request, visit: Visit) -> Asked:
    kind = request.query.get("period", "")
    period_kind = PeriodKind(kind) if kind in set(KINDS) else PeriodKind.DAY
    day = date_of(request.query.get("day", ""))
    period = period_of_date(period_kind, day, visit.zone) if day else period_of(period_kind, visit.now, visit.zone)
    return Asked(period=period, number=request.query.get("number") or None, now=visit.now.astimezone(UTC))


def date_of(written: str) -> date | None:
    """A date of the years that calendars here can count with."""
    if not re.fullmatch(r"20\d{2}-\d{2}-\d{2}", written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
