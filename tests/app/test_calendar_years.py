"""A year of which nobody has published the working days is warned of, in time and until it is listed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import structlog

from callcenter.app.calendar_years import warn_of_unknown_years
from callcenter.domain.calendar import WorkCalendar
from tests.conftest import SetClock

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("today", "warned"),
    [
        (datetime(2026, 11, 30, 12, tzinfo=SHANGHAI), []),
        (datetime(2026, 12, 1, 0, tzinfo=SHANGHAI), [2027]),
        (datetime(2027, 3, 1, 12, tzinfo=SHANGHAI), [2027]),
    ],
)
async def test_an_unknown_year_is_warned_of(today: datetime, warned: list[int]) -> None:
    with structlog.testing.capture_logs() as logs:
        await warn_of_unknown_years(WorkCalendar(zone=SHANGHAI), SetClock(today))
    assert [entry["year"] for entry in logs if entry["log_level"] == "warning"] == warned


async def test_a_listed_year_is_known() -> None:
    calendar = WorkCalendar(zone=SHANGHAI, holidays=frozenset({date(2027, 1, 1)}))
    with structlog.testing.capture_logs() as logs:
        await warn_of_unknown_years(calendar, SetClock(datetime(2027, 3, 1, 12, tzinfo=SHANGHAI)))
    assert logs == []
