"""What a person does about a call that we owe: has it made at once, says that they have made it, or cancels it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from callcenter.db.reminders import ReminderState
from callcenter.domain.reasons import reason_text
from callcenter.services.call_now import CallRefused, call_now
from callcenter.services.end_reminder import (
    Ending,
    HasTicket,
    ReasonMissing,
    ReminderMoved,
    ReminderOver,
    ReminderUnderWay,
    cancel_reminder,
    settle_reminder,
)
from callcenter.services.explain_reminder import NoSuchReminder
from callcenter.services.tickets import Change, NoSuchTicket, StaleTicket, record_reply
from callcenter.web.errors import BadForm, Conflict, NotFound, PageError
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.owed import language_of
from callcenter.web.pages.agent_state import NO_PHONE
from callcenter.web.pages.reminders import LONGEST_NUMBER, NO_SUCH_REMINDER, load_owed
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit, see_other

NO_TICKET = N_("这通回电还没有工单，请先从来电建立工单。")
NO_REASON = N_("取消回电要写明缘由：住户还等着这通电话。")
RINGING = N_("正在拨打这位住户，等这通电话结束再看。")
MOVED = N_("您打开后这通回电又有变化。请返回，看过新情况再办。")
OVER = {
    ReminderState.DONE: N_("这通回电已经完成，不用再办。"),
    ReminderState.CANCELLED: N_("这通回电已经取消，不用再办。"),
}


class CannotCall(PageError):
    """The rules, or the resident's own wish, stand against it."""

    status = 409
    title = N_("没有拨打")
    advice = N_("现在不能给这位住户打电话。")


class CannotEnd(PageError):
    """It rings, is over, or has changed since it was looked at."""

    status = 409
    title = N_("没有保存")
    advice = MOVED


LONGEST_NOTE = 200
TRIES = 5
"""Against others who change the ticket at the same moment: what was said to the resident overwrites nothing."""


async def spoke(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Somebody phoned the resident: what the ticket owed by phone is kept, and what waits to be called is cancelled.

    Without a ticket the call itself is settled.
    """
    note = visit.form.get("text", "").strip()[:LONGEST_NOTE]
    for _ in range(TRIES):
        found = await load_owed(request, visit)
        ticket = found.call.ticket
        if ticket is None:
            return await end(request, visit, lambda ending: settle_reminder(request.app[DATABASE], ending, note=note))
        change = Change(number=ticket.number, version=ticket.version, actor=visit.user.login, now=visit.now)
        try:
            await record_reply(request.app[DATABASE], change, note=note)
        except StaleTicket:
            continue
        return await back(request, visit)
    raise Conflict


async def cancel(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The call is not owed any more, for a reason that is written down."""
    reason = visit.form.get("text", "").strip()[:LONGEST_NOTE]
    misheard = visit.form.get("never_promised") == "1"

    async def save(ending: Ending) -> None:
        await cancel_reminder(request.app[DATABASE], ending, reason=reason, never_promised=misheard)

    return await end(request, visit, save)


async def end(request: web.Request, visit: Visit, save: Callable[[Ending], Awaitable[None]]) -> web.StreamResponse:
    """Saves what ends the call, unless it rings, is over or stands otherwise than the person saw it."""
    number = request.match_info["reminder_id"]
    if len(number) >= LONGEST_NUMBER:
        raise NotFound(NO_SUCH_REMINDER)
    seen, actor = visit.form.get("standing", ""), visit.user.login
    try:
        await save(Ending(reminder_id=int(number), seen=seen, actor=actor, now=visit.now))
    except NoSuchReminder as error:
        raise NotFound(NO_SUCH_REMINDER) from error
    except ReasonMissing as error:
        raise BadForm(NO_REASON) from error
    except ReminderUnderWay as error:
        raise CannotEnd(RINGING) from error
    except ReminderOver as over:
        raise CannotEnd(OVER.get(over.state)) from over
    except (ReminderMoved, HasTicket) as moved:
        raise CannotEnd from moved
    return await back(request, visit)


async def call(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The resident of this reminder's ticket is phoned at once."""
    ticket = (await load_owed(request, visit)).call.ticket
    if ticket is None:
        raise BadForm(NO_TICKET)
    return await order_call(request, visit, ticket.number)


async def call_resident(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The resident of this ticket is phoned at once."""
    return await order_call(request, visit, request.match_info["number"])


async def talk_to_resident(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The reader's own phone rings, then the resident's of this ticket."""
    agent = visit.user.agent_id
    if agent is None or request.app[SETTINGS].agent(agent) is None:
        raise BadForm(NO_PHONE)
    return await order_call(request, visit, request.match_info["number"], agent=agent)


async def order_call(
    request: web.Request, visit: Visit, number: str, *, agent: str | None = None
) -> web.StreamResponse:
    """Shows the call that was ordered, so that what becomes of it is seen. Ordered twice it is one call."""
    try:
        ordered = await call_now(
            request.app[DATABASE], number, actor=visit.user.login, now=visit.now, rules=rules_of(request), agent=agent
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
