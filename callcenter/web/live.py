"""Tells open pages that something changed: a few looks at the database a second, however many pages are open."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from callcenter.reports.changes import Changes, read_changes
from callcenter.services.news import rest_after
from callcenter.services.schema import in_one_line
from callcenter.web.keys import DATABASE, NEWS

SECONDS_BETWEEN_LOOKS = 1.0
FEWEST_SECONDS_BETWEEN_LOOKS = 0.1
"""However much is written: a page that changes ten times a second cannot be read."""

log = structlog.get_logger()


@dataclass
class LiveFeed:
    """The newest state of change, and everyone who waits for the next."""

    changes: Changes | None = None
    closing: bool = False
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def after(self, seen: Changes | None) -> Changes | None:
        """The first state that differs from `seen`; None when the server is about to stop."""
        async with self.news:
            await self.news.wait_for(lambda: self.closing or (self.changes is not None and self.changes != seen))
            return None if self.closing else self.changes

    async def tell(self, changes: Changes) -> None:
        if changes == self.changes:
            return
        async with self.news:
            self.changes = changes
            self.news.notify_all()

    async def close(self) -> None:
        async with self.news:
            self.closing = True
            self.news.notify_all()


FEED = web.AppKey("callcenter.web.live_feed", LiveFeed)


def add_live_feed(app: web.Application) -> None:
    app[FEED] = LiveFeed()
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_close)


async def _watching(app: web.Application) -> AsyncIterator[None]:
    watcher = asyncio.create_task(_watch(app, app[FEED]))
    yield
    watcher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watcher


async def announce(app: web.Application) -> None:
    """Someone here has just changed something: tell it now, and count it as seen by the page that they get back."""
    await app[FEED].tell(await read_changes(app[DATABASE]))
    app[NEWS].tell()


async def _close(app: web.Application) -> None:
    await app[FEED].close()


async def _watch(app: web.Application, feed: LiveFeed) -> None:
    """Looks at once where this process wrote something, else every second."""
    said, heard, loop = "", 0, asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await feed.tell(await read_changes(app[DATABASE]))
        except (SQLAlchemyError, OSError) as error:
            if said != (said := in_one_line(error)):
                log.warning("live feed cannot read the database", error=said)
        except Exception:
            log.exception("live feed failed; going on with the next look")
        else:
            said = ""
        await asyncio.sleep(max(FEWEST_SECONDS_BETWEEN_LOOKS, rest_after(loop.time() - began)))
        heard = await app[NEWS].after(heard, seconds=SECONDS_BETWEEN_LOOKS)
