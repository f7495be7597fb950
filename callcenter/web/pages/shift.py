"""A shift ends: everything that one agent has open goes to another, in one step."""

from aiohttp import web

from callcenter.reports.tickets import open_by_owner
from callcenter.services.hand_over import hand_over_tickets
from callcenter.web.errors import BadForm
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.pages.ticket import assignable
from callcenter.web.visit import Visit, see_other

SAME_PERSON = N_("交班和接班是同一个人，请重新选择。")
NO_SUCH_PERSON = N_("没有这个人，请重新选择。")


async def shift(request: web.Request, visit: Visit) -> web.StreamResponse:
    known = await everyone(request)
    owners = await open_by_owner(request.app[DATABASE])
    done = request.query.get("done", "")
    return await render_room(
        request,
        visit,
        "shift.html",
        room="tickets",
        known=known,
        owners=owners,
        assignable=assignable(request, known),
        done=int(done) if done.isdigit() and len(done) < 7 else None,
    )


async def hand_over(request: web.Request, visit: Visit) -> web.StreamResponse:
    from_owner, to = visit.form.get("from", ""), visit.form.get("to", "")
    if from_owner == to:
        raise BadForm(SAME_PERSON)
    if to not in {key for key, _ in assignable(request, await everyone(request))} or not from_owner:
        raise BadForm(NO_SUCH_PERSON)
    note = visit.form.get("note", "").strip()[:200]
    moved = await hand_over_tickets(
        request.app[DATABASE], from_owner=from_owner, to=to, actor=visit.user.login, now=visit.now, note=note
    )
    await announce(request.app)
    return see_other(f"/shift?done={len(moved)}")
