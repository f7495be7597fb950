"""What stands outside the rooms: the start page, static files, and a friendly word for an address that is not there."""

from aiohttp import web

from callcenter.web.assets import respond
from callcenter.web.errors import BadAddress, NotFound
from callcenter.web.keys import ASSETS, SETTINGS
from callcenter.web.rendering import Reader, render_error
from callcenter.web.visit import Handler, Visit, now, reader_catalog, see_other


async def home(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A supervisor begins with the day's answering, an agent with the tickets."""
    return see_other("/answering" if visit.is_supervisor else "/tickets")


async def static_file(request: web.Request) -> web.StreamResponse:
    asset = request.app[ASSETS].find(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return respond(request, asset)


@web.middleware
async def friendly_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A browser that asks for an unknown page gets a page; providers and scripts get the bare status.

    NUL is in no address that we write, and PostgreSQL takes it in no text. Providers' addresses are not ours.
    """
    if "%00" in request.raw_path and not request.path.startswith("/ivr/"):
        refusal: BadAddress | NotFound = BadAddress()
    elif request.match_info.http_exception is not None and "text/html" in request.headers.get("Accept", ""):
        refusal = NotFound()
    else:
        return await handler(request)
    reader = Reader(catalog=reader_catalog(request, None), zone=request.app[SETTINGS].zone, now=now(request))
    return render_error(request, reader, refusal)
