"""The supervisor's page: the day's share within three rings, never without the speed of answer beside it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from callcenter.domain.rings import Disposition
from callcenter.reports.answering import TARGET, AnsweredCall, Answering, HourOfCalls, answering, day_of
from callcenter.web import shapes
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.names import names
from callcenter.web.story import story
from callcenter.web.visit import Visit

SHOWN_CALLS = 8
MOST_RINGS = 7
CHART = {"left": 28.0, "width": 712.0, "floor": 180.0, "height": 150.0}
DISTRIBUTION = {"width": 476.0, "floor": 180.0, "height": 140.0}

VERDICTS = {
    "ok": (N_("达标"), N_("高于目标 %(goal)s")),
    "bad": (N_("未达标"), N_("低于目标 %(goal)s")),
    "und": (N_("能否达标，尚不能定"), ""),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One hour of the chart, or one number of rings of the other."""

    label: str
    x: float
    width: float
    bars: tuple[shapes.Bar, ...]
    total: int


async def day(request: web.Request, visit: Visit) -> web.StreamResponse:
    start, end = _asked_day(request, visit)
    zone = visit.zone
    database = request.app[DATABASE]
    found = await answering(database, start=start, end=end, zone=zone)
    before = await answering(database, start=start - timedelta(days=1), end=start, zone=zone)
    known = await everyone(request)
    named = names(request, known, visit.catalog)
    scale = shapes.scale_for(max((hour.total for hour in found.hours), default=0))
    return await render_room(
        request,
        visit,
        "answering.html",
        room="answering",
        known=known,
        found=found,
        before=before,
        start=start,
        is_today=start <= visit.now < end,
        days=_days(start, visit),
        target=TARGET,
        verdict=_verdict(found),
        verdict_words=VERDICTS,
        band=_band(found),
        chart=CHART,
        scale=scale,
        columns=_hour_columns(found.hours, scale),
        now_x=_now_x(start, end, visit),
        totals=_totals(found.hours),
        rings=_ring_columns(found, request, visit),
        distribution=DISTRIBUTION,
        noted=found.noted if "all" in request.query else found.noted[:SHOWN_CALLS],
        story=lambda noted: story(noted, visit, named),
        ring_kind=ring_kind,
        disposition=lambda name: found.by_disposition.get(Disposition(name), 0),
        company=request.app[SETTINGS].console.company,
    )


def _asked_day(request: web.Request, visit: Visit) -> tuple[datetime, datetime]:
    asked = request.query.get("day", "")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", asked):
        try:
            at = datetime.fromisoformat(asked).replace(hour=12, tzinfo=visit.zone)
        except ValueError:
            at = visit.now
        return day_of(at, visit.zone)
    return day_of(visit.now, visit.zone)


def _days(start: datetime, visit: Visit) -> list[tuple[str, str, bool]]:
    """Today and the six days before as (word, address, current)."""
    today, _ = day_of(visit.now, visit.zone)
    days = [today - timedelta(days=back) for back in range(3)]
    return [(visit.formats.day(one), f"/answering?day={one:%Y-%m-%d}", one.date() == start.date()) for one in days]


def _band(found: Answering) -> shapes.BandDrawing | None:
    low, high = found.share.low, found.share.high
    return shapes.band(low, high, TARGET) if low is not None and high is not None else None


def _verdict(found: Answering) -> str | None:
    low, high = found.share.low, found.share.high
    if low is None or high is None:
        return None
    if low >= TARGET:
        return "ok"
    return "bad" if high < TARGET else "und"


def _hour_columns(hours: Iterable[HourOfCalls], scale: shapes.Scale) -> list[Column]:
    step = CHART["width"] / 24
    width = step * 0.8
    return [
        Column(
            label=str(hour.hour) if hour.hour % 3 == 0 else "",
            x=round(CHART["left"] + hour.hour * step + step / 2, 1),
            width=width,
            total=hour.total,
            bars=tuple(
                shapes.stacked(
                    (("ok", hour.within), ("und", hour.undecided), ("late", hour.late), ("bad", hour.missed)),
                    scale=scale,
                    x=CHART["left"] + hour.hour * step + (step - width) / 2,
                    width=width,
                    floor=CHART["floor"],
                    height=CHART["height"],
                )
            ),
        )
        for hour in hours
    ]


def _now_x(start: datetime, end: datetime, visit: Visit) -> float | None:
    if not start <= visit.now < end:
        return None
    share = (visit.now - start) / (end - start)
    return round(CHART["left"] + share * CHART["width"], 1)


def _totals(hours: Iterable[HourOfCalls]) -> dict[str, int]:
    kept = list(hours)
    return {name: sum(getattr(hour, name) for hour in kept) for name in ("within", "undecided", "late", "missed")}


def _ring_columns(found: Answering, request: web.Request, visit: Visit) -> list[Column]:
    """At which ring calls were answered; what may be one of two stands between them; what nobody answered is last."""
    limit = request.app[SETTINGS].rings.rings
    exact: dict[int, int] = {}
    open_ones = 0
    for (low, high), count in found.by_rings.items():
        if low == high or high <= limit or low > limit:
            exact[min(low, MOST_RINGS)] = exact.get(min(low, MOST_RINGS), 0) + count
        else:
            open_ones += count
    say = visit.catalog.gettext
    kinds: list[tuple[str, str, int]] = [("ok", str(ring), exact.get(ring, 0)) for ring in range(1, limit + 1)]
    kinds.append(("und", say("%(low)s或%(high)s", low=limit, high=limit + 1), open_ones))
    kinds += [
        ("late", str(ring) if ring < MOST_RINGS else f"≥{ring}", exact.get(ring, 0))
        for ring in range(limit + 1, MOST_RINGS + 1)
    ]
    kinds.append(("bad", say("未接"), found.share.missed))
    return _distribution(kinds)


def _distribution(kinds: list[tuple[str, str, int]]) -> list[Column]:
    highest = max((count for _, _, count in kinds), default=0) or 1
    scale = shapes.Scale(step=highest, top=highest)
    step = DISTRIBUTION["width"] / len(kinds)
    width = step * 0.77
    return [
        Column(
            label=label,
            x=round(number * step + step / 2, 1),
            width=width,
            total=count,
            bars=tuple(
                shapes.stacked(
                    ((kind, count),),
                    scale=scale,
                    x=number * step + (step - width) / 2,
                    width=width,
                    floor=DISTRIBUTION["floor"],
                    height=DISTRIBUTION["height"],
                )
            ),
        )
        for number, (kind, label, count) in enumerate(kinds)
    ]


def ring_kind(noted: AnsweredCall) -> str:
    return shapes.mark_of(noted.call.disposition, noted.call.verdict)
