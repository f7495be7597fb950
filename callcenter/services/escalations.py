"""Escalations as rows: raised once a topic and level, acknowledged by a person, ended with what they are about."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.domain.escalation import Level, Telling
from callcenter.domain.ticket_life import HistoryAction
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import insert_if_absent


class NoSuchEscalation(Exception):
    """There is no escalation with this id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What somebody is told about. `due_at` is given where the matter is one limit and void once that has moved."""

    topic: str
    ticket_id: int
    deadline_id: int | None = None
    due_at: datetime | None = None


async def raise_level(session: AsyncSession, matter: Matter, telling: Telling, *, now: datetime) -> bool:
    """This level is to be told; whether it was new. Raising it again changes nothing."""
    values = {
        "topic": matter.topic,
        "level": telling.level.value,
        "cause": telling.cause.value,
        "ticket_id": matter.ticket_id,
        "deadline_id": matter.deadline_id,
        "due_at": matter.due_at,
        "created_at": now,
        "next_at": max(now, telling.at),
        "tellings": 0,
    }
    return await insert_if_absent(session, EscalationRow, values, "topic", "level")


async def levels_of(session: AsyncSession, topic: str) -> frozenset[Level]:
    found = await session.scalars(select(EscalationRow.level).where(EscalationRow.topic == topic))
    return frozenset(Level(level) for level in found)


async def end_topic(session: AsyncSession, topic: str, *, now: datetime) -> None:
    """Nothing more is told about it: it is over, or somebody has it in hand."""
    still = update(EscalationRow).where(EscalationRow.topic == topic, EscalationRow.ended_at.is_(None))
    await session.execute(still.values(ended_at=now))


async def acknowledge_escalation(database: Database, escalation_id: int, *, actor: str, now: datetime) -> bool:
    """Somebody has seen it: no more repeats for their level and those below. False where it was acknowledged before.

    Raises NoSuchEscalation.
    """
    async with database.write() as session:
        row = await session.get(EscalationRow, escalation_id, with_for_update=True)
        if row is None:
            raise NoSuchEscalation(escalation_id)
        if row.acknowledged_at is not None:
            return False
        await session.execute(
            update(EscalationRow)
            .where(
                EscalationRow.topic == row.topic,
                EscalationRow.level <= row.level,
                EscalationRow.acknowledged_at.is_(None),
            )
            .values(acknowledged_by=actor, acknowledged_at=now)
            .execution_options(synchronize_session=False)
        )
        data = {"level": row.level, "cause": row.cause}
        write_history(session, row.ticket_id, HistoryAction.ESCALATION_ACKNOWLEDGED, at=now, actor=actor, data=data)
    return True
