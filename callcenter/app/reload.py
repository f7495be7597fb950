"""Takes what was changed in the console into use: the server starts itself anew when nobody is on the line.

The listening socket stays open meanwhile, so that nobody is refused: what comes in waits for the second or two.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from callcenter.db.engine import Database
from callcenter.ports import Clock
from callcenter.reports.live_calls import is_anybody_on_the_line
from callcenter.services.console_settings import ConsoleSettings, last_change

log = structlog.get_logger()

SECONDS_BETWEEN_LOOKS = 2.0
LONGEST_CALL = timedelta(hours=2)
"""A call that began earlier has lost its end: nobody waits for it."""

RELOAD = web.AppKey("callcenter.app.reload", asyncio.Event)
"""Set where the server ends in order to begin again."""


async def end_when_settings_changed(
    database: Database, console: ConsoleSettings, *, clock: Clock, reload: asyncio.Event, stop: Callable[[], object]
) -> None:
    """Calls `stop` once something was changed and the line is free, or somebody asks for it at once."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_BETWEEN_LOOKS):
                await console.apply_now.wait()
        try:
            if await _is_due(database, console, now=clock.now()):
                break
        except (SQLAlchemyError, OSError):
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    log.info("settings were changed in the console; starting anew with them")
    reload.set()
    stop()


async def _is_due(database: Database, console: ConsoleSettings, *, now: datetime) -> bool:
    async with database.read() as session:
        number = await last_change(session)
    if number == console.number_in_use:
        console.apply_now.clear()
        return False
    return console.apply_now.is_set() or not await is_anybody_on_the_line(database, since=now - LONGEST_CALL)


def end_server() -> None:
    """As after SIGTERM: what is being answered is answered, everything is closed."""

    def leave() -> None:
        raise web.GracefulExit

    asyncio.get_running_loop().call_soon(leave)
