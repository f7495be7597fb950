"""The stream on which open pages hear that something changed. It ends by itself, so that a login is checked again.

A page of a call asks with `?call=`: it hears what is said on it too, as long as the call is heard while it goes on.
"""

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from callcenter.db.calls import CallRow
from callcenter.reports.call_page import read_call
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.live_board import LiveBoard
from callcenter.web.desk import live_draft
from callcenter.web.errors import NotAllowed, NotFound
from callcenter.web.frame import everyone
from callcenter.web.keys import DATABASE, DUTY, LIVE_BOARD, TEMPLATES
from callcenter.web.live import FEED, LiveFeed
from callcenter.web.names import names
from callcenter.web.pages.calls import OWN_ONLY, may_see
from callcenter.web.presence import PRESENCE
from callcenter.web.talk import news
from callcenter.web.visit import Visit

LONGEST = timedelta(minutes=10)
RETRY_MS = 2000
SECONDS_BETWEEN_WORDS = 0.03
SECONDS_BETWEEN_DRAFTS = 0.3
SECONDS_BETWEEN_GLANCES = 1.0


async def events(request: web.Request, visit: Visit) -> web.StreamResponse:
    call, board = await _call_to_follow(request, visit), request.app.get(LIVE_BOARD)
    async with sse_response(request, headers={"X-Content-Type-Options": "nosniff"}) as response:
        telling = [_tell_changes(response, request.app[FEED]), _until_gone(request)]
        if visit.user.agent_id is not None:
            telling.append(_tell_phone(response, request.app[DUTY], visit.user.agent_id))
        if call is not None and board is not None:
            telling.append(_tell_words(response, board, call.id))
            if "draft" in request.query:
                telling.append(_tell_draft(request, visit, response, board, call))
        ticket, presence = request.query.get("ticket"), request.app[PRESENCE]
        if ticket:
            presence.come(ticket, visit.user.login)
            telling.append(_tell_readers(request, visit, response, ticket))
        tasks = [asyncio.ensure_future(one) for one in telling]
        try:
            await asyncio.wait(tasks, timeout=LONGEST.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if ticket:
                presence.go(ticket, visit.user.login)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return response


async def _call_to_follow(request: web.Request, visit: Visit) -> CallRow | None:
    """Raises NotFound, NotAllowed."""
    call_id = request.query.get("call")
    if call_id is None:
        return None
    found = await read_call(request.app[DATABASE], call_id)
    if found is None:
        raise NotFound
    if not may_see(found, visit):
        raise NotAllowed(OWN_ONLY)
    return found.recorded.call


async def _until_gone(request: web.Request) -> None:
    """The server does not cancel what a closed page has asked for; nobody else would notice before the next news."""
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_GLANCES)
        if request.transport is None or request.transport.is_closing():
            return


async def _tell_changes(response: EventSourceResponse, feed: LiveFeed) -> None:
    """Until the server is about to stop, or the page is gone."""
    seen = None
    while response.is_connected():
        seen = await feed.after(seen)
        if seen is None:
            return
        await response.send(json.dumps(asdict(seen)), event="changes", retry=RETRY_MS)


async def _tell_phone(response: EventSourceResponse, duty: AgentsOnDuty, agent: str) -> None:
    """What the reader's own phone is doing, and on which call, whenever that changes."""
    seen, last = 0, ""
    while response.is_connected():
        seen = await duty.after(seen)
        now = duty.doing(agent)
        told = json.dumps({"doing": now.doing, "state": now.state, "call": now.call_id} if now else {"doing": None})
        if told != last:
            await response.send(told, event="phone")
            last = told


async def _tell_readers(request: web.Request, visit: Visit, response: EventSourceResponse, ticket: str) -> None:
    """Who else has this ticket open, by name, whenever somebody comes or goes."""
    presence, seen, last = request.app[PRESENCE], 0, None
    named = names(request, await everyone(request), visit.catalog)
    while response.is_connected():
        seen = await presence.after(seen)
        others = presence.others(ticket, visit.user.login)
        if others != last:
            say = visit.catalog.gettext
            words = [say("%(name)s 也在看这张工单", name=named(login)) for login in others]
            await response.send(json.dumps(words, ensure_ascii=False), event="readers")
            last = others


async def _tell_words(response: EventSourceResponse, board: LiveBoard, call_id: str) -> None:
    version = sent = 0
    while response.is_connected():
        talk = await board.after(call_id, version)
        await response.send(json.dumps(news(talk, sent=sent), ensure_ascii=False), event="talk")
        version, sent = talk.version, len(talk.lines)
        await asyncio.sleep(SECONDS_BETWEEN_WORDS)


async def _tell_draft(
    request: web.Request, visit: Visit, response: EventSourceResponse, board: LiveBoard, call: CallRow
) -> None:
    """What the ticket would say so far, read anew whenever another sentence stands."""
    version, read = 0, -1
    while response.is_connected():
        talk = await board.after(call.id, version)
        version = talk.version
        if len(talk.lines) == read:
            continue
        read = len(talk.lines)
        draft = await live_draft(request, visit, call, talk)
        if draft is None:
            await asyncio.Event().wait()
            return
        template = request.app[TEMPLATES[visit.catalog.language]].get_template("parts/draft.html")
        fields = template.render(visit=visit, f=visit.formats, draft=draft)
        told = {"fields": fields, "marks": draft.marks, "repeat_back": draft.repeat_back}
        await response.send(json.dumps(told, ensure_ascii=False), event="draft")
        await asyncio.sleep(SECONDS_BETWEEN_DRAFTS)
