"""The estate register: a file is read and shown first, with its errors or with what it would change, then taken."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from callcenter.domain.understanding.register_file import RegisterError, RegisterFileError, read_register
from callcenter.reports.register import RegisterState, register_state
from callcenter.services.register import ImportedRegister, import_register
from callcenter.services.users import record_look
from callcenter.web.errors import BadForm
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.register_words import column_words, remedy_words
from callcenter.web.visit import Visit, see_other

LARGEST_BYTES = 20 * 1024 * 1024
NO_FILE = N_("没有选文件。请选一个 CSV。")
GONE = N_("要导入的文件已不在：服务重新启动过，或您又传了别的。请再传一次。")


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A file that somebody has looked at and not taken yet."""

    name: str
    data: bytes


WAITING: web.AppKey[dict[str, Waiting]] = web.AppKey("callcenter.web.register_waiting", dict)
"""By login: one each, until it is taken or the server ends."""


async def register(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _show(request, visit)


async def preview(request: web.Request, visit: Visit) -> web.StreamResponse:
    uploaded = visit.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise BadForm(NO_FILE)
    waiting = Waiting(name=uploaded.filename[-120:], data=uploaded.file.read())
    request.app[WAITING].pop(visit.user.login, None)
    try:
        file = await asyncio.to_thread(read_register, waiting.data)
    except RegisterFileError as error:
        return await _show(request, visit, name=waiting.name, errors=error.errors, status=400)
    would = await import_register(request.app[DATABASE], file, source=waiting.name, now=visit.now, dry_run=True)
    request.app[WAITING][visit.user.login] = waiting
    return await _show(request, visit, name=waiting.name, would=would, ignored=file.ignored)


async def take(request: web.Request, visit: Visit) -> web.StreamResponse:
    waiting = request.app[WAITING].pop(visit.user.login, None)
    if waiting is None:
        raise BadForm(GONE)
    file = await asyncio.to_thread(read_register, waiting.data)
    done = await import_register(request.app[DATABASE], file, source=waiting.name, now=visit.now)
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="register_imported",
        subject=f"register:{waiting.name}",
        data={"rooms": done.rooms, "residents": done.residents, "added": done.added, "removed": done.removed},
        now=visit.now,
    )
    return see_other("/admin/register?saved=1")


async def _show(
    request: web.Request,
    visit: Visit,
    *,
    name: str = "",
    errors: tuple[RegisterError, ...] = (),
    would: ImportedRegister | None = None,
    ignored: tuple[str, ...] = (),
    status: int = 200,
) -> web.StreamResponse:
    state: RegisterState = await register_state(request.app[DATABASE])
    return await render_room(
        request,
        visit,
        "admin_register.html",
        room="admin",
        status=status,
        state=state,
        name=name,
        errors=errors,
        column_of=lambda error: column_words(error.column, visit.catalog),
        remedy_of=lambda error: remedy_words(error, visit.catalog),
        would=would,
        ignored=ignored,
        was_saved="saved" in request.query,
    )
