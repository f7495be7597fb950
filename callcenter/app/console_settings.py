"""The settings that a process starts with: file, environment, and what was changed in the console.

A copy of the last lies in data_dir: for a start while a shared database is away (the right agents are rung then too),
and for commands that ask no database.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from callcenter.config import Settings, SettingsError, load_settings

log = structlog.get_logger()

COPY = "console-settings.json"
REMEDY = "`callcenter settings list` shows what the console says; `callcenter settings reset KEY` drops it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """What the console says, by key, and the number of its last change."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class InUse:
    """The settings of a process, and up to which change of the console they reach."""

    settings: Settings
    number: int


def settings_in_use(file: Path | None, *, ask_database: bool = True) -> InUse:
    """Without `ask_database` the copy is asked. Raises SettingsError, with the way out of a fault of the console's."""
    plain = load_settings(file)
    changed = asyncio.run(_ask_database(plain)) if ask_database else _read_copy(plain)
    if not changed.values:
        return InUse(settings=plain, number=changed.number)
    try:
        return InUse(settings=load_settings(file, changed.values), number=changed.number)
    except SettingsError as error:
        raise SettingsError(f"{error}\n{REMEDY}", keys=error.keys) from error


async def _ask_database(settings: Settings) -> Changed:
    """Imports here, so that commands without a database start quickly."""
    from sqlalchemy.exc import SQLAlchemyError

    from callcenter.db.engine import Database
    from callcenter.services.console_settings import last_change, read_values
    from callcenter.services.schema import ANSWER_SECONDS, in_one_line

    database = Database(settings.database_url)
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        return Changed(number=0, values={})
    try:
        patience = None if database.is_sqlite else ANSWER_SECONDS  # the embedded one is never away, only busy
        async with asyncio.timeout(patience), database.read() as session:
            changed = Changed(number=await last_change(session), values=await read_values(session))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        if "setting_changes" in str(error):  # the schema of a version whose console had no settings
            return Changed(number=0, values={})
        log.warning("what was changed in the console is taken from its copy", error=in_one_line(error))
        return _read_copy(settings)
    finally:
        await database.close()
    _keep_copy(settings, changed)
    return changed


def _keep_copy(settings: Settings, changed: Changed) -> None:
    """For our own user only: it may hold a provider's token."""
    path = settings.server.data_dir / COPY
    if not changed.values and not path.exists():
        return
    try:
        temporary = path.with_suffix(".new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"number": changed.number, "values": dict(changed.values)}, file, ensure_ascii=False)
        temporary.replace(path)
    except OSError as error:
        log.warning("the copy of the console's settings cannot be kept", error=repr(error))


def _read_copy(settings: Settings) -> Changed:
    try:
        found = json.loads((settings.server.data_dir / COPY).read_text(encoding="utf-8"))
        return Changed(number=int(found["number"]), values=dict(found["values"]))
    except FileNotFoundError:
        return Changed(number=0, values={})
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the copy of the console's settings cannot be read", error=repr(error))
        return Changed(number=0, values={})
