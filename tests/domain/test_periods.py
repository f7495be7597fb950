"""Days, weeks and months by the clock on the wall."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.periods import PeriodKind, period_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def hours(kind: PeriodKind, at: datetime, zone: ZoneInfo) -> float:
    period = period_of(kind, at, zone)
    return (period.end.astimezone(UTC) - period.start.astimezone(UTC)) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        (PeriodKind.HOUR, "2026-11-24T10:00:00+08:00", "2026-11-24T11:00:00+08:00"),
        (PeriodKind.DAY, "2026-11-24T00:00:00+08:00", "2026-11-25T00:00:00+08:00"),
        (PeriodKind.WEEK, "2026-11-23T00:00:00+08:00", "2026-11-30T00:00:00+08:00"),
        (PeriodKind.MONTH, "2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00"),
    ],
)
def test_a_tuesday_in_shanghai(kind: PeriodKind, start: str, end: str) -> None:
    period = period_of(kind, datetime(2026, 11, 24, 2, 30, tzinfo=UTC), SHANGHAI)
    assert (period.start.isoformat(), period.end.isoformat()) == (start, end)


def test_late_in_the_evening_of_utc_it_is_tomorrow_in_shanghai() -> None:
    period = period_of(PeriodKind.DAY, datetime(2026, 11, 24, 16, 0, tzinfo=UTC), SHANGHAI)
    assert period.start.isoformat() == "2026-11-25T00:00:00+08:00"


def test_the_day_of_a_clock_change_is_longer_or_shorter() -> None:
    assert hours(PeriodKind.DAY, datetime(2026, 3, 29, 10, tzinfo=UTC), BERLIN) == 23
    assert hours(PeriodKind.DAY, datetime(2026, 10, 25, 10, tzinfo=UTC), BERLIN) == 25
    assert hours(PeriodKind.WEEK, datetime(2026, 10, 25, 10, tzinfo=UTC), BERLIN) == 169


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)])
def test_parts_follow_each_other_without_a_gap(day: datetime) -> None:
    for kind in (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH):
        period = period_of(kind, day, BERLIN)
        parts = period.parts()
        moments = [part.start.astimezone(UTC) for part in parts] + [parts[-1].end.astimezone(UTC)]
        assert moments[0] == period.start.astimezone(UTC)
        assert moments[-1] == period.end.astimezone(UTC)
        assert moments == sorted(set(moments))
        for part, following in pairwise(parts):
            assert part.end.astimezone(UTC) == following.start.astimezone(UTC)
    assert len(period_of(PeriodKind.DAY, day, BERLIN).parts()) in (23, 25)


def test_the_period_before() -> None:
    at = datetime(2026, 3, 31, 2, 30, tzinfo=UTC)
    month = period_of(PeriodKind.MONTH, at, SHANGHAI)
    assert month.before().start.isoformat() == "2026-02-01T00:00:00+08:00"
    assert month.before().end == month.start
    assert month.before().after() == month
    day = period_of(PeriodKind.DAY, at, SHANGHAI)
    assert day.before(now=at).end.isoformat() == "2026-03-30T10:30:00+08:00", "up to the same time"
    assert month.before(now=at).end == month.start, "February is over before the 31st day"
    assert day.before(now=at + timedelta(days=1)).end == day.start, "a finished day is compared with a whole one"
