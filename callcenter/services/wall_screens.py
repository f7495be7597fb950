"""Screens that show the wall board without a login: each has an address of its own that can be taken back."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from callcenter.db.agents import WallScreenRow
from callcenter.db.engine import Database
from callcenter.db.users import AuditRow


async def add_screen(database: Database, *, name: str, actor: str, now: datetime) -> str:
    """The token of the new screen's address: shown once, nowhere kept."""
    token = secrets.token_urlsafe(24)
    async with database.write() as session:
        row = WallScreenRow(name=name, token_hash=_hash_of(token), created_at=now, created_by=actor)
        session.add(row)
        await session.flush()
        session.add(AuditRow(at=now, login=actor, action="screen_added", subject=f"screen:{row.id}", data={}))
    return token


async def revoke_screen(database: Database, *, screen_id: int, actor: str, now: datetime) -> bool:
    """False where there is no such screen, or it is revoked already."""
    async with database.write() as session:
        gone = (
            update(WallScreenRow)
            .where(WallScreenRow.id == screen_id, WallScreenRow.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(WallScreenRow.id)
        )
        if (await session.execute(gone)).first() is None:
            return False
        session.add(AuditRow(at=now, login=actor, action="screen_revoked", subject=f"screen:{screen_id}", data={}))
    return True


async def screens(database: Database) -> Sequence[WallScreenRow]:
    """Those that are not revoked, the newest first."""
    query = select(WallScreenRow).where(WallScreenRow.revoked_at.is_(None)).order_by(WallScreenRow.id.desc())
    async with database.read() as session:
        return (await session.scalars(query)).all()


async def is_screen(database: Database, token: str) -> bool:
    query = select(WallScreenRow.id).where(
        WallScreenRow.token_hash == _hash_of(token), WallScreenRow.revoked_at.is_(None)
    )
    async with database.read() as session:
        return await session.scalar(query) is not None


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
