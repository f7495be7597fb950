"""The calls that we owe residents: what a person must do first, why each stands where it does, what can be done."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.reports.reminders import Group, OneReminder, OwedCalls, ReminderFilter, list_owed, read_owed
from callcenter.services.explain_reminder import explain_reminder
from callcenter.web.errors import NotFound
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.owed import GROUPS, kind_name, language_of, owed_view
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit

NO_SUCH_REMINDER = N_("没有这通回电，可能已按保存期删除。")
LONGEST_NUMBER = 10
"""A number with so many digits is nobody's, and larger than a database takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterLink:
    word: str
    count: int | None
    address: str
    current: bool


async def owed_list(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted = _wanted(request, visit)
    found = await list_owed(request.app[DATABASE], wanted)
    groups = [(group, GROUPS[group], [owed_view(call, visit) for call in rows]) for group, rows in found.groups]
    return await render_room(
        request,
        visit,
        "reminders.html",
        room="reminders",
        wanted=wanted,
        found=found,
        groups=groups,
        filters=_filters(wanted, found, visit),
        group_address=lambda group: address(wanted, status=group.value),
        page_address=lambda page: address(wanted, page=page),
    )


async def one_reminder(request: web.Request, visit: Visit) -> web.StreamResponse:
    found = await load_owed(request, visit)
    database, reminder = request.app[DATABASE], found.call.reminder
    explained = await explain_reminder(
        database, reminder.id, now=visit.now, rules=rules_of(request), language=language_of(visit)
    )
    return await render_room(
        request,
        visit,
        "reminder.html",
        room="reminders",
        one=owed_view(found.call, visit),
        reminder=reminder,
        ticket=found.call.ticket,
        do_not_call=found.do_not_call,
        explained=explained,
    )


async def load_owed(request: web.Request, visit: Visit) -> OneReminder:
    """The reminder of the address. Raises NotFound."""
    number = request.match_info["reminder_id"]
    known = len(number) < LONGEST_NUMBER
    found = await read_owed(request.app[DATABASE], int(number), now=visit.now) if known else None
    if found is None:
        raise NotFound(NO_SUCH_REMINDER)
    return found


def _wanted(request: web.Request, visit: Visit) -> ReminderFilter:
    query = request.query
    group, kind = query.get("status", ""), query.get("kind", "")
    began = visit.formats.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    return ReminderFilter(
        now=visit.now,
        day_began=began,
        group=Group(group) if group in set(Group) else None,
        kind=kind if kind in reminder_kinds() else None,
        mine=visit.user.keys if query.get("mine") == "1" else (),
        page=int(query["page"]) if re.fullmatch(r"[1-9]\d{0,5}", query.get("page", "")) else 1,
    )


def address(wanted: ReminderFilter, **changed: object) -> str:
    """The same list with something changed; what is as by default is left out."""
    parts: dict[str, object] = {
        "status": wanted.group.value if wanted.group else "",
        "kind": wanted.kind,
        "mine": "1" if wanted.mine else "",
        "page": "",
    } | changed
    kept = {name: str(value) for name, value in parts.items() if value}
    return f"/reminders?{urlencode(kept)}" if kept else "/reminders"


def _filters(wanted: ReminderFilter, found: OwedCalls, visit: Visit) -> list[tuple[str, list[FilterLink]]]:
    say = visit.catalog.gettext
    everything = FilterLink(word=say("全部"), count=None, address=address(wanted, status=""), current=not wanted.group)
    groups = [
        FilterLink(
            word=say(GROUPS[group]),
            count=found.by_group[group],
            address=address(wanted, status=group.value),
            current=group is wanted.group,
        )
        for group in Group
    ]
    whose = [
        FilterLink(word=say("全部"), count=None, address=address(wanted, mine=""), current=not wanted.mine),
        FilterLink(word=say("我的工单"), count=None, address=address(wanted, mine="1"), current=bool(wanted.mine)),
    ]
    kinds = [FilterLink(word=say("全部"), count=None, address=address(wanted, kind=""), current=not wanted.kind)]
    counted = found.by_kind | ({wanted.kind: 0} if wanted.kind and wanted.kind not in found.by_kind else {})
    kinds += [
        FilterLink(
            word=kind_name(kind, visit), count=count, address=address(wanted, kind=kind), current=kind == wanted.kind
        )
        for kind, count in counted.items()
    ]
    return [(say("状态"), [everything, *groups]), (say("种类"), kinds), (say("谁的"), whose)]
