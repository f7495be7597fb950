"""The calls behind a figure of the answering page: `which` it is, perhaps one agent's phone, one hour of the day."""

import asyncio
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import ColumnElement, or_

from callcenter.domain.calls import LegOutcome
from callcenter.domain.rings import Verdict
from callcenter.reports.answering import AnsweredCall, list_calls
from callcenter.reports.call_scope import WHICH, Scope, any_agent, of_agent, slow
from callcenter.web.asked import Asked, asked
from callcenter.web.errors import NotFound
from callcenter.web.exports import csv_file, json_file, xlsx_file
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.names import Names, names
from callcenter.web.pages.answering import ring_kind
from callcenter.web.story import story
from callcenter.web.visit import Visit

A_PAGE = 100
MOST_EXPORTED = 100_000
"""Calls in one file; a month of the biggest company stays below it."""

TITLES = {
    "offered": N_("全部来电"),
    "counted": N_("计入来电"),
    "within": N_("三声内接听"),
    "late": N_("超时"),
    "undecided": N_("待定"),
    "missed": N_("未接"),
    "noted": N_("超时、待定与未接"),
    "connected": N_("已接"),
    "not_connected": N_("没有接通"),
    "waited": N_("已接与未接"),
    "abandoned": N_("住户挂断"),
    "voice_mail": N_("转语音信箱"),
    "rang_out": N_("响完未接"),
    "refused": N_("拒听"),
    "short": N_("短时挂断"),
    "left": N_("振铃前挂断"),
    "unknown": N_("结果不明"),
    "linked": N_("有工单的来电"),
    "repeats": N_("重复来电"),
    "flow_out": N_("流出到备用号码"),
    "transferred": N_("转接的来电"),
    "slow": N_("没有在限时内接听"),
    "leg_faults": N_("有话机拒听或响完未接"),
    "agent": N_("本机振铃"),
}


def _asked_for(request: web.Request, visit: Visit) -> tuple[Asked, str, Scope, ColumnElement[bool], int | None]:
    """The period, which figure, and with its hour the calls that it counts. Raises NotFound."""
    wanted, which = asked(request, visit), request.query.get("which", "noted")
    if which not in TITLES:
        raise NotFound
    hour = _number(request, "hour", 23)
    scope = wanted.scope if hour is None else _hour_of(wanted.scope, hour)
    return wanted, which, scope, _condition(which, request, request.app[SETTINGS].counting.in_time_ms), hour


async def call_list(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, which, scope, condition, hour = _asked_for(request, visit)
    page = _number(request, "page", 100_000) or 1
    calls, count = await list_calls(request.app[DATABASE], scope, condition, most=A_PAGE, skip=(page - 1) * A_PAGE)
    known = await everyone(request)
    named = names(request, known, visit.catalog)
    return await render_room(
        request,
        visit,
        "answering_calls.html",
        room="answering",
        known=known,
        asked=wanted,
        title=visit.catalog.gettext(TITLES[which]),
        agent=named(request.query.get("agent")) if which == "agent" else "",
        hour=hour,
        calls=calls,
        count=count,
        page=page,
        pages=-(-count // A_PAGE),
        story=lambda noted: story(noted, visit, named),
        ring_kind=ring_kind,
    )


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The same calls as a file, by the ending that the address names: csv, xlsx or json."""
    wanted, which, scope, condition, _ = _asked_for(request, visit)
    calls, count = await list_calls(request.app[DATABASE], scope, condition, most=MOST_EXPORTED)
    named = names(request, await everyone(request), visit.catalog)
    rows = [_row(one, named) for one in calls]
    name = f"calls-{which}-{wanted.period.kind.value}-{wanted.period.start:%Y-%m-%d}"
    match request.match_info["kind"]:
        case "xlsx":
            return await asyncio.to_thread(xlsx_file, {"calls": rows}, name)
        case "json":
            return json_file({"which": which, "count": count, "calls": rows}, name)
        case _:
            return csv_file(rows, name)


def _row(one: AnsweredCall, named: Names) -> dict[str, Any]:
    """No resident's number: the call's id leads to it."""
    call = one.call
    return {
        "call": call.id,
        "started_at": call.started_at.isoformat(),
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "to": call.to_number,
        "disposition": call.disposition,
        "verdict": call.verdict,
        "rule": call.rule,
        "rings_low": call.rings_low,
        "rings_high": call.rings_high,
        "ring_low_ms": call.ring_low_ms,
        "ring_high_ms": call.ring_high_ms,
        "answer_speed_low_ms": call.answer_speed_low_ms,
        "answer_speed_high_ms": call.answer_speed_high_ms,
        "wait_low_ms": call.wait_low_ms,
        "wait_high_ms": call.wait_high_ms,
        "talk_low_ms": call.talk_low_ms,
        "talk_high_ms": call.talk_high_ms,
        "hold_low_ms": call.hold_low_ms,
        "hold_high_ms": call.hold_high_ms,
        "wrap_up_low_ms": call.wrap_up_low_ms,
        "wrap_up_high_ms": call.wrap_up_high_ms,
        "transferred": call.transferred,
        "hung_up_by": call.hung_up_by,
        "answered_by": call.answered_by,
        "name": named(call.answered_by) if call.answered_by else None,
        "ticket": one.ticket.number if one.ticket else None,
    }


def _hour_of(scope: Scope, hour: int) -> Scope:
    """This hour of a day's scope; the wall's clock decides, so one that a clock change repeats is both."""
    start = scope.start.replace(hour=hour)
    return scope.within(start, start + timedelta(hours=1))


def _condition(which: str, request: web.Request, in_time_ms: int) -> ColumnElement[bool]:
    if which == "slow":
        return slow(in_time_ms)
    if which == "leg_faults":
        return or_(any_agent(LegOutcome.REFUSED), any_agent(LegOutcome.RANG_OUT))
    if which == "agent":
        return _of_agent(request)
    return WHICH[which]


def _of_agent(request: web.Request) -> ColumnElement[bool]:
    """`outcome` and `verdict` narrow it down to one column of the agents' table."""
    outcome, verdict = request.query.get("outcome"), request.query.get("verdict")
    return of_agent(
        request.query.get("agent", ""),
        LegOutcome(outcome) if outcome in set(LegOutcome) else None,
        Verdict(verdict) if verdict in set(Verdict) else None,
    )


def _number(request: web.Request, name: str, most: int) -> int | None:
    written: Any = request.query.get(name, "")
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(most))):
        return None
    return min(int(written), most)
