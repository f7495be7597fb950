"""What must be known now: everybody of open emergencies, each of what they were told and have not acknowledged."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.on_call import OnCallAlarmRow, OnCallAttemptRow
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.escalation import Level
from callcenter.domain.ticket_life import FINISHED

MOST = 50
"""More than anybody can act on at once; what is beyond stands in the lists of tickets."""

_FINISHED = [status.value for status in FINISHED]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """For whom the alarms are: `keys` are the names under which they own tickets.

    `levels` are told to them whoever owns the ticket; on the first level an agent is told of their own tickets and
    of those that nobody owns.
    """

    keys: tuple[str, ...]
    levels: frozenset[Level] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldMatter:
    """An escalation that was told and not acknowledged, and the limit that it is about, if it is about one."""

    escalation: EscalationRow
    deadline: TicketDeadlineRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Emergency:
    """An on-site limit that runs; `alarm` is None until the on-call people are being phoned."""

    deadline: TicketDeadlineRow
    alarm: OnCallAlarmRow | None
    phoned: tuple[OnCallAttemptRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """Everything that is alarming about one ticket."""

    ticket: TicketRow
    emergency: Emergency | None
    told: tuple[ToldMatter, ...]

    @property
    def level(self) -> int:
        return max((one.escalation.level for one in self.told), default=0)

    @property
    def since(self) -> datetime:
        if self.emergency:
            return self.emergency.alarm.raised_at if self.emergency.alarm else self.ticket.created_at
        return min(one.escalation.told_at or one.escalation.created_at for one in self.told)


async def read_alarms(database: Database, asker: Asker) -> tuple[Alarm, ...]:
    """Emergencies first, then the highest level, then the oldest."""
    async with database.read() as session:
        emergencies, tickets = await _emergencies(session)
        told: dict[int, list[ToldMatter]] = defaultdict(list)
        for ticket, matter in await _told(session, asker):
            tickets[ticket.id] = ticket
            told[ticket.id].append(matter)
    alarms = [
        Alarm(ticket=ticket, emergency=emergencies.get(ticket.id), told=tuple(told[ticket.id]))
        for ticket in tickets.values()
    ]
    return tuple(sorted(alarms, key=lambda one: (one.emergency is None, -one.level, one.since)))


async def alarm_mark(session: AsyncSession) -> str:
    """Differs when anybody's alarms differ. Reads only what is open: cheap enough to ask every second."""
    escalation = EscalationRow
    told = (
        select(func.count(), func.max(escalation.id), func.sum(escalation.tellings), func.sum(escalation.id))
        .select_from(escalation)
        .outerjoin(TicketDeadlineRow, TicketDeadlineRow.id == escalation.deadline_id)
        .where(_is_open_telling())
    )
    on_site = (
        select(
            func.count(TicketDeadlineRow.id.distinct()),
            func.sum(TicketDeadlineRow.id),
            func.count(OnCallAlarmRow.acknowledged_at),
            func.max(OnCallAlarmRow.state),
            func.count(OnCallAttemptRow.id),
            func.count(OnCallAttemptRow.outcome),
            func.count(OnCallAttemptRow.keys),
        )
        .select_from(TicketDeadlineRow)
        .join(TicketRow, TicketRow.id == TicketDeadlineRow.ticket_id)
        .outerjoin(OnCallAlarmRow, OnCallAlarmRow.deadline_id == TicketDeadlineRow.id)
        .outerjoin(OnCallAttemptRow, OnCallAttemptRow.alarm_id == OnCallAlarmRow.id)
        .where(_is_open_emergency())
    )
    marks = [*(await session.execute(told)).one(), *(await session.execute(on_site)).one()]
    return ".".join(str(mark or 0) for mark in marks)


