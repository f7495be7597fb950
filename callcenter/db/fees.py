"""Overdue fees, as the operator's file listed them, and the date that the resident agreed to."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class FeeState(StrEnum):
    OPEN = "open"
    AGREED = "agreed"
    PAID = "paid"


class FeeRow(Base):
    """One item owed by one home; those of one home and number share a reminder. `amount_fen`: 1/100 yuan."""

    __tablename__ = "fees"
    __table_args__ = (
        UniqueConstraint("number", "place", "items", "due_on"),
        Index("ix_fees_reminder_id", "reminder_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    name: Mapped[str | None]
    place: Mapped[str]
    amount_fen: Mapped[int]
    items: Mapped[str]
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(default=FeeState.OPEN)
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminders.id", ondelete="SET NULL"))
    agreed_on: Mapped[date | None]
    agreed_at: Mapped[datetime | None]
    imported_at: Mapped[datetime]
