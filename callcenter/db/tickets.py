"""Tickets, what each field was heard from, the calls they belong to, and who did what when."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base
from callcenter.domain.counted_time import Counted

_OPEN = "met_at IS NULL AND cancelled_at IS NULL"
_RUNNING = f"{_OPEN} AND paused_at IS NULL"


class TicketRow(Base):
    """One ticket. Place and person columns hold what a person confirmed or the machine was sure of, else NULL.

    `version` counts every change: an update names the version it saw (optimistic locking).
    `no_action_reason` says why a call with nothing to do was closed at once (silence, praise).
    `part_of` is the ticket on whose first call this one's matter was told, as its field `part_field` (problem.2): the
    two share that call.
    `merged_into` is the ticket that took over this one's calls, deadlines and reminders, until the merging is undone.
    `visit_at` is the appointment at the home; `satisfaction` 1 to 5 as the resident keyed it after the fix (回访).
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("part_of", "part_field"),
        Index(
            "uq_tickets_first_call_id",
            "first_call_id",
            unique=True,
            sqlite_where=text("part_of IS NULL"),
            postgresql_where=text("part_of IS NULL"),
        ),
        Index("ix_tickets_status", "status"),
        Index("ix_tickets_caller_number", "caller_number"),
        Index(
            "ix_tickets_frequency",
            *("created_at", "request_type", "category", "estate", "phase", "lane", "building", "merged_into"),
        ),
        Index("ix_tickets_updated_at", "updated_at"),
        Index("ix_tickets_home", "building", "room"),
        Index("ix_tickets_counted", "status", "request_type", "category", "building"),
        Index(
            "ix_tickets_review",
            "status",
            sqlite_where=text("needs_review = 1 OR must_listen = 1"),
            postgresql_where=text("needs_review OR must_listen"),
        ),
        Index(
            "ix_tickets_satisfaction",
            *("satisfaction_at", "satisfaction", "call_count"),
            sqlite_where=text("satisfaction_at IS NOT NULL"),
            postgresql_where=text("satisfaction_at IS NOT NULL"),
        ),
        Index(
            "ix_tickets_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    first_call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"))
    part_of: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    part_field: Mapped[str | None]
    status: Mapped[str]
    request_type: Mapped[str | None]
    category: Mapped[str | None]
    urgency: Mapped[str | None]
    responsibility: Mapped[str | None]
    estate: Mapped[str | None]
    phase: Mapped[str | None]
    lane: Mapped[str | None]
    building: Mapped[str | None]
    unit: Mapped[str | None]
    floor: Mapped[str | None]
    room: Mapped[str | None]
    contact: Mapped[str | None]
    phone: Mapped[str | None]
    caller_number: Mapped[str | None]
    wanted_from: Mapped[datetime | None]
    wanted_to: Mapped[datetime | None]
    summary: Mapped[str | None]
    owner: Mapped[str | None]
    call_count: Mapped[int] = mapped_column(default=1)
    must_listen: Mapped[bool] = mapped_column(default=False)
    must_listen_reason: Mapped[str | None]
    needs_review: Mapped[bool] = mapped_column(default=True)
    no_action_reason: Mapped[str | None]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    solved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    visit_at: Mapped[datetime | None]
    visit_confirmed_at: Mapped[datetime | None]
    satisfaction: Mapped[int | None]
    satisfaction_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class TicketFieldRow(Base):
    """Where a field's value came from: what the machine heard, and what a person made of it.

    `field` is a column of tickets, or place / wanted / promise.N; `heard` the machine's value (also an unsure one),
    `evidence` is [{"side", "words", "start_ms", "end_ms", "call_id"}], `state` heard / unsure / confirmed / corrected.
    """

    __tablename__ = "ticket_fields"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    heard: Mapped[str | None]
    value: Mapped[str | None]
    confidence: Mapped[float]
    read_back: Mapped[bool] = mapped_column(default=False)
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    corrected_by: Mapped[str | None]
    corrected_at: Mapped[datetime | None]


class TicketCallRow(Base):
    """A call that belongs to a ticket: the first one, a repeat (催办), or one of ours to the resident.

    `heard_live`: what the ticket knows of this call was heard while it went on; its recording has still to correct it.
    """

    __tablename__ = "ticket_calls"
    __table_args__ = (UniqueConstraint("call_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    relation: Mapped[str]
    reason: Mapped[str | None]
    heard_live: Mapped[bool] = mapped_column(default=False, server_default=false())


class TicketHistoryRow(Base):
    """Who did what when; `actor` is a user's login name, an agent's id, or "system"."""

    __tablename__ = "ticket_history"
    __table_args__ = (Index("ix_ticket_history_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TicketDeadlineRow(Base):
    """What must have happened by when. `kind`: promise / first_reply / on_site / solved ...; `met_at` ends it.

    `counts_from` is when its time began to run, `counted` how it runs (domain Counted); `paused_at` is set while it
    stands still, `pauses` are the pauses that are over: [[from, to], ...]. `escalate_at`: when the escalation looks
    at it next; None: at once.
    """

    __tablename__ = "ticket_deadlines"
    __table_args__ = (
        Index("ix_ticket_deadlines_ticket_id", "ticket_id"),
        Index("ix_ticket_deadlines_due_at", "due_at"),
        Index(
            "ix_ticket_deadlines_escalate_at",
            "escalate_at",
            sqlite_where=text(_RUNNING),
            postgresql_where=text(_RUNNING),
        ),
        Index("ix_ticket_deadlines_running_kind", "kind", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    kind: Mapped[str]
    text: Mapped[str | None]
    basis: Mapped[str]
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    counts_from: Mapped[datetime | None]
    counted: Mapped[str] = mapped_column(default=Counted.CLOCK, server_default="clock")
    paused_at: Mapped[datetime | None]
    pauses: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    escalate_at: Mapped[datetime | None]
    evidence: Mapped[list[Any]] = mapped_column(default=list)
