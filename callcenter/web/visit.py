"""One person's request to the console: who asks, in which language, and what a form must bring."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from urllib.parse import quote

import structlog
from aiohttp import web

from callcenter.db.users import Role
from callcenter.reports.changes import Changes
from callcenter.services.escalation_rules import early_warning
from callcenter.services.users import Session, User, choose_language, find_session
from callcenter.web.errors import ONLY_ADMINISTRATORS, FormExpired, NotAllowed, PageError, TooMuch
from callcenter.web.keys import CATALOGS, CLOCK, DATABASE, SETTINGS
from callcenter.web.language import COOKIE as LANGUAGE_COOKIE
from callcenter.web.language import LANGUAGES, Catalog, asked_language
from callcenter.web.live import FEED
from callcenter.web.proxies import came_by_https
from callcenter.web.rendering import Reader, render_error

SESSION_COOKIE = "callcenter_session"
EVERYONE = frozenset(Role)
ADMINISTRATORS = frozenset({Role.ADMIN})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMIN})
YEAR_SECONDS = 365 * 24 * 3600

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Visit(Reader):
    """A signed-in person's request. `form` is empty for anything but a POST; `files` where a page takes none.

    `seen` is the state of change before anything was read: what comes later, the page is told of.
    """

    session: Session
    form: Mapping[str, str]
    files: Mapping[str, web.FileField]
    seen: Changes | None

    @property
    def user(self) -> User:
        return self.session.user

    @property
    def is_supervisor(self) -> bool:
        return self.user.role in SUPERVISORS


Fields = Mapping[str, str | bytearray | bytes | web.FileField]
Page = Callable[[web.Request, Visit], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def now(request: web.Request) -> datetime:
    return request.app[CLOCK].now()


def is_https(request: web.Request) -> bool:
    """Whether the browser came by https, or will: a cookie is then kept from ever going out in the clear."""
    return request.app[SETTINGS].server.public_url.startswith("https://") or came_by_https(request)


async def posted(request: web.Request) -> dict[str, str]:
    """The texts of a posted form, without NUL, which no database takes. 400 where it cannot be read."""
    return _texts(await _form(request))


async def _form(request: web.BaseRequest) -> Fields:
    try:
        return await request.post()
    except (LookupError, ValueError, web.HTTPUnsupportedMediaType) as error:
        raise web.HTTPBadRequest(text="the form cannot be read: send it as UTF-8") from error


def _texts(form: Fields) -> dict[str, str]:
    return {name: value.replace("\0", "") for name, value in form.items() if isinstance(value, str)}


def for_roles(
    page: Page, roles: frozenset[Role] = EVERYONE, *, largest_bytes: int | None = None, streams: bool = False
) -> Handler:
    """The handler of a page that only these roles may see: session, role and CSRF token are checked before it runs.

    `largest_bytes`: its form brings files of together so many bytes at most. `streams`: it goes on for minutes, so it
    reads anew each time; any other page that changes nothing reads all of it in one view of the database.
    """

    @wraps(page)
    async def handler(request: web.Request) -> web.StreamResponse:
        if streams or request.method not in ("GET", "HEAD"):
            return await checked(request)
        async with request.app[DATABASE].one_view():
            return await checked(request)

    async def checked(request: web.Request) -> web.StreamResponse:
        session = await _session(request)
        if session is None:
            return _to_login(request)
        if request.query.get("lang") in LANGUAGES:
            return await _switch_language(request, session.user)
        try:
            visit = await _visit(request, session, largest_bytes)
        except web.HTTPRequestEntityTooLarge:
            return render_error(request, await _visit(request, session, None, unread=True), TooMuch())
        try:
            if visit.user.role not in roles:
                raise NotAllowed(ONLY_ADMINISTRATORS if roles == ADMINISTRATORS else None)
            _check_form(request, visit)
            return await page(request, visit)
        except PageError as error:
            return render_error(request, visit, error)
        except web.HTTPException:
            raise
        except Exception:
            log.exception("page failed", path=request.path, login=visit.user.login)
            return render_error(request, visit, PageError())

    return handler


async def _session(request: web.Request) -> Session | None:
    token = request.cookies.get(SESSION_COOKIE)
    return await find_session(request.app[DATABASE], token=token, now=now(request)) if token else None


async def _visit(request: web.Request, session: Session, largest_bytes: int | None, *, unread: bool = False) -> Visit:
    """`unread`: whatever was posted is left alone."""
    read = request.clone(client_max_size=largest_bytes) if largest_bytes else request
    form: Fields = await _form(read) if request.method == "POST" and not unread else {}
    return Visit(
        session=session,
        seen=request.app[FEED].changes,
        form=_texts(form),
        files={name: value for name, value in form.items() if isinstance(value, web.FileField)},
        catalog=reader_catalog(request, session.user),
        zone=request.app[SETTINGS].zone,
        now=now(request),
        warning=early_warning(request.app[SETTINGS].escalation),
    )


def reader_catalog(request: web.Request, user: User | None) -> Catalog:
    default = request.app[SETTINGS].console.default_language
    language = asked_language(request, of_user=user.language if user else None, default=default)
    return request.app[CATALOGS][language]


def _check_form(request: web.Request, visit: Visit) -> None:
    """A form must carry the token of the session that it was made for."""
    if request.method in ("GET", "HEAD"):
        return
    given = visit.form.get("csrf", "") or request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(given.encode(), visit.session.csrf_token.encode()):
        raise FormExpired


def _to_login(request: web.Request) -> web.Response:
    """Scripts get 401 and the way to the login; people get the login page and come back afterwards."""
    wanted = request.path_qs if request.method == "GET" else "/"
    address = f"/login?next={quote(wanted, safe='/')}"
    if request.headers.get("HX-Request"):
        return web.Response(status=401, headers={"HX-Redirect": address})
    if "text/event-stream" in request.headers.get("Accept", ""):
        return web.Response(status=401)
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


async def _switch_language(request: web.Request, user: User) -> web.Response:
    await choose_language(request.app[DATABASE], user_id=user.id, language=request.query["lang"])
    return switched(request)


def switched(request: web.Request) -> web.Response:
    """Keeps the language of `?lang=` in a cookie and goes back to the same page without it."""
    rest = request.rel_url.without_query_params("lang")
    response = web.Response(status=303, headers={"Location": str(rest), "Cache-Control": "no-store"})
    response.set_cookie(
        LANGUAGE_COOKIE,
        request.query["lang"],
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=is_https(request),
    )
    return response


def see_other(address: str) -> web.Response:
    """After a form was saved: show the result, so that reloading does not save twice."""
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


def session_lasts(request: web.Request) -> timedelta:
    return timedelta(hours=request.app[SETTINGS].console.session_hours)
