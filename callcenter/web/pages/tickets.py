"""The list of tickets. Every filter is a link in the address, so that a link sent to a colleague shows the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup, escape

from callcenter.reports.incidents import active_incidents
from callcenter.reports.tickets import TicketFilter, TicketLine, TicketList, View, list_tickets
from callcenter.services.search_index import index_tickets
from callcenter.web import deadlines
from callcenter.web.fields import place_of
from callcenter.web.frame import everyone, render_room
from callcenter.web.incidents import incident_standing, incident_title
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.pages.ticket import assignable
from callcenter.web.visit import Visit

VIEW_WORDS: Mapping[View, str] = {
    View.OPEN: N_("未结"),
    View.MINE: N_("我的"),
    View.UNOWNED: N_("无人认领"),
    View.OVERDUE: N_("超期"),
    View.TODAY: N_("今天到期"),
    View.SOLVED: N_("待回访"),
    View.CLOSED: N_("已结"),
    View.ALL: N_("全部"),
}
SHOWN_VALUES = 7
SNIPPET_BEFORE, SNIPPET_LENGTH = 12, 46


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterLink:
    word: str
    count: int
    address: str
    current: bool


async def ticket_list(request: web.Request, visit: Visit) -> web.StreamResponse:
    wanted = asked_for(request, visit)
    unread = await index_tickets(request.app[DATABASE]) if wanted.q else 0
    found = await list_tickets(request.app[DATABASE], wanted)
    known = await everyone(request)
    return await render_room(
        request,
        visit,
        "tickets.html",
        room="tickets",
        wanted=wanted,
        found=found,
        unread=unread,
        filters=_filters(wanted, found, visit),
        view_word=VIEW_WORDS[wanted.view],
        other_address=lambda path: address(wanted, page="").replace("/tickets", path, 1),
        assignable=assignable(request, known),
        known=known,
        page_address=lambda page: address(wanted, page=page),
        everywhere=address(wanted, status=View.ALL.value),
        incidents=[
            (one, incident_title(one.incident, visit), incident_standing(one.incident, visit))
            for one in await active_incidents(request.app[DATABASE])
        ],
        place_of=place_of,
        standing=lambda deadline: deadlines.standing(deadline, visit),
        due=lambda line: _due(line, visit),
        lit=lambda text: lit(text, wanted.terms),
        snippet=lambda words: lit(snippet(words, wanted.terms), wanted.terms),
    )


def asked_for(request: web.Request, visit: Visit) -> TicketFilter:
    query = request.query
    midnight = visit.formats.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    view = query.get("status", View.OPEN)
    return TicketFilter(
        now=visit.now,
        day_ends=midnight,
        mine=visit.user.keys,
        view=View(view) if view in set(View) else View.OPEN,
        request_type=query.get("type") or None,
        category=query.get("category") or None,
        building=query.get("building") or None,
        q=query.get("q", "").strip()[:100],
        page=int(query["page"]) if re.fullmatch(r"[1-9]\d{0,5}", query.get("page", "")) else 1,
    )


def address(wanted: TicketFilter, **changed: object) -> str:
    """The same list with something changed; what is as by default is left out."""
    parts = {
        "q": wanted.q,
        "status": wanted.view if wanted.view is not View.OPEN else "",
        "type": wanted.request_type,
        "category": wanted.category,
        "building": wanted.building,
        "page": "",
    } | changed
    kept = {name: str(value) for name, value in parts.items() if value}
    return f"/tickets?{urlencode(kept)}" if kept else "/tickets"


def _filters(wanted: TicketFilter, found: TicketList, visit: Visit) -> list[tuple[str, list[FilterLink]]]:
    say, label = visit.catalog.gettext, visit.labels
    views = [
        FilterLink(
            word=say(VIEW_WORDS[view]),
            count=found.by_view[view],
            address=address(wanted, status="" if view is View.OPEN else view.value),
            current=view is wanted.view,
        )
        for view in View
    ]
    rows = [(say("状态"), views)]
    rows.append(
        (say("类型"), _values("type", wanted.request_type, found.by_type, wanted, visit, label_kind="request_type"))
    )
    rows.append(
        (say("类别"), _values("category", wanted.category, found.by_category, wanted, visit, label_kind="category"))
    )
    if found.by_building:
        rows.append(
            (label("field", "building"), _values("building", wanted.building, found.by_building, wanted, visit))
        )
    return rows


def _values(
    name: str,
    chosen: str | None,
    counts: Mapping[str, int],
    wanted: TicketFilter,
    visit: Visit,
    *,
    label_kind: str | None = None,
) -> list[FilterLink]:
    """全部 and the most frequent values; the chosen one is always among them."""
    say = visit.catalog.gettext
    shown = list(counts.items())[:SHOWN_VALUES]
    if chosen and chosen not in dict(shown):
        shown.append((chosen, counts.get(chosen, 0)))
    every = FilterLink(
        word=say("全部"), count=sum(counts.values()), address=address(wanted, **{name: ""}), current=not chosen
    )
    return [
        every,
        *(
            FilterLink(
                word=visit.labels(label_kind, value) if label_kind else say("%(number)s栋", number=value),
                count=count,
                address=address(wanted, **{name: value}),
                current=value == chosen,
            )
            for value, count in shown
        ),
    ]


def _due(line: TicketLine, visit: Visit) -> deadlines.Standing:
    """The deadline cell: what it is where there is time, how late where there is none."""
    if line.ticket.status in ("solved", "verified", "closed"):
        return deadlines.Standing(kind="ok", words=visit.labels("status", line.ticket.status))
    if line.deadline is None:
        return deadlines.Standing(kind="none", words="–")
    stands = deadlines.standing(line.deadline, visit)
    if stands.kind == "run":
        return deadlines.Standing(kind="run", words=deadlines.sentence(line.deadline, visit))
    return stands


def snippet(words: str, terms: tuple[str, ...]) -> str:
    """The passage around the first search term."""
    folded = words.casefold()
    at = min((place for place in (folded.find(term.casefold()) for term in terms) if place >= 0), default=0)
    start = max(0, at - SNIPPET_BEFORE)
    cut = words[start : start + SNIPPET_LENGTH]
    return f"{'…' if start else ''}{cut}{'…' if start + SNIPPET_LENGTH < len(words) else ''}"


def lit(text: str, terms: tuple[str, ...]) -> Markup:
    """The text with the search terms marked."""
    if not terms:
        return escape(text)
    pattern = re.compile("|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True)), re.IGNORECASE)
    out, position = Markup(), 0
    for match in pattern.finditer(text):
        out += escape(text[position : match.start()])
        out += Markup('<mark class="find">{}</mark>').format(match[0])
        position = match.end()
    return out + escape(text[position:])
