"""Campaigns: one text for many homes, in a window of time and at a pace. Each call is a reminder of its own."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class CampaignState(StrEnum):
    """DRAFT and PAUSED: its waiting calls are held; RUNNING: they go out; CANCELLED: they never will."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class CampaignRow(Base):
    """`opens_at` to `closes_at` is the window; nothing is said before or after it."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    text: Mapped[str]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    calls_a_minute: Mapped[int]
    state: Mapped[str] = mapped_column(default=CampaignState.DRAFT)
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
