"""What people do with a ticket. Each form names the version that was seen; a lost race shows both versions."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from callcenter.domain.heard_fields import UnreadableField, read_time
from callcenter.domain.ticket_life import TicketStatus, TransitionRefused
from callcenter.domain.tickets import Promise, PromiseKind
from callcenter.services.tickets import (
    Change,
    NoSuchTicket,
    NoSuchWords,
    StaleTicket,
    add_note,
    assign,
    change_status,
    confirm_all,
    correct_field,
    correct_words,
    mark_arrived,
    pass_on,
    promise,
    record_reply,
)
from callcenter.services.users import record_look
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.fields import field_views, written
from callcenter.web.formats import inland
from callcenter.web.frame import everyone
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.names import names
from callcenter.web.pages.review import show_review
from callcenter.web.pages.ticket import load, show
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit, see_other

DESK_OF_CALL = re.compile(r"/desk/calls/[A-Za-z0-9_.:-]{1,80}")
UNREADABLE = {
    "place": N_("地点没有看懂。请写成 3栋2单元501 或 198弄4号1103室。"),
    "wanted": N_("时间没有看懂。请写成 2026-11-24 15:00 / 2026-11-24 17:00。"),
    "phone": N_("号码没有看懂。请写成 13912344471 或 0571-87654321。"),
}
NO_TIME = N_("请填最晚何时。")
NO_REASON = N_("关闭前请写明原因：无事关闭也要留下记录。")
NO_SUCH_STEP = N_("这张工单现在不能改成这个状态。")
NO_SUCH_PERSON = N_("没有这个人，请重新选择。")
NO_WORDS = N_("改成的字是空的。没有说话就不用改。")
LONGEST_WORDS = 1000
EMPTY_NOTE = N_("备注是空的。")


@dataclass(frozen=True, kw_only=True, slots=True)
class LostRace:
    """Somebody else saved first: who and when, and for a field both values. `raw` is what was typed."""

    told: str
    back: str
    field: str | None = None
    raw: str = ""
    mine: str = ""
    theirs: str = ""


async def correct(request: web.Request, visit: Visit) -> web.StreamResponse:
    field, value = request.match_info["field"], visit.form.get("value", "").strip()

    async def save(change: Change) -> object:
        rules = rules_of(request)
        return await correct_field(request.app[DATABASE], change, field=field, value=value, rules=rules)

    return await saved(request, visit, save, field=field, value=value)


async def confirm(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Afterwards the next ticket of the queue, where it was confirmed from there."""

    async def save(change: Change) -> object:
        return await confirm_all(request.app[DATABASE], change, rules=rules_of(request))

    return await saved(request, visit, save, next_page="/review" if _back(visit) == "review" else None)


