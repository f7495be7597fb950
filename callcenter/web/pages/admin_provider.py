"""Setting up the provider: what to fill in there, and a test that shows what really came in."""

from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from aiohttp import web

from callcenter.services.console_settings import read_saved
from callcenter.web.frame import render_room
from callcenter.web.keys import ARRIVALS, CONSOLE, DATABASE
from callcenter.web.rendering import render
from callcenter.web.visit import Visit

SHOWN = timedelta(minutes=15)
TIMEOUT = aiohttp.ClientTimeout(total=8)
VOICE = "/ivr/twilio/voice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A thing that was tried; `problem` says what is wrong and what to do, None that it works."""

    what: str
    problem: str | None
    detail: str = ""


async def test(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Goes the way that the provider goes: out to the public address and in again."""
    saved = await read_saved(request.app[DATABASE], request.app[CONSOLE].load)
    url, twilio = saved.settings.server.public_url, saved.settings.twilio
    say = visit.catalog.gettext
    checks = [
        Check(
            what=say("账号、令牌、热线号码"),
            problem=None
            if twilio.account_sid and twilio.auth_token.get_secret_value() and twilio.from_number
            else say("还没有填全；没有令牌，电话进不来。"),
        ),
        Check(
            what=say("公开地址用 https"),
            problem=None if url.startswith("https://") else say("请换成 https 地址，令牌和号码才不会明着传。"),
            detail=url,
        ),
    ]
    checks += await _from_outside(url, visit)
    return await render_room(
        request,
        visit,
        "admin_provider_test.html",
        room="admin",
        checks=checks,
        arrivals=request.app[ARRIVALS].since(visit.now - SHOWN),
        from_number=twilio.from_number,
        waits=saved.number != request.app[CONSOLE].number_in_use,
    )


async def _from_outside(url: str, visit: Visit) -> list[Check]:
    """Without a signature we must be refused by ourselves: that proves that the address leads here and is closed."""
    say = visit.catalog.gettext
    what = say("公开地址通到这里")
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            async with session.get(f"{url}/healthz", allow_redirects=False) as health:
                state = health.status
            async with session.post(f"{url}{VOICE}", data={"CallSid": "test"}, allow_redirects=False) as refused:
                answer = refused.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        problem = say("连不上。请看域名、反向代理和防火墙。")
        return [Check(what=what, problem=problem, detail=f"{type(error).__name__}: {error}"[:200])]
    reached = Check(
        what=what,
        problem=None if state == 200 else say("通了，回答的不是我们，或数据库没有准备好。"),
        detail=f"/healthz {state}",
    )
    closed = Check(
        what=say("没有签名的请求进不来"),
        problem=None if answer in (401, 403) else say("应该被拒绝。请看反向代理有没有改请求。"),
        detail=f"{VOICE} {answer}",
    )
    return [reached, closed]


async def arrivals(request: web.Request, visit: Visit) -> web.StreamResponse:
    """What came in of late, as a piece of the page that fetches it again and again."""
    found = request.app[ARRIVALS].since(visit.now - SHOWN)
    return render(request, visit, "parts/arrivals.html", arrivals=found)
