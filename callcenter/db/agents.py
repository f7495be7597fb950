"""What agents say of themselves: ready, busy, wrapping up, away; and every change of it."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class AgentStateRow(Base):
    """What an agent of the settings said last. Without a row: ready."""

    __tablename__ = "agent_states"

    agent: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    since: Mapped[datetime]


class AgentStateChangeRow(Base):
    """One change; `actor` is the login name of who made it, `reason` why where it was not the agent's own word."""

    __tablename__ = "agent_state_changes"
    __table_args__ = (Index("ix_agent_state_changes_agent", "agent", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agent: Mapped[str]
    at: Mapped[datetime]
    state: Mapped[str]
    before: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None]


class WallScreenRow(Base):
    """A screen that shows the wall board without a login. Only the SHA-256 of its address's token is kept."""

    __tablename__ = "wall_screens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    revoked_at: Mapped[datetime | None]