async def correct_said(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Words of the transcript, as a person heard them."""
    recording, number = visit.form.get("recording", ""), visit.form.get("number", "")
    text = " ".join(visit.form.get("text", "").split())[:LONGEST_WORDS]
    if not text or not re.fullmatch(r"\d{1,6}", number):
        raise BadForm(NO_WORDS)

    async def save(change: Change) -> object:
        try:
            return await correct_words(
                request.app[DATABASE], change, recording_id=recording, number=int(number), text=text
            )
        except NoSuchWords as error:
            raise NotFound from error

    return await saved(request, visit, save)


async def give_to(request: web.Request, visit: Visit) -> web.StreamResponse:
    to = visit.form.get("owner", "")
    known = {one.agent_id or one.login for one in await everyone(request)}
    if to not in known | {agent.id for agent in request.app[SETTINGS].agents}:
        raise BadForm(NO_SUCH_PERSON)
    return await saved(request, visit, lambda change: assign(request.app[DATABASE], change, to=to))


async def set_status(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted, note = visit.form.get("status", ""), visit.form.get("reason", "").strip()
    if wanted not in set(TicketStatus):
        raise BadForm(NO_SUCH_STEP)
    if wanted == TicketStatus.CLOSED and not note:
        raise BadForm(NO_REASON)
    to = TicketStatus(wanted)

    async def save(change: Change) -> object:
        return await change_status(request.app[DATABASE], change, to=to, rules=rules_of(request), note=note)

    return await saved(request, visit, save, next_page="/review" if _back(visit) == "review" else None)


async def make_promise(request: web.Request, visit: Visit) -> web.StreamResponse:
    kind = visit.form.get("kind", "")
    try:
        due = read_time(visit.form.get("due", ""), visit.zone)
    except UnreadableField as error:
        raise BadForm(NO_TIME) from error
    if due is None or due <= visit.now:
        raise BadForm(NO_TIME)
    promised_kind = PromiseKind(kind) if kind in set(PromiseKind) else PromiseKind.OTHER
    text = visit.form.get("text", "").strip() or visit.labels("promise", promised_kind)
    promised = Promise(kind=promised_kind, text=text, due=due)

    async def save(change: Change) -> object:
        return await promise(request.app[DATABASE], change, promised=promised, rules=rules_of(request))

    return await saved(request, visit, save)


async def write_note(request: web.Request, visit: Visit) -> web.StreamResponse:
    text = visit.form.get("text", "").strip()
    if not text:
        raise BadForm(EMPTY_NOTE)

    async def save(change: Change) -> object:
        """A note overwrites nothing, so that a change by someone else in the meantime does not matter."""
        try:
            return await add_note(request.app[DATABASE], change, text=text)
        except StaleTicket as stale:
            return await add_note(request.app[DATABASE], replace(change, version=stale.version), text=text)

    return await saved(request, visit, save)


async def arrived(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await saved(request, visit, lambda change: mark_arrived(request.app[DATABASE], change))


async def spoke(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Somebody phoned the resident by hand: what was owed by phone is kept."""
    note = visit.form.get("text", "").strip()
    return await saved(request, visit, lambda change: record_reply(request.app[DATABASE], change, note=note))


async def hand_on(request: web.Request, visit: Visit) -> web.StreamResponse:
    department = visit.form.get("department", "").strip()
    if not department:
        raise BadForm

    async def save(change: Change) -> object:
        return await pass_on(request.app[DATABASE], change, department=department, rules=rules_of(request))

    return await saved(request, visit, save)


async def show_number(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The full number, once, to whoever asks; that they asked is written down first."""
    page = await load(request, visit)
    which = "phone" if visit.form.get("which") == "phone" else "caller_number"
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="viewed_number",
        subject=f"ticket:{page.ticket.number}",
        data={"which": which},
        now=visit.now,
    )
    if request.headers.get("HX-Request"):
        number = getattr(page.ticket, which)
        return web.Response(text=f'<span class="nw">{_plain(number)}</span>', content_type="text/html")
    return await show(request, visit, page, shown_number=which)


def _plain(number: str | None) -> str:
    """Digits and the marks of a telephone number, nothing that could be markup."""
    return re.sub(r"[^\d+*#() -]", "", inland(number)) if number else "–"


async def saved(
    request: web.Request,
    visit: Visit,
    save: Callable[[Change], Awaitable[object]],
    *,
    field: str | None = None,
    value: str = "",
    next_page: str | None = None,
) -> web.StreamResponse:
    """Saves and shows the ticket again; a stale version comes back with both versions and status 409."""
    number = request.match_info["number"]
    version = visit.form.get("version", "")
    if not re.fullmatch(r"\d{1,9}", version):
        raise BadForm
    try:
        await save(Change(number=number, version=int(version), actor=visit.user.login, now=visit.now))
    except NoSuchTicket as error:
        raise NotFound from error
    except UnreadableField as error:
        raise BadForm(UNREADABLE.get(field or "")) from error
    except TransitionRefused as error:
        raise BadForm(NO_SUCH_STEP) from error
    except StaleTicket as stale:
        return await _lost(request, visit, stale, field=field, value=value)
    await announce(request.app)
    return see_other(next_page or _address_back(visit, number))


def _address_back(visit: Visit, number: str) -> str:
    """The room that the form was filled in: review, the desk of a call, else the ticket."""
    back = _back(visit)
    if DESK_OF_CALL.fullmatch(back):
        return back
    return f"/review/{number}" if back == "review" else f"/tickets/{number}"


def _back(visit: Visit) -> str:
    return visit.form.get("back", "")


async def _lost(
    request: web.Request, visit: Visit, stale: StaleTicket, *, field: str | None, value: str
) -> web.StreamResponse:
    page = await load(request, visit)
    named = names(request, await everyone(request), visit.catalog)
    told = visit.catalog.gettext(
        "%(name)s %(time)s 改过这张工单。", name=named(stale.changed_by), time=visit.formats.clock(stale.changed_at)
    )
    race = LostRace(told=told, back=_back(visit))
    if field:
        kind = field.split(".")[0]
        theirs = next((one.value for one in field_views(page.ticket, page.fields, visit) if one.name == field), "")
        race = LostRace(
            told=told, back=race.back, field=field, raw=value, mine=written(kind, value, visit), theirs=theirs
        )
    shown = show_review if race.back == "review" else show
    return await shown(request, visit, page, status=409, conflict=race)
