"""Calls that were heard while they went on, and what was heard; a call's recording has the last word."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base

_UNSETTLED = "settled_at IS NULL"


class LiveState(StrEnum):
    """RUNNING; ENDED by the provider's word, BROKEN without it; LOST or REFUSED: `reason` says why."""

    RUNNING = "running"
    ENDED = "ended"
    BROKEN = "broken"
    LOST = "lost"
    REFUSED = "refused"


class LiveCallRow(Base):
    """One call's stream. `settled_at`: nothing more follows from it; its ticket is there, or there is none to open.

    Like the events it is there before the call's own row, which is folded from them when there is time.
    """

    __tablename__ = "live_calls"
    __table_args__ = (
        Index("ix_live_calls_open", "state", sqlite_where=text(_UNSETTLED), postgresql_where=text(_UNSETTLED)),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    stream_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=LiveState.RUNNING)
    reason: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    emergency_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    lost_frames: Mapped[int] = mapped_column(default=0)
    late_frames: Mapped[int] = mapped_column(default=0)
    bad_messages: Mapped[int] = mapped_column(default=0)


class LiveSegmentRow(Base):
    """Like a recording's segment, with times of the stream; `words` is [[text, start_ms, end_ms, confidence], ...]."""

    __tablename__ = "live_segments"

    call_id: Mapped[str] = mapped_column(ForeignKey("live_calls.call_id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[str]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    text: Mapped[str]
    words: Mapped[list[Any]]
    alternatives: Mapped[list[Any]] = mapped_column(default=list)
