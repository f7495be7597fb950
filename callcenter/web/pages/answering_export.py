"""The figures of a period as a file: CSV (by time, agent, number or estate), xlsx and JSON with all of it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from callcenter.domain.agent_time import AgentTime
from callcenter.domain.figures import AgentFigures, Contacts
from callcenter.domain.figures_table import contacts_row, figures_row, rounded, times_row
from callcenter.domain.periods import Period
from callcenter.domain.tallies import Tally
from callcenter.reports.agent_time import read_agent_time
from callcenter.reports.answering import OfGroup, by_estate, by_number
from callcenter.reports.day_sums import read_parts, total_of
from callcenter.web.asked import Asked, asked
from callcenter.web.errors import NotFound
from callcenter.web.exports import Rows, csv_file, json_file, xlsx_file
from callcenter.web.frame import everyone
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.names import names
from callcenter.web.visit import Visit

TABLES = {"time": "parts", "agent": "agents", "number": "numbers", "estate": "estates"}


async def as_csv(request: web.Request, visit: Visit) -> web.StreamResponse:
    """`by`: time (the whole period and each hour or day of it), agent (each own phone), number, estate."""
    by = request.query.get("by", "time")
    if by not in TABLES:
        raise NotFound
    wanted, found = await _read(request, visit)
    return csv_file(found[TABLES[by]], _name(wanted))


async def as_json(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, found = await _read(request, visit)
    counting = request.app[SETTINGS].counting
    whole, *parts = found.pop("parts")
    return json_file({"in_time_ms": counting.in_time_ms, "whole": whole, "parts": parts, **found}, _name(wanted))


async def as_xlsx(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, found = await _read(request, visit)
    return await asyncio.to_thread(xlsx_file, found, _name(wanted))


async def _read(request: web.Request, visit: Visit) -> tuple[Asked, dict[str, Rows]]:
    """The tables by name; the whole period is the first row of `parts`."""
    wanted, counting = asked(request, visit), request.app[SETTINGS].counting
    parts = wanted.period.parts()
    async with request.app[DATABASE].read() as session:
        tallies, by_part = await read_parts(session, wanted.scope, parts, counting, now=visit.now)
        duty = await read_agent_time(session, wanted.scope, now=visit.now)
    named = names(request, await everyone(request), visit.catalog)
    whole = total_of(tallies)
    return wanted, {
        "parts": [_row(wanted.period, whole), *map(_row, parts, by_part)],
        "agents": [_agent(agent, named(agent.agent), duty.get(agent.agent)) for agent in whole.agents()],
        "numbers": _groups("number", by_number(tallies)),
        "estates": _groups("estate", by_estate(whole)),
    }


def _row(period: Period, tally: Tally) -> dict[str, Any]:
    span = {"period": period.kind.value, "from": period.start.isoformat(), "until": period.end.isoformat()}
    longest = {"longest_wait_ms": tally.longest.wait_ms if tally.longest else None}
    return {**span, **figures_row(tally.figures()), **longest, **contacts_row(tally.contacts())}


def _groups(name: str, groups: Iterable[OfGroup]) -> Rows:
    return [{name: one.name, **figures_row(one.figures), **contacts_row(one.contacts)} for one in groups]


def _agent(agent: AgentFigures, name: str, duty: AgentTime | None) -> dict[str, Any]:
    share = agent.share
    return {
        "agent": agent.agent,
        "name": name,
        "rang": agent.rang,
        "within_three_rings": agent.within,
        "undecided": agent.undecided,
        "late": agent.late,
        "refused": agent.refused,
        "rang_out": agent.rang_out,
        "not_confirmed": agent.not_confirmed,
        "share_low": rounded(share.low if share else None),
        "share_high": rounded(share.high if share else None),
        "mean_ring_ms": agent.mean_ring_ms,
        "talks": agent.times.talks,
        **times_row(agent.times),
        "on_duty_ms": duty.on_duty_ms if duty else None,
        "occupancy": rounded(duty.occupancy) if duty else None,
        **contacts_row(agent.contacts or Contacts.none()),
    }


def _name(wanted: Asked) -> str:
    return f"answering-{wanted.period.kind.value}-{wanted.period.start:%Y-%m-%d}"
