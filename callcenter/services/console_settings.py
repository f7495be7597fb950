"""Settings that people change in the console: each change is a row, the newest of a key holds, and each can be undone.

What would not start is not saved: a change is tried together with the file and the environment first. The server takes
saved settings into use by starting itself anew (app.reload); until then pages say that they wait.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.settings import SettingChangeRow
from callcenter.db.users import AuditRow
from callcenter.services.transactions import take_turns

Load = Callable[[Mapping[str, Any]], Settings]
"""Settings of the file and the environment with these changes. Raises SettingsError."""

HISTORY_LENGTH = 200
SECRETS = frozenset({"twilio.auth_token", "asterisk"})


@dataclass(kw_only=True)
class ConsoleSettings:
    """What the console needs to change settings. `number_in_use`: the last change that this process started with."""

    load: Load
    number_in_use: int = 0
    apply_now: asyncio.Event = field(default_factory=asyncio.Event)


class NothingToUndo(Exception):
    """There is no such change, or another one came after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What is saved: its values by key, the settings that come of them, and the number of the last change."""

    values: Mapping[str, Any]
    settings: Settings
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingChange:
    """One change as the history shows it; `holds`: none of its key came after it. None: as the file says."""

    id: int
    at: datetime
    login: str
    key: str
    before: Any
    after: Any
    is_secret: bool
    holds: bool


async def read_values(session: AsyncSession) -> dict[str, Any]:
    """The values that hold, by key."""
    newest = select(func.max(SettingChangeRow.id)).group_by(SettingChangeRow.key)
    rows = await session.scalars(select(SettingChangeRow).where(SettingChangeRow.id.in_(newest)))
    return {row.key: row.value["is"] for row in rows if row.value is not None}


async def last_change(session: AsyncSession) -> int:
    """0 where nothing was ever changed."""
    return (await session.scalar(select(func.max(SettingChangeRow.id)))) or 0


async def read_saved(database: Database, load: Load) -> Saved:
    async with database.read() as session:
        values, number = await read_values(session), await last_change(session)
    return Saved(values=values, settings=load(values), number=number)


async def change_settings(
    database: Database, load: Load, changes: Mapping[str, Any], *, login: str, now: datetime
) -> int:
    """Saves what differs from what holds; a value of None means as the file says. How many keys were changed.

    Raises SettingsError where the settings would be wrong: then nothing is saved.
    """
    async with database.write() as session:
        await take_turns(session, "console settings")
        held = await read_values(session)
        new = {key: value for key, value in changes.items() if held.get(key) != value}
        if new:
            load({key: value for key, value in (held | new).items() if value is not None})
        for key, value in new.items():
            _write(session, key, value, login=login, now=now)
    return len(new)


def _write(session: AsyncSession, key: str, value: Any, *, login: str, now: datetime) -> None:
    row = SettingChangeRow(
        at=now, login=login, key=key, value=None if value is None else {"is": value}, is_secret=key in SECRETS
    )
    session.add(row)
    session.add(AuditRow(at=now, login=login, action="setting_changed", subject=f"setting:{key}", data={}))


async def drop_change(database: Database, key: str, *, login: str, now: datetime) -> bool:
    """What the file says holds again, tried or not: it is the way out of a fault. Whether the console said anything."""
    async with database.write() as session:
        await take_turns(session, "console settings")
        if key not in await read_values(session):
            return False
        _write(session, key, None, login=login, now=now)
    return True


async def settings_history(database: Database) -> tuple[SettingChange, ...]:
    """The newest changes first, each with what stood there before."""
    async with database.read() as session:
        rows = (await session.scalars(select(SettingChangeRow).order_by(SettingChangeRow.id))).all()
    return tuple(reversed(_history(rows)))[:HISTORY_LENGTH]


def _history(rows: Sequence[SettingChangeRow]) -> list[SettingChange]:
    newest = {row.key: row.id for row in rows}
    before: dict[str, Any] = {}
    found = []
    for row in rows:
        after = None if row.value is None else row.value["is"]
        found.append(
            SettingChange(
                id=row.id,
                at=row.at,
                login=row.login,
                key=row.key,
                before=before.get(row.key),
                after=after,
                is_secret=row.is_secret,
                holds=newest[row.key] == row.id,
            )
        )
        before[row.key] = after
    return found


async def undo_change(database: Database, load: Load, change_id: int, *, login: str, now: datetime) -> None:
    """What stood before a change holds again, as a change of its own. Raises NothingToUndo, SettingsError."""
    history = await settings_history(database)
    change = next((one for one in history if one.id == change_id and one.holds), None)
    if change is None:
        raise NothingToUndo
    await change_settings(database, load, {change.key: change.before}, login=login, now=now)
