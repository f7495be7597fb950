"""Incidents: several homes' tickets about the same thing, who linked or took out each, and what was done."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base

_LINKED = "taken_out_at IS NULL"


class IncidentRow(Base):
    """One incident. `state` is a domain IncidentState, `thing` what it is about (domain Thing), the place its window.

    `ended_at` is when it was solved or dismissed; `version` counts people's changes.
    """

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_state", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    thing: Mapped[str]
    category: Mapped[str]
    reach: Mapped[str]
    estate: Mapped[str | None]
    phase: Mapped[str | None]
    lane: Mapped[str | None]
    building: Mapped[str | None]
    created_at: Mapped[datetime]
    last_report_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class IncidentTicketRow(Base):
    """A ticket of an incident. Who was taken out by a person is never put back by the machine."""

    __tablename__ = "incident_tickets"
    __table_args__ = (
        Index(
            "uq_incident_tickets_linked",
            "ticket_id",
            unique=True,
            sqlite_where=text(_LINKED),
            postgresql_where=text(_LINKED),
        ),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[str]
    taken_out_at: Mapped[datetime | None]
    taken_out_by: Mapped[str | None]


class IncidentHistoryRow(Base):
    """Who did what when; `action` is a domain IncidentAction."""

    __tablename__ = "incident_history"
    __table_args__ = (Index("ix_incident_history_incident_id", "incident_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
