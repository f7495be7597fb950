"""The agent's desk: the call that rings or goes on, its caller, its words as they are said, its ticket as it fills."""

from typing import Any

from aiohttp import web

from callcenter.domain.agent_states import Doing
from callcenter.domain.rings import RingRule
from callcenter.reports.call_page import CallPage, read_call
from callcenter.reports.caller import Caller, read_caller
from callcenter.reports.ticket_page import read_ticket
from callcenter.reports.wall import heard
from callcenter.services.users import record_look
from callcenter.web.desk import caller_context, live_draft
from callcenter.web.errors import Conflict, NotAllowed, NotFound
from callcenter.web.formats import inland
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, DUTY, LIVE_BOARD, LIVE_TICKETS, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.pages.calls import OWN_ONLY, may_see
from callcenter.web.pages.desk_orders import orders_context
from callcenter.web.pages.ticket import assignable, describe
from callcenter.web.rendering import render
from callcenter.web.talk import talk_page
from callcenter.web.visit import Visit, see_other
from callcenter.web.wall import wall_clock

NOTHING_SAID = N_("还没有听到话，不能建工单。请稍等一两句话。")


async def desk(request: web.Request, visit: Visit) -> web.StreamResponse:
    """One's own call where there is one, else what is on the line."""
    now = request.app[DUTY].doing(visit.user.agent_id or "")
    if now is not None and now.call_id is not None and now.doing in (Doing.RINGING, Doing.TALKING):
        return see_other(f"/desk/calls/{now.call_id}")
    rule, clock = _rule(request), wall_clock(request.app, visit)
    return await render_room(request, visit, "desk_idle.html", room="desk", clock=clock, rule=rule)


async def pop(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A line about who is phoning, for whatever page its agent is reading; empty when nobody is."""
    now = request.app[DUTY].doing(visit.user.agent_id or "")
    found = None
    if now is not None and now.call_id is not None and now.doing is Doing.RINGING:
        found = await read_call(request.app[DATABASE], now.call_id)
    caller = await _caller(request, visit, found) if found else None
    context = caller_context(request, visit, caller) if caller else {"caller": None}
    return render(request, visit, "parts/pop.html", call_id=now.call_id if now else None, **context)


async def one_call(request: web.Request, visit: Visit) -> web.StreamResponse:
    """`phase`: ringing, talking, or over."""
    found = await _load(request, visit)
    call, board = found.recorded.call, request.app.get(LIVE_BOARD)
    talk = board.talk(call.id) if board is not None else None
    known = await everyone(request)
    context: dict[str, Any] = {
        "call": call,
        "phase": "over" if call.ended_at else "talking" if call.answered_at else "ringing",
        "rings_since": _rings_since(found, visit),
        "talk": talk_page(found.live),
        "draft": await live_draft(request, visit, call, talk) if talk is not None and talk.lines else None,
        "clock": wall_clock(request.app, visit),
        "rule": _rule(request),
        "assignable": assignable(request, known),
        "ticket": None,
        "ms": lambda at: round(at.timestamp() * 1000),
        "can_take": LIVE_TICKETS in request.app,
        **caller_context(request, visit, await _caller(request, visit, found)),
        **orders_context(request, visit, found),
    }
    if found.ticket is not None:
        day_began = visit.formats.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
        page = await read_ticket(request.app[DATABASE], found.ticket.number, day_began=day_began)
        if page is not None:
            context |= describe(request, visit, page)
    return await render_room(request, visit, "desk.html", room="desk", known=known, **context)


async def take(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The ticket is opened now, while the call goes on."""
    found = await _load(request, visit)
    call_id = found.recorded.call.id
    if found.ticket is None:
        board, tickets = request.app.get(LIVE_BOARD), request.app.get(LIVE_TICKETS)
        talk = board.talk(call_id) if board is not None else None
        opened = await tickets.take(call_id, talk.transcript) if talk is not None and tickets is not None else None
        if opened is None:
            raise Conflict(NOTHING_SAID)
        await announce(request.app)
    return see_other(f"/desk/calls/{call_id}")


async def show_number(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The caller's full number to who asks; that they asked is written down first."""
    found = await _load(request, visit)
    call = found.recorded.call
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="viewed_number",
        subject=f"call:{call.id}",
        now=visit.now,
    )
    number = inland(call.from_number) if call.from_number else "–"
    return web.Response(text="".join(one for one in number if one in "0123456789+*#- –"), content_type="text/plain")


async def _load(request: web.Request, visit: Visit) -> CallPage:
    """Raises NotFound, NotAllowed."""
    found = await read_call(request.app[DATABASE], request.match_info["call_id"])
    if found is None or found.recorded.call.direction != "inbound":
        raise NotFound
    if not may_see(found, visit):
        raise NotAllowed(OWN_ONLY)
    return found


async def _caller(request: web.Request, visit: Visit, found: CallPage) -> Caller:
    call = found.recorded.call
    day_began = visit.formats.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    return await read_caller(
        request.app[DATABASE], call.from_number, but_call=call.id, now=visit.now, day_began=day_began
    )


def _rings_since(found: CallPage, visit: Visit) -> int | None:
    """As if it had rung without a pause up to now; None where it does not ring."""
    legs = [leg for leg in found.recorded.legs if leg.ringing_at]
    if not legs or found.recorded.call.answered_at or found.recorded.call.ended_at:
        return None
    stretches = ((leg.ringing_at, leg.ended_at or visit.now) for leg in legs if leg.ringing_at)
    return round(visit.now.timestamp() * 1000) - heard(stretches)


def _rule(request: web.Request) -> RingRule:
    rings = request.app[SETTINGS].rings
    return RingRule(cycle_ms=round(rings.cycle_seconds * 1000), rings=rings.rings)
