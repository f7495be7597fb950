"""Files that people add to a ticket: photographs of the leak, a signed form."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class AttachmentRow(Base):
    """`path` is relative to the attachments folder; `content_type` is what the bytes are, not what was claimed."""

    __tablename__ = "ticket_attachments"
    __table_args__ = (Index("ix_ticket_attachments_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    name: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    path: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
