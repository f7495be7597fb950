"""Staffing: the agents that next week needs by half hour, and a recorded day played again with one more or fewer."""

import asyncio
from datetime import datetime, timedelta
from math import ceil

from aiohttp import web

from callcenter.config import Settings
from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.replay import Replayed, replay
from callcenter.domain.staffing_plan import stretches
from callcenter.reports.staffing import RecordedDay, StaffingRule, plan_of, read_staffing
from callcenter.web.asked import date_of
from callcenter.web.exports import csv_file, json_file, xlsx_file
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.visit import Visit

MOST_AGENTS = 999


async def staffing(request: web.Request, visit: Visit) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    rule = staffing_rule(settings)
    found = await read_staffing(
        request.app[DATABASE], rule, now=visit.now, replayed=date_of(request.query.get("day", ""))
    )
    plan = await asyncio.to_thread(plan_of, found, rule)
    agents = _agents(request)
    if agents is None and found.recorded is not None:
        agents = _busy(found.recorded)
    return await render_room(
        request,
        visit,
        "staffing.html",
        room="answering",
        found=found,
        wanted=rule,
        after_told=settings.answering.after_call_seconds is not None,
        plan=plan,
        stretches=stretches(plan) if plan else (),
        agents=agents,
        replays=await asyncio.to_thread(_replays, found.recorded, agents or 1, rule.in_time_seconds),
        noon=lambda day: datetime.combine(day, datetime.min.time(), visit.zone) + timedelta(hours=12),
    )


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The plan as a file, a row for each half hour of the days foreseen: csv, xlsx or json."""
    rule = staffing_rule(request.app[SETTINGS])
    found = await read_staffing(request.app[DATABASE], rule, now=visit.now, replayed=None)
    plan = await asyncio.to_thread(plan_of, found, rule)
    rows = [
        {
            "day": day.day.isoformat(),
            "from": f"{slot // 2:02d}:{slot % 2 * 30:02d}",
            "calls_foreseen": round(calls, 2),
            "agents": agents,
        }
        for day in plan
        for slot, (calls, agents) in enumerate(zip(day.calls, day.agents, strict=True))
    ]
    name = f"staffing-{visit.now.astimezone(visit.zone):%Y-%m-%d}"
    match request.match_info["kind"]:
        case "xlsx":
            return await asyncio.to_thread(xlsx_file, {"plan": rows}, name)
        case "json":
            wanted = {"served_share": rule.served_share, "in_time_seconds": rule.in_time_seconds}
            return json_file({**wanted, "plan": rows}, name)
        case _:
            return csv_file(rows, name)


def staffing_rule(settings: Settings) -> StaffingRule:
    calendar = WorkCalendar(
        zone=settings.zone,
        holidays=frozenset(settings.calendar.holidays),
        working_days=frozenset(settings.calendar.working_days),
    )
    return StaffingRule(
        zone=settings.zone,
        served_share=settings.staffing.served_share,
        in_time_seconds=settings.answering.in_time_seconds,
        patience_seconds=settings.staffing.patience_seconds,
        after_call_seconds=settings.answering.after_call_seconds or 0.0,
        weeks=settings.staffing.history_weeks,
        is_working_day=calendar.is_working_day,
    )


def _agents(request: web.Request) -> int | None:
    written = request.query.get("agents", "")
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(MOST_AGENTS))):
        return None
    return max(1, int(written))


def _busy(recorded: RecordedDay) -> int:
    """As many agents as were busy on average in the day's busiest hour, and one more."""
    by_hour: dict[int, float] = {}
    for call in recorded.arrivals:
        by_hour[int(call.at // 3600)] = by_hour.get(int(call.at // 3600), 0.0) + call.handling_seconds
    return ceil(max(by_hour.values(), default=0.0) / 3600) + 1


def _replays(recorded: RecordedDay | None, agents: int, within_seconds: float) -> list[Replayed]:
    """One fewer, as many, one more."""
    if recorded is None or not recorded.arrivals:
        return []
    numbers = [number for number in (agents - 1, agents, agents + 1) if number >= 1]
    return [replay(recorded.arrivals, number, within_seconds=within_seconds) for number in numbers]
