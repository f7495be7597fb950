"""Service language: what each call was checked for, what was found, and what people said about the findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base, only_on

_WAITS = "contested_at IS NOT NULL AND decided_at IS NULL"


class LanguageCheckRow(Base):
    """One call, checked. `judged` maps each check that could be made to whether nothing was found.

    `heard_at` is the call's beginning; the milliseconds and counts are domain TalkMeasures.
    """

    __tablename__ = "language_checks"
    __table_args__ = (
        only_on("sqlite", Index("ix_language_checks_counted", "heard_at", "agent", "judged")),
        only_on("postgresql", Index("ix_language_checks_heard_at", "heard_at")),
    )
    """SQLite counts from the index alone; in PostgreSQL's an entry must not be long, and rules may be many."""

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    agent: Mapped[str | None]
    heard_at: Mapped[datetime]
    checked_at: Mapped[datetime]
    rules_version: Mapped[str]
    judged: Mapped[dict[str, Any]]
    resident_ms: Mapped[int]
    agent_ms: Mapped[int]
    letters: Mapped[int]
    interruptions: Mapped[int]
    silences: Mapped[int]
    longest_silence_ms: Mapped[int]


class LanguageFindingRow(Base):
    """One finding. `kind` is the check, `amount` its measure; `gone_at`: a later check does not find it any more.

    `contest` is why the agent says that it is none; `upheld` what a supervisor decided, with `decision` as the reason.
    """

    __tablename__ = "language_findings"
    __table_args__ = (
        Index("ix_language_findings_call_id", "call_id"),
        Index(
            "ix_language_findings_overturned",
            "call_id",
            sqlite_where=text("upheld IS 0 AND gone_at IS NULL"),
            postgresql_where=text("upheld IS false AND gone_at IS NULL"),
        ),
        Index(
            "ix_language_findings_waiting",
            "contested_at",
            sqlite_where=text(_WAITS),
            postgresql_where=text(_WAITS),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    kind: Mapped[str]
    words: Mapped[str]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    amount: Mapped[int | None]
    rules_version: Mapped[str]
    found_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    contested_by: Mapped[str | None]
    contested_at: Mapped[datetime | None]
    contest: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    upheld: Mapped[bool | None]
    decision: Mapped[str | None]