def _is_open_emergency() -> ColumnElement[bool]:
    deadline = TicketDeadlineRow
    return and_(
        deadline.kind == DeadlineKind.ON_SITE.value,
        deadline.met_at.is_(None),
        deadline.cancelled_at.is_(None),
        TicketRow.status.not_in(_FINISHED),
    )


def _is_open_telling() -> ColumnElement[bool]:
    """Told, not acknowledged, and not over: `ended_at` is written only when its next telling is due."""
    row, deadline = EscalationRow, TicketDeadlineRow
    runs = and_(
        deadline.met_at.is_(None),
        deadline.cancelled_at.is_(None),
        deadline.paused_at.is_(None),
        or_(row.due_at.is_(None), row.due_at == deadline.due_at),
    )
    return and_(
        row.acknowledged_at.is_(None),
        row.ended_at.is_(None),
        row.told_at.is_not(None),
        _of_open_ticket(),
        or_(row.deadline_id.is_(None), runs),
    )


def _of_open_ticket(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Asked of each open escalation, which are few: joined, SQLite goes through all tickets while there are none."""
    ticket = TicketRow
    return exists().where(ticket.id == EscalationRow.ticket_id, ticket.status.not_in(_FINISHED), *conditions)


async def _emergencies(session: AsyncSession) -> tuple[dict[int, Emergency], dict[int, TicketRow]]:
    query = (
        select(TicketDeadlineRow, TicketRow, OnCallAlarmRow)
        .join(TicketRow, TicketRow.id == TicketDeadlineRow.ticket_id)
        .outerjoin(OnCallAlarmRow, OnCallAlarmRow.deadline_id == TicketDeadlineRow.id)
        .where(_is_open_emergency())
        .order_by(TicketDeadlineRow.due_at.desc())
        .limit(MOST)
    )
    found = (await session.execute(query)).all()
    phoned = await _phoned(session, [alarm.id for _, _, alarm in found if alarm is not None])
    emergencies = {
        ticket.id: Emergency(deadline=deadline, alarm=alarm, phoned=tuple(phoned[alarm.id] if alarm else ()))
        for deadline, ticket, alarm in found
    }
    return emergencies, {ticket.id: ticket for _, ticket, _ in found}


async def _phoned(session: AsyncSession, alarm_ids: Sequence[int]) -> dict[int, list[OnCallAttemptRow]]:
    attempts: dict[int, list[OnCallAttemptRow]] = defaultdict(list)
    if alarm_ids:
        query = select(OnCallAttemptRow).where(OnCallAttemptRow.alarm_id.in_(alarm_ids))
        for attempt in await session.scalars(query.order_by(OnCallAttemptRow.alarm_id, OnCallAttemptRow.number)):
            attempts[attempt.alarm_id].append(attempt)
    return attempts


async def _told(session: AsyncSession, asker: Asker) -> Iterable[tuple[TicketRow, ToldMatter]]:
    query = (
        select(EscalationRow, TicketDeadlineRow)
        .outerjoin(TicketDeadlineRow, TicketDeadlineRow.id == EscalationRow.deadline_id)
        .where(_is_open_telling(), _is_for(asker))
        .order_by(EscalationRow.level.desc(), EscalationRow.told_at)
        .limit(MOST)
    )
    rows = (await session.execute(query)).all()
    if not rows:
        return ()
    tickets = await session.scalars(select(TicketRow).where(TicketRow.id.in_({row.ticket_id for row, _ in rows})))
    by_id = {ticket.id: ticket for ticket in tickets}
    return [(by_id[row.ticket_id], ToldMatter(escalation=row, deadline=deadline)) for row, deadline in rows]


def _is_for(asker: Asker) -> ColumnElement[bool]:
    owned = _of_open_ticket(or_(TicketRow.owner.in_(asker.keys), TicketRow.owner.is_(None)))
    mine = and_(EscalationRow.level == Level.AGENT.value, owned)
    by_level = EscalationRow.level.in_([level.value for level in asker.levels]) if asker.levels else false()
    return or_(mine, by_level)
