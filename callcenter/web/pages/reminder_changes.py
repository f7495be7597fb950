"""What a person does about a call that we owe: has it made at once, or says that they have made it by hand."""

from aiohttp import web

from callcenter.domain.reasons import reason_text
from callcenter.services.call_now import CallRefused, call_now
from callcenter.services.tickets import Change, NoSuchTicket, StaleTicket, record_reply
from callcenter.web.errors import BadForm, Conflict, NotFound, PageError
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.owed import language_of
from callcenter.web.pages.reminders import load_owed
from callcenter.web.pages.ticket_changes import rules_of
from callcenter.web.visit import Visit, see_other

NO_TICKET = N_("这通回电还没有工单，请先从来电建立工单。")


class CannotCall(PageError):
    """The rules, or the resident's own wish, stand against it."""

    status = 409
    title = N_("没有拨打")
    advice = N_("现在不能给这位住户打电话。")


TRIES = 5
"""Against others who change the ticket at the same moment: what was said to the resident overwrites nothing."""


async def spoke(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Somebody phoned the resident: what the ticket owed by phone is kept, and what waits to be called is cancelled."""
    note = visit.form.get("text", "").strip()[:200]
    for _ in range(TRIES):
        found = await load_owed(request, visit)
        ticket = found.call.ticket
        if ticket is None:
            raise BadForm(NO_TICKET)
        change = Change(number=ticket.number, version=ticket.version, actor=visit.user.login, now=visit.now)
        try:
            await record_reply(request.app[DATABASE], change, note=note)
        except StaleTicket:
            continue
        return await back(request, visit)
    raise Conflict


async def call(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The resident of this reminder's ticket is phoned at once."""
    ticket = (await load_owed(request, visit)).call.ticket
    if ticket is None:
        raise BadForm(NO_TICKET)
    return await order_call(request, visit, ticket.number)


async def call_resident(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The resident of this ticket is phoned at once."""
    return await order_call(request, visit, request.match_info["number"])


async def order_call(request: web.Request, visit: Visit, number: str) -> web.StreamResponse:
    """Shows the call that was ordered, so that what becomes of it is seen. Ordered twice it is one call."""
    try:
        ordered = await call_now(
            request.app[DATABASE], number, actor=visit.user.login, now=visit.now, rules=rules_of(request)
        )
    except NoSuchTicket as error:
        raise NotFound from error
    except CallRefused as refused:
        raise CannotCall(
            visit.catalog.gettext(
                "没有拨打：%(reason)s。", reason=reason_text(refused.reason.value, language_of(visit))
            )
        ) from refused
    await announce(request.app)
    return see_other(f"/reminders/{ordered.reminder_id}")


async def back(request: web.Request, visit: Visit) -> web.StreamResponse:
    """To the list or page that the form stood on."""
    await announce(request.app)
    wanted = visit.form.get("back", "")
    ours = wanted.startswith(("/reminders", "/tickets/")) and "\\" not in wanted and "\n" not in wanted
    return see_other(wanted if ours else "/reminders")
