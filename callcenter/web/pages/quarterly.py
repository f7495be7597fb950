"""季度回顾: one page of a quarter's service, made to be printed."""

from aiohttp import web

from callcenter.domain.calendar_quarter import CalendarQuarter, quarter_of, read_quarter
from callcenter.reports.quarterly import quarterly_review
from callcenter.web.complaints import block_chart, building_words, ratio_words
from callcenter.web.errors import NotFound
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE, LANGUAGE, SETTINGS
from callcenter.web.service_language import check_words
from callcenter.web.visit import Visit, see_other


async def latest(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The quarter that is running."""
    return see_other(f"/quarters/{quarter_of(visit.now, visit.zone)}")


async def review(request: web.Request, visit: Visit) -> web.StreamResponse:
    quarter = read_quarter(request.match_info["quarter"])
    running = quarter_of(visit.now, visit.zone)
    if quarter is None or quarter > running:
        raise NotFound
    settings, rules = request.app[SETTINGS], request.app[LANGUAGE].rules()
    found = await quarterly_review(request.app[DATABASE], quarter, settings.counting, now=visit.now)
    return await render_room(
        request,
        visit,
        "quarter.html",
        room="answering",
        found=found,
        quarter=quarter,
        after=_after(quarter, running),
        is_running=quarter == running,
        target=settings.answering.target,
        chart=block_chart(found.complaints, visit),
        ratio=lambda change: ratio_words(change, visit),
        building=lambda place: building_words(place, visit),
        words_of=lambda key: check_words(key, rules, visit),
    )


def _after(quarter: CalendarQuarter, running: CalendarQuarter) -> CalendarQuarter | None:
    return quarter.after() if quarter < running else None
