"""What was counted of each day that is over, and the marks that say what changed since.

The marks are written by triggers of the database (migration 0003), in the transaction that changes a call, its ticket
or a promise, whoever writes: an insert and nothing else, so that two transactions never wait for each other.
"""

from datetime import date, datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class DaySumRow(Base):
    """A day's tallies (domain Tally, packed, by number of ours) as JSON text.

    `counting` says how they were counted (domain Counting); `edition` counts how often, so that of two that count the
    same day at once only one is kept.
    """

    __tablename__ = "day_sums"

    day: Mapped[date] = mapped_column(primary_key=True)
    counting: Mapped[str]
    edition: Mapped[int]
    counted_at: Mapped[datetime]
    tallies: Mapped[str]


class MonthSumRow(Base):
    """The tallies of a month's days added up, which say again what the days say: a quarter reads three rows.

    It holds as long as those `days` kept days, counted as `counting` says, have `editions` as the sum of their
    editions: a day that is counted anew has a higher one. `until` is the first day after the month.
    """

    __tablename__ = "month_sums"

    month: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date]
    counting: Mapped[str]
    days: Mapped[int]
    editions: Mapped[int]
    tallies: Mapped[str]


class CountChangeRow(Base):
    """Something that figures count and that lies at this moment has changed: a call's begin, a promise's time."""

    __tablename__ = "count_changes"
    __table_args__ = (Index("ix_count_changes_moment", "moment"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    moment: Mapped[datetime]
