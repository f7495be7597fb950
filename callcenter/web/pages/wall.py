"""The wall board on a screen without a login, and the page where supervisors put up and take down such screens."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response
from sqlalchemy.exc import SQLAlchemyError

from callcenter.domain.agent_states import AgentState
from callcenter.domain.call_orders import SUPERVISION
from callcenter.reports.agents import changes_since
from callcenter.services.wall_screens import add_screen, is_screen, revoke_screen, screens
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import CATALOGS, CONTROLS, DATABASE, DUTY, SETTINGS, TEMPLATES
from callcenter.web.language import LANGUAGES, N_
from callcenter.web.live import FEED
from callcenter.web.rendering import Reader, render
from callcenter.web.visit import Visit, now, see_other
from callcenter.web.wall import WALL, wall_clock, wall_context

log = structlog.get_logger()

LONGEST_SECONDS = 3600.0
BEAT_SECONDS = 3.0
RETRY_MS = 2000
NO_NAME = N_("请写明这块屏挂在哪里。")


def _reader(request: web.Request) -> Reader:
    asked = request.query.get("lang", "")
    language = asked if asked in LANGUAGES else request.app[SETTINGS].console.default_language
    return Reader(catalog=request.app[CATALOGS][language], zone=request.app[SETTINGS].zone, now=now(request))


async def _known(request: web.Request) -> None:
    if not await is_screen(request.app[DATABASE], request.match_info["token"]):
        raise web.HTTPNotFound


async def screen(request: web.Request) -> web.StreamResponse:
    """Nobody stands before a screen to reload it: without the database it tries again by itself."""
    try:
        await _known(request)
        return await _board(request, f"/wall/{request.match_info['token']}/events")
    except (SQLAlchemyError, OSError) as error:
        log.warning("the wall board cannot be read now", error=type(error).__name__)
        words = _reader(request).catalog.gettext("数据库连不上，五秒后再试。")
        return web.Response(status=503, text=words, headers={"Refresh": "5", "Cache-Control": "no-store"})


async def own_screen(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The same board for a supervisor who is signed in."""
    return await _board(request, "/wall/board/events")


async def _board(request: web.Request, feed: str) -> web.StreamResponse:
    reader = _reader(request)
    board = await request.app[WALL].board(request.app)
    address = request.rel_url.with_path(feed).with_query(request.query)
    context = wall_context(request.app, board, reader)
    response = render(request, reader, "wall.html", feed=address, clock=wall_clock(request.app, reader), **context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def screen_events(request: web.Request) -> web.StreamResponse:
    await _known(request)
    return await _events(request, lambda: is_screen(request.app[DATABASE], request.match_info["token"]))


async def own_events(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _events(request, None)


async def _events(request: web.Request, still: Callable[[], Awaitable[bool]] | None) -> web.StreamResponse:
    """The board whenever it looks different, else a beat every few seconds: the screen knows how old it is.

    Ends after an hour, or when the screen was taken down; the screen then asks again. Where the database is away
    nothing is sent, and the screen says since when.
    """
    loop, drawn = asyncio.get_running_loop(), ""
    until = loop.time() + LONGEST_SECONDS
    async with sse_response(request, headers={"X-Content-Type-Options": "nosniff"}) as response:
        while response.is_connected() and loop.time() < until and not request.app[FEED].closing:
            seen = request.app[FEED].changes
            try:
                if still is not None and not await still():
                    break
                drawn = await _tell(request, response, drawn)
            except (SQLAlchemyError, OSError) as error:
                log.warning("the wall board cannot be read now", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(request.app[FEED].after(seen), BEAT_SECONDS)
    return response


async def _tell(request: web.Request, response: EventSourceResponse, last: str) -> str:
    """Sends the board's age, and the board where it looks other than `last`; how it looks now."""
    reader = _reader(request)
    board = await request.app[WALL].board(request.app)
    template = request.app[TEMPLATES[reader.catalog.language]].get_template("parts/wall_board.html")
    drawn = template.render(visit=reader, f=reader.formats, **wall_context(request.app, board, reader))
    told = dict(wall_clock(request.app, reader)) | ({"html": drawn} if drawn != last else {})
    await response.send(json.dumps(told, ensure_ascii=False), event="board", retry=RETRY_MS)
    return drawn


async def manage(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _manage(request, visit)


async def _manage(request: web.Request, visit: Visit, *, made: str = "") -> web.Response:
    """`made`: the token of a screen that was just put up; its address is shown this once."""
    known = await everyone(request)
    settings, duty = request.app[SETTINGS], request.app[DUTY]
    f = visit.formats
    day_began = f.local(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    return await render_room(
        request,
        visit,
        "walls.html",
        room="wall",
        known=known,
        screens=await screens(request.app[DATABASE]),
        made=f"{settings.server.public_url}/wall/{made}" if made else "",
        agents=[(agent, duty.doing(agent.id)) for agent in settings.agents],
        supervision=lambda call_id: sorted(SUPERVISION & request.app[CONTROLS].possible(call_id)),
        states=[state.value for state in AgentState],
        changes=await changes_since(request.app[DATABASE], day_began),
    )


async def put_up(request: web.Request, visit: Visit) -> web.StreamResponse:
    name = visit.form.get("name", "").strip()[:60]
    if not name:
        raise BadForm(NO_NAME)
    token = await add_screen(request.app[DATABASE], name=name, actor=visit.user.login, now=visit.now)
    return await _manage(request, visit, made=token)


async def take_down(request: web.Request, visit: Visit) -> web.StreamResponse:
    screen_id = int(request.match_info["screen_id"])
    if not await revoke_screen(request.app[DATABASE], screen_id=screen_id, actor=visit.user.login, now=visit.now):
        raise NotFound
    return see_other("/wall")
