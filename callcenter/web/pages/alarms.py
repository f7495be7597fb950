"""The band of alarms by itself, and its two buttons: acknowledged, and on site. Nothing else of a page moves."""

import re

from aiohttp import web

from callcenter.reports.alarms import Alarm
from callcenter.services.escalations import acknowledge_escalation
from callcenter.services.on_call_answers import acknowledge_alarm
from callcenter.services.tickets import Change, StaleTicket, mark_arrived
from callcenter.services.users import record_look
from callcenter.web.alarms import alarms_of, band
from callcenter.web.frame import everyone
from callcenter.web.keys import DATABASE
from callcenter.web.live import announce
from callcenter.web.names import names
from callcenter.web.rendering import render
from callcenter.web.visit import Visit, see_other

TRIES = 5
"""Against others who change the ticket at the same moment."""


async def alarms(request: web.Request, visit: Visit) -> web.StreamResponse:
    known = await everyone(request)
    shown = band(await alarms_of(request, visit.user), visit, names(request, known, visit.catalog))
    return render(request, visit, "parts/alarms.html", alarms=shown)


async def acknowledge(request: web.Request, visit: Visit) -> web.StreamResponse:
    """What stood in the line that was clicked, as far as it is still open and this person's to acknowledge."""
    number = request.match_info["number"]
    alarm = await _alarm(request, visit, number)
    if alarm is None:
        return await _answer(request, visit, number)
    database, actor = request.app[DATABASE], visit.user.login
    seen = {int(one) for one in re.findall(r"\d{1,18}", visit.form.get("escalations", ""))}
    done: dict[str, list[int]] = {"escalations": [], "alarms": []}
    for told in alarm.told:
        if told.escalation.id in seen and await acknowledge_escalation(
            database, told.escalation.id, actor=actor, now=visit.now
        ):
            done["escalations"].append(told.escalation.id)
    row = alarm.emergency.alarm if alarm.emergency else None
    shown = row is not None and str(row.id) == visit.form.get("alarm", "")
    if row and shown and await acknowledge_alarm(database, row.id, actor=actor, now=visit.now):
        done["alarms"].append(row.id)
    await record_look(
        database, login=actor, action="acknowledged", subject=f"ticket:{number}", data=done, now=visit.now
    )
    return await _answer(request, visit, number)


async def arrived(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Somebody is on the spot: nothing is overwritten, so that a change by someone else meanwhile does not matter."""
    number = request.match_info["number"]
    for _ in range(TRIES):
        alarm = await _alarm(request, visit, number)
        if alarm is None or alarm.emergency is None:
            break
        change = Change(number=number, version=alarm.ticket.version, actor=visit.user.login, now=visit.now)
        try:
            await mark_arrived(request.app[DATABASE], change)
        except StaleTicket:
            continue
    return await _answer(request, visit, number)


async def _alarm(request: web.Request, visit: Visit, number: str) -> Alarm | None:
    return next((one for one in await alarms_of(request, visit.user) if one.ticket.number == number), None)


async def _answer(request: web.Request, visit: Visit, number: str) -> web.StreamResponse:
    await announce(request.app)
    if request.headers.get("HX-Request"):
        return await alarms(request, visit)
    return see_other(f"/tickets/{number}")
