"""The case library (案例库): how a matter was solved, without anybody's name, and the words by which it is found."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class CaseRow(Base):
    """One case. `ticket_id` is the ticket that it was made of; `withdrawn_at`: no longer shown to anybody.

    `version` counts people's changes.
    """

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_category", "category"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id", ondelete="SET NULL"), unique=True)
    title: Mapped[str]
    problem: Mapped[str]
    solution: Mapped[str]
    request_type: Mapped[str | None]
    category: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_by: Mapped[str]
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class CaseTermRow(Base):
    """A word of a case (domain case_words: two neighbouring letters, or a Latin word) and how much it counts there."""

    __tablename__ = "case_terms"
    __table_args__ = (Index("ix_case_terms_case_id", "case_id"),)

    term: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    weight: Mapped[int]
