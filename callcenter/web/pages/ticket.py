"""One ticket: what is due next, fields and the words they came from, recording and transcript, history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from callcenter.domain.ticket_life import TRANSITIONS, TicketStatus
from callcenter.reports.cases import CaseFound, case_of_ticket, suggest_cases
from callcenter.reports.incidents import incident_of
from callcenter.reports.language import read_language
from callcenter.reports.recorded_calls import RecordedCall
from callcenter.reports.reminders import reminders_of_ticket
from callcenter.reports.ticket_page import TicketPage, read_ticket
from callcenter.reports.ticket_people import read_merge, read_parts, read_wishes
from callcenter.services.attachments import attachments_of
from callcenter.services.cases import SOLVED
from callcenter.services.number_to_call import number_to_call
from callcenter.services.users import record_look
from callcenter.web import deadlines
from callcenter.web.details import detail_views, problem_views
from callcenter.web.errors import NotFound
from callcenter.web.fields import field_views, place_of, unsure_first
from callcenter.web.frame import everyone, render_room
from callcenter.web.history import history_lines, listen_reason
from callcenter.web.incidents import incident_standing, incident_title
from callcenter.web.keys import DATABASE, LANGUAGE, SETTINGS
from callcenter.web.names import names
from callcenter.web.owed import owed_view
from callcenter.web.presence import PRESENCE
from callcenter.web.replies import replies_to
from callcenter.web.rules import rules_of
from callcenter.web.script import Line, lines, pieces
from callcenter.web.service_language import finding_view
from callcenter.web.visit import Visit
from callcenter.web.waveform import Waveform, waveform

SAME_LOOK = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The call that the page plays: its recording drawn, its script with the evidence marked."""

    recorded: RecordedCall
    wave: Waveform | None
    script: tuple[Line, ...]


async def ticket_page(request: web.Request, visit: Visit) -> web.StreamResponse:
    page = await load(request, visit)
    return await show(request, visit, page)


async def load(request: web.Request, visit: Visit) -> TicketPage:
    """The ticket of the address; that it was looked at is written down. Raises NotFound."""
    number = request.match_info["number"]
    day_began = visit.formats.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    page = await read_ticket(request.app[DATABASE], number, day_began=day_began)
    if page is None:
        raise NotFound
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="viewed_ticket",
        subject=f"ticket:{number}",
        now=visit.now,
        once_within=SAME_LOOK,
    )
    return page


async def show(
    request: web.Request,
    visit: Visit,
    page: TicketPage,
    *,
    template: str = "ticket.html",
    room: str = "tickets",
    status: int = 200,
    **more: object,
) -> web.Response:
    known = await everyone(request)
    named = names(request, known, visit.catalog)
    parts = await read_parts(request.app[DATABASE], page.ticket)
    context = describe(request, visit, page) | {
        "part_of": parts.of,
        "problems": problem_views(page.ticket, page.fields, parts.made, visit),
        "details": detail_views(page.fields, visit),
        "history": history_lines(page.history, visit, named),
        "assignable": assignable(request, known),
        "others": request.app[PRESENCE].others(page.ticket.number, visit.user.login),
        "owed": [
            owed_view(call, visit)
            for call in await reminders_of_ticket(request.app[DATABASE], page.ticket.id, now=visit.now)
        ],
        "wishes": await read_wishes(request.app[DATABASE], number_to_call(page.ticket)),
        "merge": await read_merge(request.app[DATABASE], page.ticket),
        "replies": await replies_to(request, page.ticket.number, reader=visit, named=named, rules=rules_of(request)),
        "incident": await _incident(request, visit, page),
        "case": await case_of_ticket(request.app[DATABASE], page.ticket.id),
        "is_solved": page.ticket.status in SOLVED,
        "cases": await _cases_like(request, page),
        "checked": None,
        "findings": [],
        "files": await attachments_of(request.app[DATABASE], page.ticket.id),
        "conflict": None,
        "shown_number": None,
    }
    context |= await _language(request, visit, page, context["heard"])
    return await render_room(
        request, visit, template, room=room, status=status, plays_audio=True, known=known, **(context | more)
    )


