"""`callcenter migrate` and `callcenter user add|list|disable|enable|passwd`."""

import getpass
import sys
from collections.abc import Awaitable, Callable

from alembic.util import CommandError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.surroundings import clock_of, opened_database, prepare_data_dir
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.migrate import current_revision
from callcenter.db.migrate import migrate as migrate_database
from callcenter.services import users
from callcenter.services.schema import in_one_line
from callcenter.services.users import UserRefused


async def migrate(settings: Settings) -> int:
    prepare_data_dir(settings)
    async with opened_database(settings) as database:
        try:
            before = await current_revision(database)
            await migrate_database(database)
            after = await current_revision(database)
        except (SQLAlchemyError, OSError, CommandError) as error:
            print(f"callcenter: the database cannot be migrated: {in_one_line(error)}", file=sys.stderr)
            return 1
    print(f"schema {before or 'none'} -> {after}" if before != after else f"schema {after}, nothing to do")
    return 0


async def add_user(settings: Settings, *, login: str, name: str, role: str, agent_id: str | None) -> int:
    if agent_id is not None and settings.agent(agent_id) is None:
        known = ", ".join(agent.id for agent in settings.agents) or "none is configured"
        print(f"callcenter: no agent {agent_id!r} in the settings ({known})", file=sys.stderr)
        return 2
    password, now = _password(), clock_of(settings).now()

    async def add(database: Database) -> str:
        await users.add_user(database, login=login, name=name, role=role, password=password, agent_id=agent_id, now=now)
        return f"user {login} added ({role})"

    return await _said(settings, add)


async def list_users(settings: Settings) -> int:
    async def shown(database: Database) -> str | Table:
        found = await users.list_users(database)
        table = Table(Column("login", no_wrap=True, overflow="fold"), "name", "role", "agent", "since", "", box=None)
        for one in found:
            since = f"{one.created_at.astimezone(settings.zone):%Y-%m-%d}"
            mark = "disabled" if one.disabled else ""
            cells = (one.user.login, one.user.name, one.user.role, one.user.agent_id or "", since, mark)
            table.add_row(*(Text(cell) for cell in cells))
        return table if found else "there are no users; `callcenter user add` makes one"

    return await _said(settings, shown)


async def set_disabled(settings: Settings, login: str, *, disabled: bool) -> int:
    now = clock_of(settings).now()

    async def set_it(database: Database) -> str:
        ended = await users.set_disabled(database, login=login, disabled=disabled, now=now)
        return f"user {login} disabled, {ended} sessions ended" if disabled else f"user {login} may log in again"

    return await _said(settings, set_it)


async def change_password(settings: Settings, login: str) -> int:
    password, now = _password(), clock_of(settings).now()

    async def change(database: Database) -> str:
        ended = await users.change_password(database, login=login, password=password, now=now)
        return f"user {login} has a new password, {ended} sessions ended"

    return await _said(settings, change)


async def _said(settings: Settings, act: Callable[[Database], Awaitable[str | Table]]) -> int:
    """Acts and prints what came of it; 1 where it was refused or the database is not there."""
    async with opened_database(settings) as database:
        try:
            said = await act(database)
        except UserRefused as error:
            print(f"callcenter: {error}", file=sys.stderr)
            return 1
        except (SQLAlchemyError, OSError) as error:
            why = in_one_line(error)
            print(f"callcenter: {why}; has the database been migrated (callcenter migrate)?", file=sys.stderr)
            return 1
    print(said) if isinstance(said, str) else Console().print(said)
    return 0


def _password() -> str:
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
