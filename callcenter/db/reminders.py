"""Reminders: the rows are the schedule. Each attempt to phone a resident, and who must not be phoned."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class ReminderState(StrEnum):
    """WAITING until due; CLAIMED by a tick; DIALLING once the provider was asked; then one of the ends.

    HELD: its campaign has not begun or is paused.
    HANDED_OVER: a person must act (last attempt failed, or a claim was left unfinished): `reason` says why.
    """

    WAITING = "waiting"
    HELD = "held"
    CLAIMED = "claimed"
    DIALLING = "dialling"
    DONE = "done"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed_over"


class Priority(IntEnum):
    """Which of the due calls leave first when there are more of them than lines."""

    TIMED = 0
    NORMAL = 1
    CAMPAIGN = 2


class ReminderRow(Base):
    """A call that we owe a resident. `topic` groups reminders about the same thing; one row a (topic, kind).

    From `expires_at` on the call would come too late. `ordered_by` is the agent who said "call now", `ended_by` who
    cancelled the call or spoke to the resident instead: `reason` is then what they wrote. `matter` is what the call
    speaks of where there is no ticket: {name, place, amount_fen, items, due_on, text}.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("topic", "kind"),
        Index(
            "ix_reminders_due",
            "priority",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_reminders_under_way",
            "state",
            "claimed_at",
            sqlite_where=text("state IN ('claimed', 'dialling')"),
            postgresql_where=text("state IN ('claimed', 'dialling')"),
        ),
        Index(
            "ix_reminders_handed_over",
            "state",
            "due_at",
            sqlite_where=text("state = 'handed_over'"),
            postgresql_where=text("state = 'handed_over'"),
        ),
        Index(
            "ix_reminders_held",
            "state",
            "due_at",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        Index("ix_reminders_finished_at", "finished_at"),
        Index("ix_reminders_ticket_id", "ticket_id"),
        Index("ix_reminders_call_id", "call_id"),
        Index("ix_reminders_to_number", "to_number", "state"),
        Index("ix_reminders_campaign_id", "campaign_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    topic: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    call_id: Mapped[str | None] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    to_number: Mapped[str]
    due_at: Mapped[datetime]
    promised_for: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(default=Priority.NORMAL)
    ordered_by: Mapped[str | None]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    matter: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(default=ReminderState.WAITING)
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class ReminderAttemptRow(Base):
    """One try to reach the resident. `outcome` is a domain OutboundOutcome, or refused_by_provider / uncertain.

    `keys` are the digits pressed, a comma between two questions; `answer` is what they meant and has been acted on.
    """

    __tablename__ = "reminder_attempts"
    __table_args__ = (
        UniqueConstraint("reminder_id", "number"),
        Index("ix_reminder_attempts_to_number", "to_number", "at"),
        Index("ix_reminder_attempts_call_id", "call_id"),
        Index("ix_reminder_attempts_trunk", "trunk", "at"),
        Index("ix_reminder_attempts_campaign_id", "campaign_id", "at"),
        Index(
            "ix_reminder_attempts_under_way",
            "trunk",
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reminder_id: Mapped[int] = mapped_column(ForeignKey("reminders.id", ondelete="CASCADE"))
    number: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    to_number: Mapped[str]
    at: Mapped[datetime]
    speech: Mapped[str]
    trunk: Mapped[str] = mapped_column(default="")
    campaign_id: Mapped[int | None]
    call_id: Mapped[str | None]
    outcome: Mapped[str | None]
    keys: Mapped[str | None]
    answer: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class DoNotCallRow(Base):
    """A number that asked not to be phoned: everything stops at once and for good."""

    __tablename__ = "do_not_call"

    number: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    reason: Mapped[str]
