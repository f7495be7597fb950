"""What a transaction needs on both databases alike: taking turns, and inserting only what is not there yet."""

import functools
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.base import Base


def is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))


async def take_turns(session: AsyncSession, name: str) -> None:
    """Waits until no other transaction holds `name`, then holds it to the end of this one.

    On SQLite there is one writing transaction at a time, so there is nothing to wait for.
    """
    if is_postgresql(session):
        await session.execute(_HOLD, {"name": name})


async def insert_if_absent(session: AsyncSession, table: type[Base], values: dict[str, Any], *unique: str) -> bool:
    """Inserts a row unless one with the same `unique` columns is there; whether it did."""
    await session.flush()  # what the row points to
    statement = _insert_if_absent(is_postgresql(session), table.__tablename__, unique)
    return (await session.execute(statement, values)).first() is not None


@functools.cache
def _insert_if_absent(postgresql: bool, table: str, unique: tuple[str, ...]) -> Any:
    """Built once: that takes longer than carrying it out."""
    rows = Base.metadata.tables[table]
    insert = postgres_insert if postgresql else sqlite_insert
    statement = insert(rows).on_conflict_do_nothing(index_elements=unique)
    return statement.returning(*(rows.c[name] for name in unique))
