"""Who is to be told that a promise is about to be broken: escalations, and each notice that was sent for one."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base

_OPEN_ESCALATION = "acknowledged_at IS NULL AND ended_at IS NULL"
_UNSENT = "state IN ('waiting', 'sending')"


class NoticeState(StrEnum):
    """WAITING until its time; SENDING while a process is at it; FAILED after the last try: `error` says why.

    DROPPED: somebody acknowledged, or the thing was over, before it could be sent.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class EscalationRow(Base):
    """One level that is told about one thing. `topic` names the thing: a deadline with its limit, a ticket, an alarm.

    `next_at` is the next telling, `tellings` how many there were; it goes on until acknowledged, or until the thing
    is over (`ended_at`). `due_at` is the limit as it was: one that has moved since makes the row void.
    """

    __tablename__ = "escalations"
    __table_args__ = (
        UniqueConstraint("topic", "level"),
        Index(
            "ix_escalations_due",
            "next_at",
            sqlite_where=text(_OPEN_ESCALATION),
            postgresql_where=text(_OPEN_ESCALATION),
        ),
        Index("ix_escalations_ticket_id", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str]
    level: Mapped[int]
    cause: Mapped[str]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    deadline_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_deadlines.id", ondelete="CASCADE"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    tellings: Mapped[int] = mapped_column(default=0)
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class NoticeRow(Base):
    """One message to one person over one of their channels (`channel` is its place in the settings, from 0)."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("escalation_id", "telling", "person", "channel"),
        Index("ix_notices_unsent", "next_at", sqlite_where=text(_UNSENT), postgresql_where=text(_UNSENT)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id", ondelete="CASCADE"))
    telling: Mapped[int]
    person: Mapped[str]
    channel: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(default=NoticeState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
