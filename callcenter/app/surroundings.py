"""What every command needs of its surroundings: the clock, the data folder, the database. Quick to import."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from callcenter.clock import SystemClock
from callcenter.config import Settings, SettingsError
from callcenter.db.engine import Database
from callcenter.demo.clock import ClockFileUnusable, SharedClock
from callcenter.ports import Clock

log = structlog.get_logger()


def clock_of(settings: Settings) -> Clock:
    """The system's clock, or the one of a rehearsal. Raises SettingsError where that is not there."""
    if settings.clock_file is None:
        return SystemClock()
    try:
        return SharedClock(settings.clock_file)
    except ClockFileUnusable as error:
        raise SettingsError(f"{error}; it belongs to rehearsals: remove clock_file from the settings") from error


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """For a command: the database, closed again at the end."""
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


def prepare_data_dir(settings: Settings) -> None:
    """A folder for our own user only: it holds residents' voices and words. Raises SettingsError.

    A folder that others share on purpose (sticky, as /tmp) and one of another owner keep their mode.
    """
    folder = settings.server.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
            folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"server.data_dir = {str(folder)!r}: cannot be used ({error.strerror}); give a folder of our own"
        ) from error


def warn_of_rehearsal(settings: Settings) -> None:
    if settings.clock_file is not None:
        log.warning("clock_file sets the time of day: a rehearsal, not for real calls", file=str(settings.clock_file))
