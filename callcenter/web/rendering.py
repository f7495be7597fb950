"""Pages from templates, in the reader's language, with the headers that every page needs."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp_jinja2
from aiohttp import web
from jinja2 import BytecodeCache, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from callcenter.domain.deadline_standing import EarlyWarning
from callcenter.web import shapes
from callcenter.web.errors import PageError
from callcenter.web.formats import Formats, inland, masked
from callcenter.web.keys import ASSETS, CATALOGS, SETTINGS, TEMPLATES
from callcenter.web.labels import Labels
from callcenter.web.language import Catalog
from callcenter.web.security import protect


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who a page is written for: their language, the moment, and when a deadline counts as near."""

    catalog: Catalog
    zone: ZoneInfo
    now: datetime
    warning: EarlyWarning = field(default_factory=EarlyWarning)

    @cached_property
    def formats(self) -> Formats:
        return Formats(catalog=self.catalog, zone=self.zone, now=self.now)

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.catalog)


class _CompiledOnce(BytecodeCache):
    """Templates compiled in this process; a file that has changed since is compiled anew (jinja2 compares)."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _CompiledOnce()
"""For the environments of both languages: the code is the same, the words come with the page."""


def set_up_templates(app: web.Application) -> None:
    """One environment a language, so that macros speak it without being told."""
    for language, catalog in app[CATALOGS].items():
        environment = aiohttp_jinja2.setup(
            app,
            app_key=TEMPLATES[language],
            loader=PackageLoader("callcenter.web", "templates"),
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            bytecode_cache=_COMPILED,
            trim_blocks=True,
            lstrip_blocks=True,
            enable_async=False,
        )
        environment.install_gettext_translations(catalog.translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            html_language=catalog.html_language,
            language=language,
            asset=app[ASSETS].url,
            company=app[SETTINGS].console.company,
            label=Labels(catalog),
            masked=masked,
            inland=inland,
            shapes=shapes,
        )


def render(
    request: web.Request,
    reader: Reader,
    template: str,
    *,
    status: int = 200,
    plays_audio: bool = False,
    **context: Any,
) -> web.Response:
    """`plays_audio`: the page draws a waveform and needs a nonce for its styles."""
    nonce = secrets.token_urlsafe(16) if plays_audio else None
    response = aiohttp_jinja2.render_template(
        template,
        request,
        {
            "visit": reader,
            "f": reader.formats,
            "style_nonce": nonce,
            "path": request.path,
            "here": request.rel_url,
            **context,
        },
        app_key=TEMPLATES[reader.catalog.language],
        status=status,
    )
    protect(response, style_nonce=nonce)
    response.enable_compression()
    return response


def render_error(request: web.Request, reader: Reader, error: PageError) -> web.Response:
    """What happened, what was kept, what to do; to htmx and scripts the same page with the same status."""
    return render(request, reader, "error.html", status=error.status, error=error)
