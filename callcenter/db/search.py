"""The full-text index of tickets: what each is found by, and which have to be read again.

SQLite indexes the words in `search_index` (FTS5), kept by triggers on this table; PostgreSQL by a GIN index over them.
"""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base

NOT_IN_METADATA = "search_index"
"""Tables and indexes whose names begin so are the database's own: no column describes them."""


class SearchTextRow(Base):
    """`grams`: the words of a ticket and of its calls (domain.search_words), separated by blanks."""

    __tablename__ = "search_texts"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    grams: Mapped[str]


class SearchWaitingRow(Base):
    """A ticket whose words have changed since they were indexed; written by triggers, whoever changed them."""

    __tablename__ = "search_waiting"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(index=True)
