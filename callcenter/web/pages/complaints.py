"""投诉分析: which complaints come most, where, and which have changed beyond chance; as rows for a spreadsheet too."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from aiohttp import web

from callcenter.domain.tickets import RequestType
from callcenter.reports.complaints import ComplaintReport, Trend, complaint_report
from callcenter.web.complaints import block_chart, building_words, chance_words, ratio_words
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.security import protect
from callcenter.web.visit import Visit

WEEKS = (1, 4, 13, 26)
USUAL_WEEKS = 4
BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets on Windows do not read a CSV file as UTF-8."""

Row = list[str | int | float]


async def overview(request: web.Request, visit: Visit) -> web.StreamResponse:
    weeks = asked_weeks(request)
    whole = request.query.get("of") == "all"
    found = await _read(request, visit, weeks, whole=whole)
    return await render_room(
        request,
        visit,
        "complaints.html",
        room="answering",
        found=found,
        weeks=weeks,
        choices=WEEKS,
        whole=whole,
        chart=block_chart(found, visit),
        ratio=lambda change: ratio_words(change, visit),
        chance=chance_words,
        building=lambda place: building_words(place, visit),
    )


def asked_weeks(request: web.Request) -> int:
    asked = request.query.get("weeks", "")
    return int(asked) if asked in map(str, WEEKS) else USUAL_WEEKS


async def _read(request: web.Request, visit: Visit, weeks: int, *, whole: bool) -> ComplaintReport:
    return await complaint_report(
        request.app[DATABASE],
        start=visit.now - timedelta(weeks=weeks),
        end=visit.now,
        request_type=None if whole else RequestType.COMPLAINT,
    )


async def as_csv(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A row a kind, a building, seven days of a kind, and a warning; `group` says which."""
    weeks = asked_weeks(request)
    found = await _read(request, visit, weeks, whole=request.query.get("of") == "all")
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["group", "key", "from", "until", "count", "before", "ratio", "low", "high", "q", "direction"])
    table.writerows(_rows(found, visit))
    response = web.Response(text=BYTE_ORDER_MARK + out.getvalue(), content_type="text/csv", charset="utf-8")
    name = f"complaints-{visit.formats.local(found.start):%Y-%m-%d}-{weeks}w.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    protect(response)
    return response


def _rows(found: ComplaintReport, visit: Visit) -> Iterator[Row]:
    begun, ended = visit.formats.iso(found.start), visit.formats.iso(found.end)
    for kind in found.kinds:
        yield ["kind", kind.key, begun, ended, *_changed(kind)]
    for place in found.buildings:
        yield ["building", place.key.written(), begun, ended, *_changed(place)]
    for block in found.blocks:
        since, until = visit.formats.iso(block.start), visit.formats.iso(block.end)
        for key, count in sorted(block.by_kind.items()):
            yield ["seven_days", key, since, until, count, "", "", "", "", "", ""]
    for one in found.warnings:
        key, where = one.key
        yield ["warning", f"{key} {where.written()}".strip(), begun, ended, *_changed(one)]


def _changed(trend: Trend[Any]) -> Row:
    change = trend.change
    ratio: Row = [round(change.ratio, 4) if change.ratio is not None else "", round(change.low, 4)]
    return [change.now, change.before, *ratio, round(change.high, 4), round(trend.q, 6), trend.direction or ""]
