"""Several homes, one matter: the list of incidents, and one with its tickets and what can be done with it."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from callcenter.domain.incidents import IncidentState
from callcenter.reports.building_map import read_map
from callcenter.reports.incidents import IncidentPage, list_incidents, read_incident
from callcenter.services.change_incident import (
    IncidentRefused,
    NoSuchIncident,
    StaleIncident,
    add_ticket,
    confirm_incident,
    dismiss_incident,
    remove_ticket,
    reopen_incident,
    restore_incident,
    solve_incident,
)
from callcenter.services.tickets import Change, NoSuchTicket
from callcenter.web.errors import BadForm, Conflict, NotFound
from callcenter.web.fields import place_of
from callcenter.web.frame import everyone, render_room
from callcenter.web.incidents import incident_history, incident_standing, incident_title, thing_words
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.names import names
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit, see_other

NOT_NOW = N_("这个事件现在不能这样办：可能已经解决或撤销，或者工单已归入别的事件、已并入别的工单。")
SEEN_OLD = N_("别人刚改过这个事件。请返回，看过新内容后再改。")
NO_SUCH_NUMBER = N_("没有这个编号的工单，请核对后再填。")
NO_NOTE = N_("请写明怎么解决的：每户回访时用得上。")

Save = Callable[[Change], Awaitable[None]]


async def incident_list(request: web.Request, visit: Visit) -> web.StreamResponse:
    found = await list_incidents(request.app[DATABASE])
    groups = ((N_("疑似，请确认"), found.suggested), (N_("处理中"), found.open), (N_("已结束"), found.over))
    return await render_room(
        request,
        visit,
        "incidents.html",
        room="tickets",
        groups=[(word, rows) for word, rows in groups if rows],
        town=await read_map(request.app[DATABASE]),
        title_of=lambda incident: incident_title(incident, visit),
        thing_of=lambda incident: thing_words(incident, visit),
        standing=lambda incident: incident_standing(incident, visit),
    )


async def incident_page(request: web.Request, visit: Visit) -> web.StreamResponse:
    page = await _load(request)
    known = await everyone(request)
    return await render_room(
        request,
        visit,
        "incident.html",
        room="tickets",
        known=known,
        page=page,
        incident=page.incident,
        is_active=page.incident.state in (IncidentState.SUGGESTED, IncidentState.OPEN),
        title=incident_title(page.incident, visit),
        standing=incident_standing(page.incident, visit),
        place_of=place_of,
        history=incident_history(page.history, visit, names(request, known, visit.catalog)),
    )


async def _load(request: web.Request) -> IncidentPage:
    page = await read_incident(request.app[DATABASE], request.match_info["number"])
    if page is None:
        raise NotFound
    return page


async def confirm(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _saved(request, visit, lambda change: confirm_incident(request.app[DATABASE], change))


async def dismiss(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _saved(request, visit, lambda change: dismiss_incident(request.app[DATABASE], change))


async def restore(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _saved(request, visit, lambda change: restore_incident(request.app[DATABASE], change))


async def add(request: web.Request, visit: Visit) -> web.StreamResponse:
    ticket = visit.form.get("ticket", "").strip().upper()
    return await _saved(request, visit, lambda change: add_ticket(request.app[DATABASE], change, ticket=ticket))


async def remove(request: web.Request, visit: Visit) -> web.StreamResponse:
    ticket = visit.form.get("ticket", "")
    return await _saved(request, visit, lambda change: remove_ticket(request.app[DATABASE], change, ticket=ticket))


async def solve(request: web.Request, visit: Visit) -> web.StreamResponse:
    note = visit.form.get("note", "").strip()
    if not note:
        raise BadForm(NO_NOTE)
    rules = rules_of(request)
    return await _saved(
        request, visit, lambda change: solve_incident(request.app[DATABASE], change, note=note, rules=rules)
    )


async def reopen(request: web.Request, visit: Visit) -> web.StreamResponse:
    rules = rules_of(request)
    return await _saved(request, visit, lambda change: reopen_incident(request.app[DATABASE], change, rules=rules))


async def _saved(request: web.Request, visit: Visit, save: Save) -> web.StreamResponse:
    """Saves and shows the incident again; a refusal in the reader's words."""
    number, version = request.match_info["number"], visit.form.get("version", "")
    if not re.fullmatch(r"\d{1,9}", version):
        raise BadForm
    try:
        await save(Change(number=number, version=int(version), actor=visit.user.login, now=visit.now))
    except NoSuchIncident as error:
        raise NotFound from error
    except NoSuchTicket as error:
        raise BadForm(NO_SUCH_NUMBER) from error
    except StaleIncident as error:
        raise Conflict(SEEN_OLD) from error
    except IncidentRefused as error:
        raise BadForm(NOT_NOW) from error
    await announce(request.app)
    return see_other(f"/incidents/{number}")
