"""What stands around every page: which room one is in, how much waits in each, what people are called."""

import json
from dataclasses import asdict, dataclass

from aiohttp import web

from callcenter.domain.agent_states import AgentState
from callcenter.domain.rings import RingRule
from callcenter.reports.live_calls import calls_on_the_line
from callcenter.reports.people import Person, people
from callcenter.reports.reminders import count_owed
from callcenter.reports.review import count_to_review
from callcenter.reports.tickets import count_open
from callcenter.web.admin.rooms import ROOMS
from callcenter.web.alarms import alarms_of, band
from callcenter.web.keys import DATABASE, DUTY, LIVE_BOARD, SETTINGS
from callcenter.web.names import names
from callcenter.web.rendering import render
from callcenter.web.visit import Visit


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    review: int
    tickets: int
    reminders: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MyState:
    """What the bar says of the agent who reads it: doing (with the phone), and what they said themselves."""

    doing: str
    words: str
    state: str
    choices: tuple[tuple[str, str], ...]


def my_state(request: web.Request, visit: Visit) -> MyState | None:
    """None for whoever has no phone of the settings."""
    now = request.app[DUTY].doing(visit.user.agent_id or "")
    if now is None:
        return None
    choices = tuple((state.value, visit.labels("doing", state)) for state in AgentState)
    words = visit.labels("doing", now.doing)
    return MyState(doing=now.doing.value, words=words, state=now.state.value, choices=choices)


async def everyone(request: web.Request) -> tuple[Person, ...]:
    return await people(request.app[DATABASE])


async def render_room(
    request: web.Request,
    visit: Visit,
    template: str,
    *,
    room: str,
    status: int = 200,
    plays_audio: bool = False,
    known: tuple[Person, ...] | None = None,
    **context: object,
) -> web.Response:
    """A page of the console with its frame."""
    database = request.app[DATABASE]
    counts = Counts(
        review=await count_to_review(database, agent_id=visit.user.agent_id, all_calls=visit.is_supervisor),
        tickets=await count_open(database),
        reminders=await count_owed(database, now=visit.now),
    )
    if known is None:
        known = await everyone(request)
    rings = request.app[SETTINGS].rings
    context["seen"] = json.dumps(asdict(visit.seen)) if visit.seen else ""
    named = names(request, known, visit.catalog)
    context["named"] = named
    context["on_the_line"] = ()
    if LIVE_BOARD in request.app:
        context["on_the_line"] = await calls_on_the_line(
            database, agent_id=visit.user.agent_id, all_calls=visit.is_supervisor
        )
    context["alarms"] = band(await alarms_of(request, visit.user), visit, named)
    context["rule"] = RingRule(cycle_ms=round(rings.cycle_seconds * 1000), rings=rings.rings)
    context["me"] = my_state(request, visit)
    context["admin_rooms"] = tuple(ROOMS.values()) if room == "admin" else ()
    context["field_names"] = lambda fields: visit.labels.fields(fields)
    return render(
        request,
        visit,
        template,
        status=status,
        plays_audio=plays_audio,
        room=room,
        counts=counts,
        **context,
    )
