"""Whether the database has the schema that this version needs."""

import asyncio

import structlog
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from callcenter.db.engine import Database
from callcenter.db.migrate import current_revision, migrate, newest_revision

log = structlog.get_logger()

ANSWER_SECONDS = 5.0
"""A shared database that does not answer in this time is away. The embedded one may take its time to migrate."""
PAUSE_SECONDS = 1.0


class SchemaOutdated(Exception):
    """The database's schema is not this version's; the message says what to do."""


class DatabaseAway(Exception):
    """The database does not answer; the message is the reason in one line."""


async def make_ready(database: Database) -> None:
    """The embedded database is migrated at once; a shared one is left to `callcenter migrate`.

    Raises SchemaOutdated, DatabaseAway.
    """
    try:
        if database.is_sqlite:
            await migrate(database)
            return
        async with asyncio.timeout(ANSWER_SECONDS):
            current, newest = await current_revision(database), newest_revision()
    except CommandError as error:
        raise SchemaOutdated(f"{error}: another version made this database; install that one or a newer one") from error
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseAway(in_one_line(error)) from error
    if current != newest:
        raise SchemaOutdated(
            f"the database has schema {current or 'none'}, this version needs {newest}: run `callcenter migrate`"
        )


async def until_ready(database: Database, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Returns once the schema is there. Says what is amiss once, and again when that changes."""
    said = ""
    while True:
        try:
            await make_ready(database)
        except (SchemaOutdated, DatabaseAway) as error:
            if str(error) != said:
                said = str(error)
                log.warning("the database is not ready; events are kept in the spool until it is", error=said)
            await asyncio.sleep(pause_seconds)
        else:
            if said:
                log.info("the database is ready")
            return


def in_one_line(error: Exception) -> str:
    """What the database or the system says, without the statement and the library's own remarks."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = str(error.orig if isinstance(error, DBAPIError) and error.orig else error).strip()
    return said.splitlines()[0] if said else type(error).__name__
