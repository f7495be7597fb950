"""Brings a database to the newest schema, or says how it differs."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.schema import SchemaItem

from callcenter.db.base import fits
from callcenter.db.engine import Database
from callcenter.db.search import NOT_IN_METADATA
from callcenter.db.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind in ("table", "index") and (name or "").startswith(NOT_IN_METADATA))


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


async def migrate(database: Database, revision: str = "head") -> None:
    """Runs every migration that is missing, in one transaction."""
    async with database.writer.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), revision))


async def current_revision(database: Database) -> str | None:
    async with database.reader.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def differences(database: Database) -> list[object]:
    """What the tables in the code have that the database has not, and the other way round."""

    def compare(connection: Connection) -> list[object]:
        def belongs(thing: SchemaItem, *_rest: object) -> bool:
            return fits(thing, connection.dialect.name)

        opts = {"compare_type": True, "include_name": _is_ours, "include_object": belongs}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, metadata))

    async with database.reader.connect() as connection:
        return await connection.run_sync(compare)
