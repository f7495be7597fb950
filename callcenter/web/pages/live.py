"""The stream on which open pages hear that something changed. It ends by itself, so that a login is checked again."""

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta

from aiohttp import web
from aiohttp_sse import sse_response

from callcenter.web.live import FEED
from callcenter.web.visit import Visit

LONGEST = timedelta(minutes=10)
RETRY_MS = 2000


async def events(request: web.Request, visit: Visit) -> web.StreamResponse:
    feed = request.app[FEED]
    async with sse_response(request, headers={"X-Content-Type-Options": "nosniff"}) as response:
        seen = None
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                while response.is_connected():
                    seen = await feed.after(seen)
                    if seen is None:
                        break
                    await response.send(json.dumps(asdict(seen)), event="changes", retry=RETRY_MS)
        except (TimeoutError, ConnectionResetError):
            pass
    return response
