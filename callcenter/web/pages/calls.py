"""One call to its bones: the ring ledger, every event, the recording and what was said."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from callcenter.db.calls import CallJudgementRow, CallRow
from callcenter.db.events import CallEventRow
from callcenter.domain.rings import RingRule
from callcenter.reports.call_page import CallPage, read_call
from callcenter.web import shapes
from callcenter.web.errors import NotAllowed, NotFound
from callcenter.web.formats import masked
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, LANGUAGE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.ledger import ledger
from callcenter.web.names import Names, names
from callcenter.web.pages.ticket import hear
from callcenter.web.service_language import FindingView, finding_view
from callcenter.web.talk import talk_page
from callcenter.web.visit import Visit
from callcenter.web.whole_call import whole_call

OWN_ONLY = N_("只有主管和响过铃的客服能看这通电话。")


async def call_page(request: web.Request, visit: Visit) -> web.StreamResponse:
    found = await read_call(request.app[DATABASE], request.match_info["call_id"])
    if found is None:
        raise NotFound
    if not may_see(found, visit):
        raise NotAllowed(OWN_ONLY)
    call = found.recorded.call
    rings = request.app[SETTINGS].rings
    rule = RingRule(cycle_ms=round(rings.cycle_seconds * 1000), rings=rings.rings)
    known = await everyone(request)
    named = names(request, known, visit.catalog)
    return await render_room(
        request,
        visit,
        "call.html",
        room="answering" if visit.is_supervisor else "tickets",
        plays_audio=True,
        known=known,
        found=found,
        call=call,
        heard=hear(found.recorded, None),
        talk=talk_page(found.live),
        checked=found.language,
        findings=_findings(request, visit, found),
        ledger=ledger(call, found.recorded.legs, found.events, rule),
        whole=whole_call(call, found.recorded.legs, found.events),
        kind=shapes.mark_of(call.disposition, call.verdict),
        told=_told(found, visit, rule),
        judged=judged(found, visit),
        hung_up=_hung_up(found, visit),
        after_answer=_after_answer(found.recorded.call, visit),
        event_words=lambda event: event_words(event, visit, named),
        doubt=doubt,
    )


def _findings(request: web.Request, visit: Visit, found: CallPage) -> list[FindingView]:
    if found.language is None:
        return []
    rules, answered_by = request.app[LANGUAGE].rules(), found.recorded.call.answered_by
    return [finding_view(row, rules, visit, answered_by=answered_by) for row in found.language.findings]


def may_see(found: CallPage, visit: Visit) -> bool:
    return visit.is_supervisor or visit.user.agent_id in found.agents


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A judgement as the page shows it: by which rule, its mark, in words, until when it stood (None: it stands)."""

    rule: str
    mark: str
    words: str
    until: datetime | None


def judged(found: CallPage, visit: Visit) -> list[Judged]:
    """The judgement in force first, then those of earlier rules, the latest first."""
    call = found.recorded.call
    if call.direction == "outbound":
        return []
    rows: list[CallRow | CallJudgementRow] = [call, *reversed(found.judged_before)]
    return [
        Judged(
            rule=rule_words(row.rule, visit),
            mark=shapes.mark_of(row.disposition, row.verdict),
            words=_verdict_words(row, visit),
            until=row.replaced_at if isinstance(row, CallJudgementRow) else None,
        )
        for row in rows
    ]


def rule_words(version: str, visit: Visit) -> str:
    """3 声内，周期 5 秒."""
    rule = RingRule.of_version(version)
    if rule is None:
        return visit.catalog.gettext("没有记录")
    return visit.catalog.gettext(
        "%(rings)s 声内，周期 %(seconds)s 秒", rings=rule.rings, seconds=f"{rule.cycle_ms / 1000:g}"
    )


def _verdict_words(row: CallRow | CallJudgementRow, visit: Visit) -> str:
    """三声内 as 已接·第 2 声."""
    words = visit.labels("disposition", row.disposition)
    if row.verdict:
        words = f"{words}·{visit.labels('verdict', row.verdict)}"
    return f"{words}·{visit.formats.rings(row.rings_low, row.rings_high)}" if row.rings_low is not None else words


def _hung_up(found: CallPage, visit: Visit) -> str:
    """Who hung up, as far as the line tells."""
    call, say = found.recorded.call, visit.catalog.gettext
    if call.ended_at is None:
        return say("通话未结束")
    who = {
        "resident": say("住户挂机"),
        "agent": say("客服挂机"),
        "exchange": say("电话交换机中断"),
        "unseen": say("在与交换机断线期间结束"),
    }
    return who.get(call.hung_up_by or "", say("线路没有报告谁挂机"))


def _after_answer(call: CallRow, visit: Visit) -> str:
    """Hold, transfer and the work after the call, as far as anybody told of them."""
    f, say, told = visit.formats, visit.catalog.gettext, []
    if call.hold_low_ms is not None and call.hold_high_ms is not None:
        told.append(say("保持 %(seconds)s 秒", seconds=f.seconds(call.hold_low_ms, call.hold_high_ms)))
    if call.transferred is not None:
        told.append(say("已转接") if call.transferred else say("没有转接"))
    if call.wrap_up_low_ms is not None and call.wrap_up_high_ms is not None:
        told.append(say("话后处理 %(seconds)s 秒", seconds=f.seconds(call.wrap_up_low_ms, call.wrap_up_high_ms)))
    return "·".join(told)


def _told(found: CallPage, visit: Visit, rule: RingRule) -> str:
    """第 4 声接听，超时 2.0 秒."""
    call, f, say = found.recorded.call, visit.formats, visit.catalog.gettext
    if call.direction == "outbound":
        return visit.labels("outbound", call.outbound_outcome)
    if call.ring_low_ms is None or call.ring_high_ms is None:
        return visit.labels("disposition", call.disposition)
    rings = f.rings(call.rings_low, call.rings_high)
    if call.disposition != "answered":
        return f"{rings}·{visit.labels('disposition', call.disposition)}"
    if call.verdict == "late":
        over = f.seconds(call.ring_low_ms - rule.limit_ms, call.ring_high_ms - rule.limit_ms)
        return say("%(rings)s接听，超时 %(seconds)s 秒", rings=rings, seconds=over)
    if call.verdict == "undecided":
        return say("%(rings)s接听，待定", rings=rings)
    return say("%(rings)s接听", rings=rings)


def event_words(event: CallEventRow, visit: Visit, named: Names) -> str:
    """The event in words, with what its data says that matters to a reader."""
    data, say = event.data, visit.catalog.gettext
    words = visit.labels("event", event.kind)
    who = named(data.get("agent"))
    if event.kind.startswith("leg_"):
        words = f"{who} {words}".strip()
    if data.get("reason"):
        words += say("（%(reason)s）", reason=visit.labels("end_reason", str(data["reason"])))
    if data.get("sip_code"):
        words += f" {data['sip_code']}"
    if event.kind == "key_pressed":
        words += f" {data.get('digits', '')}"
    if event.kind == "call_started" and data.get("from"):
        words += f" {masked(str(data['from']))}"
    return words


def doubt(event: CallEventRow) -> str:
    """±0.5 where the clock shows whole seconds."""
    half = (event.latest - event.earliest).total_seconds() / 2
    return f"±{half:.2g}" if half else "0"