async def _cases_like(request: web.Request, page: TicketPage) -> tuple[CaseFound, ...]:
    """How the like was solved before, while this is not."""
    ticket = page.ticket
    if ticket.status in SOLVED or not ticket.summary:
        return ()
    return await suggest_cases(request.app[DATABASE], text=ticket.summary, category=ticket.category)


async def _language(request: web.Request, visit: Visit, page: TicketPage, heard: Heard | None) -> dict[str, Any]:
    """The findings of the call shown, for supervisors and for the agent who took it."""
    call = heard.recorded.call if heard else None
    if call is None or not (visit.is_supervisor or visit.user.agent_id == call.answered_by):
        return {}
    found = await read_language(request.app[DATABASE], call.id)
    if found is None:
        return {}
    rules = request.app[LANGUAGE].rules()
    views = [finding_view(row, rules, visit, answered_by=call.answered_by) for row in found.findings]
    return {"checked": found, "findings": views}


async def _incident(request: web.Request, visit: Visit, page: TicketPage) -> dict[str, Any] | None:
    """The incident that the ticket belongs to, as its line shows it."""
    found = await incident_of(request.app[DATABASE], page.ticket.id)
    if found is None:
        return None
    stands = incident_standing(found.incident, visit)
    title = incident_title(found.incident, visit)
    return {"number": found.incident.number, "title": title, "standing": stands, "tickets": found.tickets}


def describe(request: web.Request, visit: Visit, page: TicketPage) -> dict[str, Any]:
    """What a template needs to show a ticket."""
    fields = field_views(page.ticket, page.fields, visit)
    chosen = page.call(request.query.get("call")) or page.first_call
    ticket = page.ticket
    return {
        "page": page,
        "ticket": ticket,
        "fields": fields,
        "queue_fields": unsure_first(fields),
        "field": {field.name: field for field in fields},
        "heard": hear(chosen.recorded, page) if chosen else None,
        "place": place_of(ticket),
        "title": ticket_title(page, visit),
        "next_sentence": deadlines.sentence(page.next_deadline, visit) if page.next_deadline else None,
        "next_standing": deadlines.standing(page.next_deadline, visit) if page.next_deadline else None,
        "deadline_rows": [
            (row, deadlines.title(row, visit), deadlines.basis(row, visit), deadlines.standing(row, visit))
            for row in page.deadlines
        ],
        "must_arrive": any(row.kind == "on_site" and not (row.met_at or row.cancelled_at) for row in page.deadlines),
        "listen_reason": listen_reason(ticket.must_listen_reason or "", visit),
        "statuses": next_statuses(ticket.status),
        "choices_of_promise": visit.labels.choices("promise"),
    }


def hear(recorded: RecordedCall, page: TicketPage | None) -> Heard:
    fields = page.fields.items() if page else ()
    evidence = pieces(row for name, row in fields if not name.startswith("problem."))
    segments = recorded.played_segments
    recording = recorded.recording
    return Heard(
        recorded=recorded,
        wave=waveform(recording, segments, evidence) if recording else None,
        script=lines(segments, evidence, call_id=recorded.call.id),
    )


def ticket_title(page: TicketPage, visit: Visit) -> str:
    """Where and what: the line by which people speak of a ticket."""
    say = visit.catalog.gettext
    matter = page.ticket.summary or say("没有听出事由")
    return f"{place_of(page.ticket)} {matter}".strip()


def next_statuses(status: str) -> list[str]:
    try:
        following = TRANSITIONS[TicketStatus(status)]
    except ValueError:
        return []
    return [one.value for one in TicketStatus if one in following]


def assignable(request: web.Request, known: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Everyone a ticket can be given to, by the key under which they own tickets."""
    people: Mapping[str, str] = {one.agent_id or one.login: one.name for one in known}
    agents = {agent.id: agent.name for agent in request.app[SETTINGS].agents}
    return sorted((agents | dict(people)).items(), key=lambda pair: pair[1])
