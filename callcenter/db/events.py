"""The call events as they were stored: the truth from which every call's state is folded."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Clock, Moment


class CallEventRow(Base):
    __tablename__ = "call_events"
    __table_args__ = (
        Index("ix_call_events_call_id", "call_id"),
        Index(
            "ix_call_events_unfolded",
            "id",
            sqlite_where=text("folded = 0"),
            postgresql_where=text("NOT folded"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    provider: Mapped[str]
    call_id: Mapped[str]
    leg_id: Mapped[str | None]
    kind: Mapped[str]
    earliest: Mapped[datetime]
    latest: Mapped[datetime]
    clock: Mapped[str]
    received_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    folded: Mapped[bool] = mapped_column(default=False, server_default=false())


def event_values(event: CallEvent, received_at: datetime) -> dict[str, Any]:
    """The row of an event, for an insert."""
    return {
        "event_id": event.event_id,
        "provider": event.provider,
        "call_id": event.call_id,
        "leg_id": event.leg_id,
        "kind": event.kind.value,
        "earliest": event.at.earliest,
        "latest": event.at.latest,
        "clock": event.at.clock.value,
        "received_at": received_at,
        "data": dict(event.data),
        "folded": False,
    }


def event_of(row: CallEventRow) -> CallEvent:
    return CallEvent(
        event_id=row.event_id,
        provider=row.provider,
        call_id=row.call_id,
        leg_id=row.leg_id,
        kind=EventKind(row.kind),
        at=Moment(earliest=row.earliest, latest=row.latest, clock=Clock(row.clock)),
        data=row.data,
    )
