"""Who said when that they may be rung, or may not."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from callcenter.db.agents import AgentStateChangeRow
from callcenter.db.engine import Database

MOST_SHOWN = 200


async def changes_since(database: Database, since: datetime) -> Sequence[AgentStateChangeRow]:
    """The newest first."""
    row = AgentStateChangeRow
    query = select(row).where(row.at >= since).order_by(row.id.desc()).limit(MOST_SHOWN)
    async with database.read() as session:
        return (await session.scalars(query)).all()
