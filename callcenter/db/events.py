"""The call events as they were stored: the truth from which every call's state is folded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Index, Insert, bindparam, column, false, func, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base, UtcDateTime
from callcenter.db.engine import Database
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


def _all_in_one_statement() -> Insert:
    """PostgreSQL works through one long statement at a third of what as many short ones cost it."""
    columns = [one for one in CallEventRow.__table__.columns if one.name != "id"]
    kinds = [column(one.name, JSONB() if one.name == "data" else one.type) for one in columns]
    rows = func.jsonb_to_recordset(bindparam("rows", type_=JSONB())).table_valued(*kinds, name="rows")
    rows = rows.render_derived(with_types=True)
    chosen = select(*(rows.c[one.name] for one in columns))
    insert = postgres_insert(CallEventRow).from_select([one.name for one in columns], chosen)
    return insert.on_conflict_do_nothing(index_elements=["event_id"])


_ON_POSTGRESQL = _all_in_one_statement()
_ON_SQLITE = sqlite_insert(CallEventRow).on_conflict_do_nothing(index_elements=["event_id"])


_COLUMNS = tuple(one for one in CallEventRow.__table__.columns if one.name != "id")
_SQLITE = sqlite.dialect(paramstyle="qmark")
_SQLITE_TEXT = str(_ON_SQLITE.compile(dialect=_SQLITE, column_keys=[one.name for one in _COLUMNS]))


def _moment_as_stored(at: datetime) -> str:
    """As SQLAlchemy writes a UtcDateTime on SQLite, in a fifth of the time."""
    if at.tzinfo is None:
        raise ValueError(f"naive time {at.isoformat()}: times are stored timezone-aware")
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:26]


_SQLITE_WRITES = tuple(
    (
        one.name,
        _moment_as_stored
        if isinstance(one.type, UtcDateTime)
        else one.type.dialect_impl(_SQLITE).bind_processor(_SQLITE),
    )
    for one in _COLUMNS
)


async def store_events(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of `event_values`, in a transaction of their own; those that are there already stay as they are."""
    if not database.is_sqlite:
        async with database.single_statements.connect() as connection:
            await insert_events(connection, rows)
        return
    values = [[write(row[name]) if write else row[name] for name, write in _SQLITE_WRITES] for row in rows]
    await database.at_one_go(lambda connection: connection.executemany(_SQLITE_TEXT, values).close())


async def insert_events(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of `event_values`; those that are there already stay as they are."""
    if connection.dialect.name == "sqlite":
        await connection.execute(_ON_SQLITE, rows)
    else:
        await connection.execute(_ON_POSTGRESQL, {"rows": [_as_json(row) for row in rows]})


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


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
