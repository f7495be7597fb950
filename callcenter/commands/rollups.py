"""`callcenter rollups rebuild|verify`: what is kept of each day for the reports, made anew or checked by the events."""

import sys

from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import ring_rule
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.reports.count_days import count_all_anew
from callcenter.reports.verify_days import verify_days, wrong_months
from callcenter.services.fold_calls import fold_all_anew
from callcenter.services.schema import in_one_line


async def rebuild(settings: Settings, *, from_events: bool) -> int:
    now = clock_of(settings).now()
    async with opened_database(settings) as database:
        try:
            if from_events:
                calls = await fold_all_anew(database, ring_rule(settings), now=now)
                print(f"{calls} calls folded anew from their events")
            days = await count_all_anew(database, settings.counting, now=now)
        except (SQLAlchemyError, OSError) as error:
            return _away(error)
    print(f"{days} days counted anew")
    return 0


async def verify(settings: Settings) -> int:
    """1 where a day or month is kept otherwise than its events tell it; a day that waits to be counted anew is none."""
    calls = right = waiting = wrong = 0
    async with opened_database(settings) as database:
        try:
            async for day in verify_days(database, settings.counting, ring_rule(settings)):
                calls += day.calls
                if day.holds is None:
                    waiting += 1
                elif day.holds:
                    right += 1
                else:
                    wrong += 1
                    print(f"callcenter: {day.day} is kept otherwise than its events tell it", file=sys.stderr)
            for month in await wrong_months(database, settings.counting):
                wrong += 1
                print(f"callcenter: {month:%Y-%m} is kept otherwise than its days", file=sys.stderr)
        except (SQLAlchemyError, OSError) as error:
            return _away(error)
    print(f"{right} days hold, {waiting} wait to be counted anew, {wrong} days or months differ ({calls} calls)")
    if wrong:
        print("callcenter: `callcenter rollups rebuild --from-events` makes them anew", file=sys.stderr)
    return 1 if wrong else 0


def _away(error: Exception) -> int:
    why = in_one_line(error)
    print(f"callcenter: {why}; has the database been migrated (callcenter migrate)?", file=sys.stderr)
    return 1
