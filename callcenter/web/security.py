"""What a browser is told it may do with our pages: load from us, run nothing inline, be framed by nobody."""

from aiohttp import web

_POLICY = (
    "default-src 'none'; style-src 'self'{style}; script-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def protect(response: web.StreamResponse, *, style_nonce: str | None = None) -> None:
    """`style_nonce` lets through the one style sheet that wavesurfer puts into its own shadow tree."""
    style = f" 'nonce-{style_nonce}'" if style_nonce else ""
    response.headers["Content-Security-Policy"] = _POLICY.format(style=style)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
