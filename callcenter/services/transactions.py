"""What a transaction needs on both databases alike: taking turns, and inserting only what is not there yet."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.base import Base


def is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


async def take_turns(session: AsyncSession, name: str) -> None:
    """Waits until no other transaction holds `name`, then holds it to the end of this one.

    On SQLite there is one writing transaction at a time, so there is nothing to wait for.
    """
    if is_postgresql(session):
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def insert_if_absent(session: AsyncSession, table: type[Base], values: dict[str, Any], *unique: str) -> bool:
    """Inserts a row unless one with the same `unique` columns is there; whether it did."""
    insert = postgres_insert if is_postgresql(session) else sqlite_insert
    statement = insert(table).values(**values).on_conflict_do_nothing(index_elements=unique)
    inserted = await session.execute(statement.returning(*(getattr(table, name) for name in unique)))
    return inserted.first() is not None
