"""What is done with many tickets at once: the board, a file of them, giving them to somebody."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcenter.reports.ticket_export import read_board, rows_to_export
from callcenter.reports.tickets import View
from callcenter.services.search_index import index_tickets
from callcenter.services.tickets import Change, NoSuchTicket, StaleTicket, assign
from callcenter.services.users import record_look
from callcenter.web import deadlines
from callcenter.web.auth import page_of_ours
from callcenter.web.errors import BadForm
from callcenter.web.exports import csv_file, json_file, xlsx_file
from callcenter.web.fields import place_of
from callcenter.web.formats import masked
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.names import Names, names
from callcenter.web.pages.ticket import assignable
from callcenter.web.pages.tickets import asked_for
from callcenter.web.visit import Visit, see_other

PICKED = re.compile(r"pick-([A-Z0-9-]{1,40})")
NOBODY_PICKED = N_("没有选工单。请先在列表里勾选，再派单。")
NO_SUCH_PERSON = N_("没有这个人，请重新选择。")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAssigned:
    """A ticket that somebody else has changed since the list was shown; None where it is gone."""

    number: str
    changed_by: str | None


async def board(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted = asked_for(request, visit)
    if wanted.q:
        await index_tickets(request.app[DATABASE])
    if wanted.view in (View.CLOSED, View.ALL):
        raise BadForm
    return await render_room(
        request,
        visit,
        "board.html",
        room="tickets",
        wanted=wanted,
        columns=await read_board(request.app[DATABASE], wanted),
        place_of=place_of,
        standing=lambda deadline: deadlines.standing(deadline, visit),
        sentence=lambda deadline: deadlines.sentence(deadline, visit),
        as_list=str(request.rel_url).replace("/tickets/board", "/tickets", 1),
    )


async def assign_picked(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Gives what was picked to somebody; what changed meanwhile is left as it is and named."""
    picked = {match[1]: version for name, version in visit.form.items() if (match := PICKED.fullmatch(name))}
    to = visit.form.get("owner", "")
    known = await everyone(request)
    if to not in dict(assignable(request, known)):
        raise BadForm(NO_SUCH_PERSON)
    if not picked or not all(re.fullmatch(r"\d{1,9}", version) for version in picked.values()):
        raise BadForm(NOBODY_PICKED)
    left = []
    for number, version in picked.items():
        change = Change(number=number, version=int(version), actor=visit.user.login, now=visit.now)
        try:
            await assign(request.app[DATABASE], change, to=to)
        except StaleTicket as stale:
            left.append(NotAssigned(number=number, changed_by=stale.changed_by))
        except NoSuchTicket:
            left.append(NotAssigned(number=number, changed_by=None))
    await announce(request.app)
    back = page_of_ours(visit.form.get("back", "/tickets"))
    if not left:
        return see_other(back)
    return await render_room(
        request,
        visit,
        "assigned.html",
        room="tickets",
        status=409,
        known=known,
        left=left,
        done=len(picked) - len(left),
        to=to,
        back=back,
    )


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The list with its filters; only supervisors get whole numbers. Who took what is written down."""
    database, kind = request.app[DATABASE], request.match_info["kind"]
    wanted = asked_for(request, visit)
    if wanted.q:
        await index_tickets(database)
    found = await rows_to_export(database, wanted)
    await record_look(
        database,
        login=visit.user.login,
        action="exported_tickets",
        subject=f"tickets:{request.query_string[:200]}",
        data={"rows": len(found), "kind": kind},
        now=visit.now,
    )
    named = names(request, await everyone(request), visit.catalog)
    name = f"tickets-{visit.formats.local(visit.now):%Y-%m-%d}"
    if kind == "json":
        return json_file({"tickets": [_plain(row, visit) for row in found]}, name)
    rows = await asyncio.to_thread(lambda: [_row(row, visit, named) for row in found])
    if kind == "csv":
        return await asyncio.to_thread(csv_file, rows, name)
    return await asyncio.to_thread(xlsx_file, {visit.catalog.gettext("工单"): rows}, name)


def _number(number: str | None, visit: Visit) -> str:
    return (number or "") if visit.is_supervisor else masked(number) if number else ""


def _row(row: Any, visit: Visit, named: Names) -> dict[str, Any]:
    """A line of the file in the reader's language; times are local."""
    say, label = visit.catalog.gettext, visit.labels

    def at(moment: Any) -> str:
        return f"{visit.formats.local(moment):%Y-%m-%d %H:%M}" if moment else ""

    return {
        say("编号"): row.number,
        say("建立"): at(row.created_at),
        say("状态"): label("status", row.status),
        say("类型"): label("request_type", row.request_type),
        say("类别"): label("category", row.category),
        say("紧急"): label("urgency", row.urgency),
        say("责任"): label("responsibility", row.responsibility),
        say("地点"): place_of(row),
        say("称呼"): row.contact or "",
        say("回拨"): _number(row.phone, visit),
        say("来电号码"): _number(row.caller_number, visit),
        say("事由"): row.summary or "",
        say("负责人"): named(row.owner),
        say("来电次数"): row.call_count,
        say("下一期限"): at(row.due_at),
        say("上门"): at(row.visit_at),
        say("解决"): at(row.solved_at),
        say("结案"): at(row.closed_at),
        say("满意度"): row.satisfaction,
    }


def _plain(row: Any, visit: Visit) -> Mapping[str, Any]:
    """For programs: the columns as they are kept, times in UTC."""
    found = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row._mapping.items()}
    return found | {name: _number(found[name], visit) or None for name in ("phone", "caller_number")}
