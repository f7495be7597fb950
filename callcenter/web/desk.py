"""The agent's desk in words: who phones, what was heard so far as a draft, and phrases to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from callcenter.db.calls import CallRow
from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.heard_fields import HeardField, sure_columns
from callcenter.domain.transcript import Segment, Side
from callcenter.reports.caller import Caller
from callcenter.reports.cases import CaseFound, suggest_cases
from callcenter.services.live_board import LiveTalk
from callcenter.services.ticket_fields import field_row
from callcenter.web import deadlines
from callcenter.web.fields import FieldView, field_views, place_of
from callcenter.web.keys import DATABASE, LIVE_TICKETS, SETTINGS
from callcenter.web.rules import rules_of
from callcenter.web.script import lines, pieces
from callcenter.web.visit import Visit

SHOWN = 9
"""Fields with a key of their own; further promises follow them."""

# What is said to a resident is Chinese, in whatever language the console is.
GREETING = "您好，%(company)s客服中心，我姓%(surname)s，请问有什么可以帮助您？"
PHRASES = (
    "请您不要着急，我先记下来。",
    "对不起，给您添麻烦了。",
    "请问您是哪一栋哪一户？",
    "请留下您的电话号码和姓名。",
    "我们会马上处理并尽快给您回复。",
    "感谢您的来电，再见。",
)
REPEAT_BACK = "我复述一下：%(what)s。您看对吗？"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What the ticket would say if the call ended now, and the words that it comes from, by line of the script."""

    fields: tuple[FieldView, ...]
    marks: Mapping[int, Sequence[tuple[str, str | None, str]]]
    repeat_back: str | None
    cases: tuple[CaseFound, ...] = ()
    """How the like was solved before."""


async def live_draft(request: web.Request, visit: Visit, call: CallRow, talk: LiveTalk) -> Draft | None:
    """None where calls are not heard live."""
    tickets = request.app.get(LIVE_TICKETS)
    if tickets is None:
        return None
    heard = await tickets.heard_so_far(call.id, talk.transcript)
    threshold = rules_of(request).threshold
    draft = draft_of(heard, talk, call, visit, threshold=threshold)
    sure = sure_columns(heard, threshold)
    text = " ".join(line.text for line in talk.lines if line.side is Side.RESIDENT)
    cases = await suggest_cases(request.app[DATABASE], text=sure.get("summary") or text, category=sure.get("category"))
    return replace(draft, cases=cases)


def draft_of(heard: Sequence[HeardField], talk: LiveTalk, call: CallRow, visit: Visit, *, threshold: float) -> Draft:
    rows = {one.name: field_row(0, one, call_id=call.id, threshold=threshold) for one in heard}
    ticket = TicketRow(caller_number=call.from_number, **sure_columns(heard, threshold))
    views = [view for view in field_views(ticket, rows, visit) if view.number <= SHOWN or view.value]
    evidence = pieces(row for name, row in rows.items() if not name.startswith("problem."))
    segments = [_row(one.as_segment()) for one in talk.lines]
    marked = {
        number: [(part.text, part.kind, " ".join(part.fields)) for part in line.parts]
        for number, line in enumerate(lines(segments, evidence, call_id=call.id))
        if any(part.kind for part in line.parts)
    }
    told = [words for words in (place_of(ticket), ticket.summary) if words]
    back = REPEAT_BACK % {"what": "，".join(told)} if told else None
    return Draft(fields=tuple(views), marks=marked, repeat_back=back)


def _row(segment: Segment) -> SegmentRow:
    words = [[word.text, word.start_ms, word.end_ms, word.confidence] for word in segment.words]
    end_ms = max(segment.end_ms, segment.start_ms + 1)
    return SegmentRow(side=segment.side.value, start_ms=segment.start_ms, end_ms=end_ms, text=segment.text, words=words)


def caller_context(request: web.Request, visit: Visit, caller: Caller) -> dict[str, Any]:
    """What the caller's pane shows."""
    say = visit.catalog.gettext
    home = next((one.place.written() for one in caller.homes), "")
    due = {one.ticket.id: deadlines.standing(one.deadline, visit) for one in caller.tickets if one.deadline is not None}
    return {
        "caller": caller,
        "home": home or say("没有登记的号码"),
        "due": due,
        "likely": caller.likely,
        "likely_due": deadlines.sentence(caller.likely.deadline, visit)
        if caller.likely and caller.likely.deadline
        else "",
        "money": lambda fen: f"¥{fen / 100:,.2f}",
        "greeting": greeting(request, visit),
        "phrases": PHRASES,
    }


def greeting(request: web.Request, visit: Visit) -> str:
    company = request.app[SETTINGS].console.company
    return GREETING % {"company": company, "surname": visit.user.name[:1]}
