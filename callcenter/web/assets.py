"""Styles and scripts: read once, compressed once, named by their content so that browsers keep them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
SERVED = (".css", ".js")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    content_type: str
    version: str


class Assets:
    """Every file under static/ that a page may load."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._by_name = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in SERVED
        }

    def url(self, name: str) -> str:
        return f"/static/{name}?v={self._by_name[name].version}"

    def find(self, name: str) -> Asset | None:
        return self._by_name.get(name)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
        content_type=mimetypes.types_map.get(path.suffix, "text/plain"),
        version=hashlib.sha256(content).hexdigest()[:12],
    )


def respond(request: web.Request, asset: Asset) -> web.Response:
    """The file itself; a browser that named the right version need not ask again for a year."""
    etag = f'"{asset.version}"'
    named = request.query.get("v") == asset.version
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=31536000, immutable" if named else "no-cache",
    }
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    body = asset.content
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = asset.compressed, "gzip"
    return web.Response(body=body, headers=headers, content_type=asset.content_type, charset="utf-8")
