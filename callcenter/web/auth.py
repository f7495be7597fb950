"""Logging in and out. Tries are limited; where one is sent afterwards is a page of ours, never another host."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from callcenter.services.users import User, authenticate, close_session, count_users, open_session
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import LANGUAGES, N_
from callcenter.web.proxies import visitor_address
from callcenter.web.rendering import Reader, render
from callcenter.web.visit import (
    SESSION_COOKIE,
    Visit,
    is_https,
    now,
    posted,
    reader_catalog,
    see_other,
    session_lasts,
    switched,
)

LOGIN_COOKIE = "callcenter_login"
LOGINS_AN_ADDRESS = 5
"""So many login names may each be tried up to the limit from one address, for agents behind one router."""


class LoginLimiter:
    """At most so many tries a minute for one login from one address, and a few times that for the address."""

    def __init__(self, *, attempts_a_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._of_login = RateLimitItemPerMinute(attempts_a_minute)
        self._of_address = RateLimitItemPerMinute(attempts_a_minute * LOGINS_AN_ADDRESS)

    async def allows(self, *, login: str, address: str) -> bool:
        by_address = await self._limiter.hit(self._of_address, "address", address)
        by_login = await self._limiter.hit(self._of_login, "login", login.casefold(), address)
        return by_address and by_login


LIMITER = web.AppKey("callcenter.web.login_limiter", LoginLimiter)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginForm:
    login: str
    password: str
    wanted: str
    csrf: str


async def login_page(request: web.Request) -> web.StreamResponse:
    if request.query.get("lang") in LANGUAGES:
        return switched(request)
    if not await count_users(request.app[DATABASE]):
        return see_other("/setup")
    return _page(request, wanted=request.query.get("next", "/"))


async def log_in(request: web.Request) -> web.StreamResponse:
    form = _read(await posted(request))
    if not is_same(form.csrf, request.cookies.get(LOGIN_COOKIE, "")):
        return _page(
            request, wanted=form.wanted, login=form.login, status=403, problem=N_("页面放得太久了，请再试一次。")
        )
    if not await request.app[LIMITER].allows(login=form.login, address=visitor_address(request)):
        problem = N_("试得太多了。请过一分钟再试。")
        return _page(request, wanted=form.wanted, login=form.login, status=429, problem=problem)
    database = request.app[DATABASE]
    user = await authenticate(database, login=form.login, password=form.password)
    if user is None:
        problem = N_("用户名或密码不对。忘了密码请找管理员。")
        return _page(request, wanted=form.wanted, login=form.login, status=401, problem=problem)
    return await logged_in(request, user, wanted=form.wanted)


async def logged_in(request: web.Request, user: User, *, wanted: str) -> web.Response:
    """A session for this user, and the way to the page that they wanted."""
    session = await open_session(request.app[DATABASE], user=user, now=now(request), lasts=session_lasts(request))
    response = see_other(page_of_ours(wanted))
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=int(session_lasts(request).total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=is_https(request),
    )
    response.del_cookie(LOGIN_COOKIE)
    return response


async def log_out(request: web.Request, visit: Visit) -> web.StreamResponse:
    await close_session(request.app[DATABASE], token=request.cookies[SESSION_COOKIE])
    response = see_other("/login")
    response.del_cookie(SESSION_COOKIE)
    return response


def _read(form: Mapping[str, str]) -> LoginForm:
    return LoginForm(
        login=form.get("login", ""),
        password=form.get("password", ""),
        wanted=form.get("next", "/"),
        csrf=form.get("csrf", ""),
    )


def _page(
    request: web.Request, *, wanted: str, login: str = "", problem: str | None = None, status: int = 200
) -> web.Response:
    """The form and its token; the same token is in a cookie, since there is no session yet to keep it in."""
    reader = Reader(catalog=reader_catalog(request, None), zone=request.app[SETTINGS].zone, now=now(request))
    token = login_token(request)
    response = render(
        request,
        reader,
        "login.html",
        status=status,
        problem=problem,
        login=login,
        wanted=page_of_ours(wanted),
        csrf=token,
    )
    response.set_cookie(LOGIN_COOKIE, token, httponly=True, samesite="Strict", secure=is_https(request), max_age=3600)
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


def login_token(request: web.Request) -> str:
    """What the form of somebody who is not signed in yet must bring back; their cookie has it too."""
    return request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(24)


def is_same(given: str, kept: str) -> bool:
    return bool(kept) and hmac.compare_digest(given.encode(), kept.encode())


def page_of_ours(address: str) -> str:
    """The address if it is a path on this server, else the start page."""
    parts = urlsplit(address)
    is_ours = address.startswith("/") and not address.startswith("//") and not parts.scheme and not parts.netloc
    return address if is_ours and "\\" not in address and address.isprintable() else "/"
