"""The supervisor's page: the share within three rings of a day, week or month, never without the speed of answer."""

from aiohttp import web

from callcenter.domain.figures import Band
from callcenter.domain.periods import PeriodKind
from callcenter.domain.rings import Disposition
from callcenter.reports.answering import AnsweredCall, answering, summary
from callcenter.web import charts, shapes
from callcenter.web.asked import BEFORE, KINDS, Asked, asked
from callcenter.web.figure_words import FORMULAS, figure_lines
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.names import names
from callcenter.web.story import story
from callcenter.web.visit import Visit

VERDICTS = {
    "ok": (N_("达标"), N_("高于目标 %(goal)s")),
    "bad": (N_("未达标"), N_("低于目标 %(goal)s")),
    "und": (N_("能否达标，尚不能定"), ""),
}


async def overview(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, settings, database = asked(request, visit), request.app[SETTINGS], request.app[DATABASE]
    found = await answering(database, wanted.scope, settings.counting, now=visit.now)
    earlier = wanted.scope.within(wanted.before.start, wanted.before.end)
    before = await summary(database, earlier, settings.counting, now=visit.now)
    known = await everyone(request)
    named = names(request, known, visit.catalog)
    share, target = found.figures.share, settings.answering.target
    return await render_room(
        request,
        visit,
        "answering.html",
        room="answering",
        known=known,
        asked=wanted,
        found=found,
        figures=found.figures,
        share=share,
        target=target,
        tabs=_tabs(wanted, visit),
        verdict=_verdict(share_band(share.low, share.high), target),
        verdict_words=VERDICTS,
        band=shapes.band(share.low, share.high, target) if share.low is not None and share.high is not None else None,
        lines=figure_lines(found, before, wanted, visit, settings.answering),
        formulas=FORMULAS,
        earlier=visit.catalog.gettext(BEFORE[wanted.period.kind]),
        hours=charts.by_hour(found.hours),
        days=charts.by_day(found.days, visit) if wanted.period.kind is not PeriodKind.DAY else None,
        now_x=charts.now_x(wanted) if wanted.period.kind is PeriodKind.DAY else None,
        hour_link=lambda hour: wanted.calls("counted", hour=hour),
        day_link=lambda day: f"/answering?period=day&day={day}",
        totals=charts.totals(found.hours),
        rings=charts.by_rings(found.by_rings, share.missed, settings.rings.rings, visit),
        story=lambda noted: story(noted, visit, named),
        ring_kind=ring_kind,
        disposition=lambda name: found.figures.of(Disposition(name)),
    )


def share_band(low: float | None, high: float | None) -> Band | None:
    return Band(low=low, high=high) if low is not None and high is not None else None


def _verdict(band: Band | None, target: float) -> str | None:
    if band is None:
        return None
    if band.low >= target:
        return "ok"
    return "bad" if band.high < target else "und"


def _tabs(wanted: Asked, visit: Visit) -> list[tuple[str, str, bool]]:
    """(word, address, current): day, week, month; then one period back and, unless it is the last, one forward."""
    say = visit.catalog.gettext
    tabs = [
        (say(word), wanted.address(period=wanted.of_kind(kind)), kind is wanted.period.kind)
        for kind, word in KINDS.items()
    ]
    tabs.append(("← " + say("前一期"), wanted.address(period=wanted.period.before()), False))
    if wanted.period.end <= wanted.now:
        tabs.append((say("后一期") + " →", wanted.address(period=wanted.period.after()), False))
    return tabs


def ring_kind(noted: AnsweredCall) -> str:
    return shapes.mark_of(noted.call.disposition, noted.call.verdict)
