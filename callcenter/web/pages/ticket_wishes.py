"""What the resident of a ticket wants of our calls, noted by whoever heard it."""

from aiohttp import web

from callcenter.domain.decent_times import DayPart
from callcenter.services.number_to_call import number_to_call
from callcenter.services.reminders import stop_calling
from callcenter.services.resident_wishes import Wishes, note_wishes
from callcenter.services.users import record_look
from callcenter.web.errors import BadForm
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.pages.ticket import load
from callcenter.web.visit import Visit, see_other

PARTS = {"mornings": DayPart.MORNING, "afternoons": DayPart.AFTERNOON, "evenings": DayPart.EVENING}
NO_NUMBER = N_("这张工单没有可拨的号码，意愿记不到号码上。")


async def note(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Times of day without calls, and greetings agreed to; "do not call" stops everything, and for good."""
    page = await load(request, visit)
    number = number_to_call(page.ticket)
    if number is None:
        raise BadForm(NO_NUMBER)
    form, actor = visit.form, visit.user.login
    wishes = Wishes(
        avoided=frozenset(part for name, part in PARTS.items() if form.get(name)),
        greetings=bool(form.get("greetings")),
    )
    never = bool(form.get("never"))
    async with request.app[DATABASE].write() as session:
        await note_wishes(session, number, wishes, by=actor, now=visit.now)
        if never:
            await stop_calling(session, number, reason=f"wish noted by {actor}", now=visit.now)
    data = {"avoided": [name for name in PARTS if form.get(name)], "greetings": wishes.greetings, "never": never}
    await record_look(
        request.app[DATABASE],
        login=actor,
        action="wishes_noted",
        subject=f"ticket:{page.ticket.number}",
        data=data,
        now=visit.now,
    )
    await announce(request.app)
    return see_other(f"/tickets/{page.ticket.number}")
