"""季度回顾: one page of a quarter's service, made to be printed."""

from typing import Any

from aiohttp import web

from callcenter.domain.calendar_quarter import CalendarQuarter, quarter_of, read_quarter
from callcenter.domain.figures_table import contacts_row, figures_row, rounded
from callcenter.reports.answering import Summary
from callcenter.reports.quarterly import QuarterlyReview, Satisfaction, quarterly_review
from callcenter.web.complaints import block_chart, building_words, ratio_words
from callcenter.web.errors import NotFound
from callcenter.web.exports import tables_file
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE, LANGUAGE, SETTINGS
from callcenter.web.pages.complaints import complaint_tables
from callcenter.web.pages.language import check_row
from callcenter.web.service_language import check_words
from callcenter.web.visit import Visit, see_other


async def latest(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The quarter that is running."""
    return see_other(f"/quarters/{quarter_of(visit.now, visit.zone)}")


async def review(request: web.Request, visit: Visit) -> web.StreamResponse:
    running = quarter_of(visit.now, visit.zone)
    settings, rules = request.app[SETTINGS], request.app[LANGUAGE].rules()
    found = await _read(request, visit)
    quarter = found.quarter
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


async def _read(request: web.Request, visit: Visit) -> QuarterlyReview:
    """Raises NotFound: no quarter, or one to come."""
    quarter = read_quarter(request.match_info["quarter"])
    if quarter is None or quarter > quarter_of(visit.now, visit.zone):
        raise NotFound
    return await quarterly_review(request.app[DATABASE], quarter, request.app[SETTINGS].counting, now=visit.now)


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """All that the page says as a file: csv (`by` says which table), xlsx or json. No resident is named."""
    found = await _read(request, visit)
    tables = {
        "figures": [
            _figures(found.quarter, found.calls, found.satisfaction),
            _figures(found.quarter.before(), found.calls_before, found.satisfaction_before),
        ],
        **complaint_tables(found.complaints, visit),
        "deadlines": [
            {"kind": one.kind, "due": one.due, "kept": one.kept, "share": rounded(one.share), "overdue": one.open}
            for one in found.deadlines
        ],
        "language": [check_row(one) for one in found.language],
        "cases": [
            {"side": side, "ticket": row.number, "category": row.category, "satisfaction": row.satisfaction}
            for side, rows in (("best", found.best), ("worst", found.worst))
            for row in rows
        ],
    }
    head = {"tickets": found.tickets, "language_calls": found.language_calls}
    span = {"from": visit.formats.iso(found.start), "until": visit.formats.iso(found.until)}
    by, name = request.query.get("by", "figures"), f"quarter-{found.quarter}"
    return await tables_file(request.match_info["kind"], tables, name, by=by, head=span | head)


def _figures(quarter: CalendarQuarter, calls: Summary, satisfaction: Satisfaction) -> dict[str, Any]:
    return {
        "quarter": str(quarter),
        **figures_row(calls.figures),
        **contacts_row(calls.contacts),
        "refused_legs": calls.refused_legs,
        "rang_out_legs": calls.rang_out_legs,
        "satisfaction_answers": satisfaction.answers,
        "satisfaction_mean": rounded(satisfaction.mean),
        "content_share": rounded(satisfaction.content_share),
    }


def _after(quarter: CalendarQuarter, running: CalendarQuarter) -> CalendarQuarter | None:
    return quarter.after() if quarter < running else None
