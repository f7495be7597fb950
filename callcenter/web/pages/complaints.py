"""投诉分析: which complaints come most, where, and which have changed beyond chance; as rows for a spreadsheet too."""

from datetime import timedelta
from math import isfinite
from typing import Any

from aiohttp import web

from callcenter.domain.tickets import RequestType
from callcenter.domain.trends import RateChange
from callcenter.reports.complaints import ComplaintReport, Trend, complaint_report
from callcenter.web.complaints import block_chart, building_words, chance_words, ratio_words, spark
from callcenter.web.exports import Rows, tables_file
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.visit import Visit

WEEKS = (1, 4, 13, 26)
USUAL_WEEKS = 4


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
        kind_spark=lambda key: spark([one.by_kind.get(key, 0) for one in found.blocks]),
        building_spark=lambda key: spark([one.by_building.get(key, 0) for one in found.blocks]),
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


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The same as a file, by the ending that the address names: csv (`by` says which table), xlsx or json."""
    weeks = asked_weeks(request)
    found = await _read(request, visit, weeks, whole=request.query.get("of") == "all")
    span = {"from": visit.formats.iso(found.start), "until": visit.formats.iso(found.end)}
    return await tables_file(
        request.match_info["kind"],
        complaint_tables(found, visit),
        f"complaints-{visit.formats.local(found.start):%Y-%m-%d}-{weeks}w",
        by=request.query.get("by", "kinds"),
        head=span | _changed(found.total),
    )


def complaint_tables(found: ComplaintReport, visit: Visit) -> dict[str, Rows]:
    """Ranked kinds and buildings with their change, kinds by seven days, and the warnings."""
    return {
        "kinds": [{"category": one.key or None, **_trend(one)} for one in found.kinds],
        "buildings": [{"building": one.key.written(), **_trend(one)} for one in found.buildings],
        "seven_days": [
            {
                "from": visit.formats.iso(block.start),
                "until": visit.formats.iso(block.end),
                "category": kind or None,
                "count": count,
            }
            for block in found.blocks
            for kind, count in sorted(block.by_kind.items())
        ],
        "warnings": [
            {"category": one.key[0] or None, "building": one.key[1].written() or None, **_trend(one)}
            for one in found.warnings
        ],
    }


def _trend(trend: Trend[Any]) -> dict[str, Any]:
    return {**_changed(trend.change), "q": round(trend.q, 6), "direction": trend.direction}


def _changed(change: RateChange) -> dict[str, Any]:
    """`high` None: as many times as you like."""
    return {
        "count": change.now,
        "before": change.before,
        "ratio": round(change.ratio, 4) if change.ratio is not None else None,
        "low": round(change.low, 4),
        "high": round(change.high, 4) if isfinite(change.high) else None,
    }
