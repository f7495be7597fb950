"""The review queue: what the machine was least sure of first; confirm, and the next one comes."""

from aiohttp import web

from callcenter.reports.review import ReviewItem, ReviewQueue, review_queue
from callcenter.reports.ticket_page import TicketPage
from callcenter.web.fields import place_of
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.pages.ticket import load, show
from callcenter.web.visit import Visit, see_other

NO_NAME = N_("未说姓名")


async def queue(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The first of the queue; an empty queue says so."""
    found = await _queue(request, visit)
    if not found.items:
        return await render_room(request, visit, "review_empty.html", room="review")
    return see_other(f"/review/{found.items[0].ticket.number}")


async def one(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await show_review(request, visit, await load(request, visit))


async def show_review(
    request: web.Request, visit: Visit, page: TicketPage, *, status: int = 200, conflict: object = None
) -> web.Response:
    found = await _queue(request, visit)
    return await show(
        request,
        visit,
        page,
        template="review.html",
        room="review",
        status=status,
        conflict=conflict,
        queue=found,
        who=lambda item: who(item, visit),
        why=lambda item: why(item, visit),
        low=sum(row.state == "unsure" for row in page.fields.values()),
    )


async def _queue(request: web.Request, visit: Visit) -> ReviewQueue:
    return await review_queue(request.app[DATABASE], agent_id=visit.user.agent_id, all_calls=visit.is_supervisor)


def who(item: ReviewItem, visit: Visit) -> str:
    """王女士·给排水: how people speak of a call."""
    ticket = item.ticket
    person = ticket.contact or place_of(ticket) or visit.catalog.gettext(NO_NAME)
    matter = visit.labels("category", ticket.category) or visit.labels("request_type", ticket.request_type)
    return f"{person}·{matter}" if matter else person


def why(item: ReviewItem, visit: Visit) -> str:
    """What makes it wait for a person."""
    say = visit.catalog.gettext
    if item.ticket.must_listen:
        return say("须听录音")
    if item.unsure:
        return visit.catalog.ngettext("%(num)s 项没把握", "%(num)s 项没把握", item.unsure)
    return say("有必填项没说")
