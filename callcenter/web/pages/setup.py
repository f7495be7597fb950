"""The first run: an empty database is greeted with a form for the first administrator, then with what is still to do.

Whoever makes the first administrator shows that the machine is theirs by a code that lies in the data folder.
"""

import asyncio
import hmac
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from callcenter.asr.errors import ModelError
from callcenter.asr.models import list_models
from callcenter.config import ConsoleSettings as ConsoleSection
from callcenter.config import Settings
from callcenter.db.users import Role
from callcenter.reports.live_calls import first_answered_call
from callcenter.services.console_settings import read_saved
from callcenter.services.users import (
    MINIMUM_PASSWORD_LENGTH,
    ListedUser,
    UserRefused,
    add_user,
    authenticate,
    count_users,
    list_users,
)
from callcenter.web.auth import LIMITER, LOGIN_COOKIE, is_same, logged_in, login_token
from callcenter.web.frame import render_room
from callcenter.web.keys import CONSOLE, DATABASE, SETTINGS
from callcenter.web.language import LANGUAGES, N_
from callcenter.web.proxies import visitor_address
from callcenter.web.rendering import Reader, render
from callcenter.web.visit import Visit, is_https, now, posted, reader_catalog, see_other, switched

CODE_FILE = "setup-code"
DEMONSTRATION_MODEL = "demo-zh"
WRONG_CODE = N_("安装口令不对。请看服务器数据文件夹里的 setup-code。")
TOO_OFTEN = N_("试得太多了。请过一分钟再试。")
REFUSED = N_("用户名、姓名都要填；密码至少 10 个字符，也不能就是用户名。")
EXPIRED = N_("页面放得太久了，请再试一次。")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to set up: where, and how it stands."""

    title: str
    told: str
    address: str
    done: bool


def setup_code(settings: Settings) -> str:
    """The code in the data folder, made when it is first needed; only our own user may read it."""
    path = settings.server.data_dir / CODE_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        code = secrets.token_hex(5)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{code}\n")
        return code


async def first_page(request: web.Request) -> web.StreamResponse:
    """For nobody who is signed in: only while there is no user at all."""
    if request.query.get("lang") in LANGUAGES:
        return switched(request)
    if await count_users(request.app[DATABASE]):
        return see_other("/login?next=/setup")
    await asyncio.to_thread(setup_code, request.app[SETTINGS])
    return _first(request)


async def make_first(request: web.Request) -> web.StreamResponse:
    form = await posted(request)
    database = request.app[DATABASE]
    if await count_users(database):
        return see_other("/login")
    if not is_same(form.get("csrf", ""), request.cookies.get(LOGIN_COOKIE, "")):
        return _first(request, form, problem=EXPIRED, status=403)
    if not await request.app[LIMITER].allows(login=CODE_FILE, address=visitor_address(request)):
        return _first(request, form, problem=TOO_OFTEN, status=429)
    code = await asyncio.to_thread(setup_code, request.app[SETTINGS])
    if not hmac.compare_digest(form.get("code", "").strip().encode(), code.encode()):
        return _first(request, form, problem=WRONG_CODE, status=403)
    login, password, name = (form.get(part, "").strip() for part in ("login", "password", "name"))
    try:
        if not name or any(char.isspace() for char in login):
            raise UserRefused
        await add_user(
            database, login=login, name=name, role=Role.ADMIN, password=password, now=now(request), actor=login
        )
    except UserRefused:
        return _first(request, form, problem=REFUSED, status=400)
    await asyncio.to_thread(Path.unlink, request.app[SETTINGS].server.data_dir / CODE_FILE, missing_ok=True)
    user = await authenticate(database, login=login, password=password)
    assert user is not None
    return await logged_in(request, user, wanted="/setup")


def _first(
    request: web.Request, form: dict[str, str] | None = None, *, problem: str | None = None, status: int = 200
) -> web.Response:
    reader = Reader(catalog=reader_catalog(request, None), zone=request.app[SETTINGS].zone, now=now(request))
    token = login_token(request)
    typed = form or {}
    response = render(
        request,
        reader,
        "setup_first.html",
        status=status,
        problem=problem,
        csrf=token,
        login=typed.get("login", ""),
        name=typed.get("name", ""),
        shortest=MINIMUM_PASSWORD_LENGTH,
    )
    response.set_cookie(LOGIN_COOKIE, token, httponly=True, samesite="Strict", secure=is_https(request), max_age=3600)
    return response


async def checklist(request: web.Request, visit: Visit) -> web.StreamResponse:
    """What is still missing until the hotline answers, each with the way there."""
    console, database = request.app[CONSOLE], request.app[DATABASE]
    saved = await read_saved(database, console.load)
    users = await list_users(database)
    first_call = await first_answered_call(database)
    return await render_room(
        request,
        visit,
        "setup.html",
        room="admin",
        steps=await _steps(saved.settings, visit, users=users, answered=first_call is not None),
        first_call=first_call,
        waits=saved.number != console.number_in_use,
    )


async def _steps(settings: Settings, visit: Visit, *, users: Sequence[ListedUser], answered: bool) -> list[Step]:
    say = visit.catalog.gettext
    twilio, url = settings.twilio, settings.server.public_url
    line = bool(twilio.account_sid and twilio.auth_token.get_secret_value() and twilio.from_number)
    return [
        Step(
            title=say("公司"),
            told=settings.console.company,
            address="/admin/company",
            done=settings.console.company != ConsoleSection().company,
        ),
        Step(
            title=say("线路"),
            told=url
            if url.startswith("https://") or settings.asterisk
            else say("公开地址要是 https，再填运营商的账号。"),
            address="/admin/provider",
            done=bool(settings.asterisk) or (line and url.startswith("https://")),
        ),
        Step(
            title=say("识别模型"),
            told=await _model(settings, visit),
            address="/admin/model",
            done=settings.speech.model != DEMONSTRATION_MODEL,
        ),
        Step(
            title=say("客服与话机"),
            told="、".join(agent.name for agent in settings.agents) or say("至少一位，来电才有人接。"),
            address="/admin/phones",
            done=bool(settings.agents),
        ),
        Step(
            title=say("客服的登录账户"),
            told=say("客服要登录才看得到来电是谁，也才能说自己就绪。"),
            address="/admin/users",
            done=any(one.user.agent_id for one in users),
        ),
        Step(
            title=say("打一通测试电话"),
            told=say("从外面走一遍，再看进来了什么"),
            address="/admin/provider",
            done=answered,
        ),
    ]


async def _model(settings: Settings, visit: Visit) -> str:
    if settings.speech.model == DEMONSTRATION_MODEL:
        return visit.catalog.gettext("现在是演示模型，听不懂真人。")
    try:
        known = await asyncio.to_thread(list_models, settings.speech.models_dir)
    except ModelError:
        return settings.speech.model
    missing = any(one.entry.name == settings.speech.model and not one.installed for one in known)
    return (
        visit.catalog.gettext("%(name)s 还没有下载", name=settings.speech.model) if missing else settings.speech.model
    )
