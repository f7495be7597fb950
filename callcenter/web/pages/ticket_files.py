"""The files of a ticket, and the ticket on paper."""

from pathlib import Path

from aiohttp import web

from callcenter.services.attachments import (
    File,
    FileRefused,
    TooLarge,
    TooMany,
    UnknownKind,
    attach,
    attachments_of,
    detach,
)
from callcenter.services.tickets import NoSuchTicket
from callcenter.services.users import record_look
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.pages.recordings import stored_file
from callcenter.web.pages.ticket import load, show
from callcenter.web.security import protect
from callcenter.web.visit import Visit, see_other

NO_FILE = N_("没有选文件。请先选一张照片或一个 PDF。")
REFUSED: dict[type[FileRefused], str] = {
    UnknownKind: N_("只收照片（JPEG、PNG、WebP）和 PDF。文件没有保存。"),
    TooLarge: N_("文件超过 10 MB。请缩小后再传。"),
    TooMany: N_("这张工单已有 20 个文件。请先删去不用的。"),
}


def folder_of(request: web.Request) -> Path:
    return request.app[SETTINGS].server.data_dir / "attachments"


async def add(request: web.Request, visit: Visit) -> web.StreamResponse:
    number, uploaded = request.match_info["number"], visit.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise BadForm(NO_FILE)
    file = File(name=uploaded.filename, content=uploaded.file.read())
    try:
        await attach(
            request.app[DATABASE], folder_of(request), file, number=number, actor=visit.user.login, now=visit.now
        )
    except FileRefused as error:
        raise BadForm(REFUSED[type(error)]) from error
    except NoSuchTicket as error:
        raise NotFound from error
    await announce(request.app)
    return see_other(f"/tickets/{number}#files")


async def remove(request: web.Request, visit: Visit) -> web.StreamResponse:
    number, which = request.match_info["number"], int(request.match_info["file"])
    try:
        await detach(
            request.app[DATABASE],
            folder_of(request),
            number=number,
            attachment_id=which,
            actor=visit.user.login,
            now=visit.now,
        )
    except NoSuchTicket as error:
        raise NotFound from error
    await announce(request.app)
    return see_other(f"/tickets/{number}#files")


async def send(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A photograph is shown, a PDF is saved; that it was looked at is written down."""
    page = await load(request, visit)
    which = int(request.match_info["file"])
    found = next((one for one in await attachments_of(request.app[DATABASE], page.ticket.id) if one.id == which), None)
    path = stored_file(folder_of(request), found.path) if found else None
    if found is None or path is None:
        raise NotFound
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="viewed_file",
        subject=f"ticket:{page.ticket.number}",
        data={"file": which},
        now=visit.now,
    )
    response = web.FileResponse(path, headers={"Content-Type": found.content_type})
    disposition = "inline" if found.content_type.startswith("image/") else "attachment"
    ending = path.suffix
    response.headers["Content-Disposition"] = f'{disposition}; filename="{page.ticket.number}-{which}{ending}"'
    protect(response)
    return response


async def printed(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The ticket on one sheet, to be signed (投诉单); numbers stay masked on paper."""
    return await show(request, visit, await load(request, visit), template="ticket_printed.html")
