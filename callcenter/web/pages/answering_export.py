"""The figures of a period as a file: CSV for a spreadsheet (by time, or by agent), JSON with all of it."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from callcenter.domain.figures import AgentFigures
from callcenter.domain.figures_table import figures_row
from callcenter.domain.periods import Period
from callcenter.reports.contacts import read_contacts
from callcenter.reports.figures import agent_figures, figures_of_parts, read_figures
from callcenter.web.asked import Asked, asked
from callcenter.web.frame import everyone
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.names import names
from callcenter.web.security import protect
from callcenter.web.visit import Visit

BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets on Windows do not read a CSV file as UTF-8."""

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def as_csv(request: web.Request, visit: Visit) -> web.StreamResponse:
    """`by=agent`: a row for each agent's own phone; else the whole period and each hour or day of it."""
    wanted, found = await _read(request, visit)
    rows = found["agents"] if request.query.get("by") == "agent" else [found["whole"], *found["parts"]]
    return _file(BYTE_ORDER_MARK + written(rows), "text/csv", f"{_name(wanted)}.csv")


async def as_json(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, found = await _read(request, visit)
    response = web.json_response(found)
    response.headers["Content-Disposition"] = f'attachment; filename="{_name(wanted)}.json"'
    protect(response)
    return response


async def _read(request: web.Request, visit: Visit) -> tuple[Asked, dict[str, Any]]:
    wanted = asked(request, visit)
    in_time_ms = round(request.app[SETTINGS].answering.in_time_seconds * 1000)
    parts = wanted.period.parts()
    async with request.app[DATABASE].read() as session:
        whole = await read_figures(session, wanted.scope, in_time_ms=in_time_ms)
        by_part = await figures_of_parts(session, wanted.scope, parts, in_time_ms=in_time_ms)
        agents = await agent_figures(session, wanted.scope)
        contacts = await read_contacts(session, wanted.scope, now=visit.now)
    named = names(request, await everyone(request), visit.catalog)
    return wanted, {
        "in_time_ms": in_time_ms,
        "whole": {**_span(wanted.period), **figures_row(whole)},
        "parts": [{**_span(part), **figures_row(figures)} for part, figures in zip(parts, by_part, strict=True)],
        "agents": [_agent(agent, named(agent.agent)) for agent in agents],
        "contacts": asdict(contacts),
    }


def _span(period: Period) -> dict[str, str]:
    return {"period": period.kind.value, "from": period.start.isoformat(), "until": period.end.isoformat()}


def _agent(agent: AgentFigures, name: str) -> dict[str, Any]:
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
        "share_low": round(share.low, 6) if share else None,
        "share_high": round(share.high, 6) if share else None,
        "mean_ring_ms": agent.mean_ring_ms,
        "talks": agent.talks,
        "mean_talk_ms": agent.mean_talk_ms,
    }


def written(rows: Iterable[Mapping[str, Any]]) -> str:
    """CSV with a head; a text that a spreadsheet would take for a formula stands behind an apostrophe."""
    kept = list(rows)
    out = io.StringIO()
    if kept:
        table = csv.DictWriter(out, fieldnames=list(kept[0]), lineterminator="\r\n")
        table.writeheader()
        table.writerows({name: _harmless(value) for name, value in row.items()} for row in kept)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(BEGINS_A_FORMULA) else value


def _name(wanted: Asked) -> str:
    return f"answering-{wanted.period.kind.value}-{wanted.period.start:%Y-%m-%d}"


def _file(text: str, content_type: str, name: str) -> web.Response:
    response = web.Response(text=text, content_type=content_type, charset="utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    protect(response)
    return response
