"""Emergencies that the on-call people are phoned for, and each of those calls."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base
from callcenter.domain.on_call import AlarmState

_OPEN = "ended_at IS NULL"


class OnCallAlarmRow(Base):
    """One emergency: one row an on-site deadline. `next_at` is when the next person is phoned, while it is ringing.

    `unsure`: it was not heard well enough to be sure. `reason` says why it is silent or ended.
    """

    __tablename__ = "on_call_alarms"
    __table_args__ = (
        UniqueConstraint("deadline_id"),
        Index("ix_on_call_alarms_open", "next_at", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index("ix_on_call_alarms_ticket_id", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    deadline_id: Mapped[int] = mapped_column(ForeignKey("ticket_deadlines.id", ondelete="CASCADE"))
    unsure: Mapped[bool] = mapped_column(default=False)
    raised_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default=AlarmState.RINGING)
    reason: Mapped[str | None]
    next_at: Mapped[datetime]
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class OnCallAttemptRow(Base):
    """One call to an on-call person, written before the provider is asked.

    `outcome` is a domain OutboundOutcome, or refused_by_provider / uncertain; None while it is under way.
    """

    __tablename__ = "on_call_attempts"
    __table_args__ = (UniqueConstraint("alarm_id", "number"), Index("ix_on_call_attempts_call_id", "call_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("on_call_alarms.id", ondelete="CASCADE"))
    number: Mapped[int]
    person: Mapped[str]
    to_number: Mapped[str]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]
    speech: Mapped[str]
    call_id: Mapped[str | None]
    outcome: Mapped[str | None]
    keys: Mapped[str | None]
    ended_at: Mapped[datetime | None]
