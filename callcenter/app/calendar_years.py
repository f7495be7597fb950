"""Says in the log, at the start and every day, that a year's working days are guessed."""

import structlog

from callcenter.domain.calendar import WorkCalendar
from callcenter.ports import Clock

log = structlog.get_logger()

DECEMBER = 12
ONCE_A_DAY_SECONDS = 86_400.0


async def warn_of_unknown_years(calendar: WorkCalendar, clock: Clock) -> tuple[int, ...]:
    """This year, and from December on the next: the State Council publishes it in November. The years warned of."""
    today = calendar.local(clock.now()).date()
    unknown = calendar.unknown_years((today.year, today.year + 1) if today.month == DECEMBER else (today.year,))
    for year in unknown:
        log.warning(
            "the year's official working days are not known: Monday to Friday is taken; "
            "list its days in calendar.holidays and calendar.working_days",
            year=year,
        )
    return unknown
