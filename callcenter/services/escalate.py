"""One round of the escalation: limits that draw near or have passed are looked at, and whoever is due is told.

Telling writes a notice for each channel of each person in the transaction that counts the telling, so that two
schedulers never tell the same thing twice; `send_notices` sends them. The console shows the escalation in any case.
"""

from datetime import UTC, datetime

import structlog
from sqlalchemy import ColumnElement, Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow, NoticeRow, NoticeState
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.alarm_texts import notice_body, notice_title
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.escalation import (
    Cause,
    EscalationRules,
    Level,
    Limit,
    Telling,
    after_telling,
    is_serious,
    level_above,
    tellings_of_limit,
    tellings_of_serious,
)
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services.escalation_rules import Colleague, recipients
from callcenter.services.escalations import Matter, levels_of, raise_level
from callcenter.services.ticket_history import write_history
from callcenter.services.transactions import is_postgresql

log = structlog.get_logger()

A_ROUND = 100
NOTHING_MORE = datetime(9999, 12, 31, tzinfo=UTC)
_RUNNING = text("met_at IS NULL AND cancelled_at IS NULL AND paused_at IS NULL")  # as the partial index says it
_OPEN = text("acknowledged_at IS NULL AND ended_at IS NULL")


async def escalate(
    database: Database,
    *,
    now: datetime,
    rules: EscalationRules,
    people: tuple[Colleague, ...],
    public_url: str,
) -> int:
    """How many tellings there were."""
    await look_at_deadlines(database, now=now, rules=rules)
    return await _tell_due(database, now=now, rules=rules, people=people, public_url=public_url)


async def look_at_deadlines(database: Database, *, now: datetime, rules: EscalationRules) -> int:
    """Raises the levels whose time has come for each open limit; how many limits were looked at."""
    new, waited = TicketDeadlineRow.escalate_at.is_(None), TicketDeadlineRow.escalate_at <= now
    running = select(TicketDeadlineRow.id).where(_RUNNING)
    if not (await _any(database, running.where(new)) or await _any(database, running.where(waited))):
        return 0
    async with database.write() as session:
        query = (
            select(TicketDeadlineRow, TicketRow)
            .join(TicketRow, TicketRow.id == TicketDeadlineRow.ticket_id)
            .where(_RUNNING, or_(new, waited))
            .order_by(TicketDeadlineRow.due_at)
            .limit(A_ROUND)
        )
        if is_postgresql(session):
            query = query.with_for_update(skip_locked=True, of=TicketDeadlineRow)
        rows = (await session.execute(query)).all()
        for deadline, ticket in rows:
            await _look(session, deadline, ticket, now=now, rules=rules)
    return len(rows)


async def _any(database: Database, query: Select[int]) -> bool:
    """Looked at without a writing transaction, since there is hardly ever any."""
    async with database.read() as session:
        return await session.scalar(query.limit(1)) is not None


async def _look(
    session: AsyncSession, deadline: TicketDeadlineRow, ticket: TicketRow, *, now: datetime, rules: EscalationRules
) -> None:
    matter = Matter(
        topic=f"deadline:{deadline.id}:{deadline.due_at.astimezone(UTC):%Y%m%dT%H%M%S}",
        ticket_id=ticket.id,
        deadline_id=deadline.id,
        due_at=deadline.due_at,
    )
    limit = Limit(
        due_at=deadline.due_at,
        counts_from=deadline.counts_from,
        is_emergency=deadline.kind == DeadlineKind.ON_SITE,
    )
    tellings = tellings_of_limit(limit, rules=rules)
    for telling in tellings:
        if telling.at <= now:
            await raise_level(session, matter, _as_it_is_now(telling, deadline.due_at, now), now=now)
    if _is_serious(ticket, rules):
        serious = Matter(topic=f"ticket:{ticket.id}:serious", ticket_id=ticket.id)
        for telling in tellings_of_serious(now, rules=rules):
            await raise_level(session, serious, telling, now=now)
    deadline.escalate_at = min((one.at for one in tellings if one.at > now), default=NOTHING_MORE)


def _as_it_is_now(telling: Telling, due_at: datetime, now: datetime) -> Telling:
    """A limit that passed before anybody could be warned is told as what it is."""
    passed = telling.cause is Cause.LIMIT_NEAR and now >= due_at
    return Telling(level=telling.level, at=telling.at, cause=Cause.LIMIT_PASSED) if passed else telling


def _is_serious(ticket: TicketRow, rules: EscalationRules) -> bool:
    return is_serious(
        request_type=RequestType(ticket.request_type) if ticket.request_type else None,
        urgency=Urgency(ticket.urgency) if ticket.urgency else None,
        category=ticket.category,
        rules=rules,
    )


async def _tell_due(
    database: Database, *, now: datetime, rules: EscalationRules, people: tuple[Colleague, ...], public_url: str
) -> int:
    due: ColumnElement[bool] = EscalationRow.next_at <= now
    if not await _any(database, select(EscalationRow.id).where(_OPEN, due)):
        return 0
    told = 0
    async with database.write() as session:
        query = (
            select(EscalationRow, TicketRow, TicketDeadlineRow)
            .join(TicketRow, TicketRow.id == EscalationRow.ticket_id)
            .outerjoin(TicketDeadlineRow, TicketDeadlineRow.id == EscalationRow.deadline_id)
            .where(_OPEN, due)
            .order_by(EscalationRow.next_at, EscalationRow.id)
            .limit(A_ROUND)
        )
        if is_postgresql(session):
            query = query.with_for_update(skip_locked=True, of=EscalationRow)
        for row, ticket, deadline in (await session.execute(query)).all():
            if _is_over(row, ticket, deadline):
                row.ended_at = now
                continue
            await _tell(session, row, ticket, deadline, now=now, rules=rules, people=people, public_url=public_url)
            told += 1
    return told


def _is_over(row: EscalationRow, ticket: TicketRow, deadline: TicketDeadlineRow | None) -> bool:
    if TicketStatus(ticket.status) in FINISHED:
        return True
    if deadline is None:
        return False
    done = deadline.met_at is not None or deadline.cancelled_at is not None or deadline.paused_at is not None
    return done or (row.due_at is not None and row.due_at != deadline.due_at)


async def _tell(
    session: AsyncSession,
    row: EscalationRow,
    ticket: TicketRow,
    deadline: TicketDeadlineRow | None,
    *,
    now: datetime,
    rules: EscalationRules,
    people: tuple[Colleague, ...],
    public_url: str,
) -> None:
    level, cause = Level(row.level), Cause(row.cause)
    kind = DeadlineKind(deadline.kind) if deadline is not None else None
    is_emergency = kind is DeadlineKind.ON_SITE
    row.tellings, row.told_at = row.tellings + 1, now
    row.next_at = after_telling(row.tellings, at=now, is_emergency=is_emergency, rules=rules)
    title = notice_title(level=level, cause=cause, kind=kind, ticket_number=ticket.number)
    address = f"{public_url}/tickets/{ticket.number}"
    body = notice_body(due_at=row.due_at, telling=row.tellings, address=address, zone=rules.calendar.zone)
    for person in recipients(people, level, ticket.owner):
        for channel in range(person.channels):
            session.add(
                NoticeRow(
                    escalation_id=row.id,
                    telling=row.tellings,
                    person=person.name,
                    channel=channel,
                    title=title,
                    body=body,
                    urgent=is_emergency,
                    state=NoticeState.WAITING.value,
                    created_at=now,
                    next_at=now,
                )
            )
    if row.tellings == 1:
        data = {"level": row.level, "cause": row.cause, "deadline": kind.value if kind else None}
        write_history(session, ticket.id, HistoryAction.ESCALATED, at=now, data=data)
        log.warning("escalated", ticket=ticket.number, level=row.level, cause=row.cause)
    await _go_up(session, row, now=now, rules=rules)


async def _go_up(session: AsyncSession, row: EscalationRow, *, now: datetime, rules: EscalationRules) -> None:
    """Told often enough without an acknowledgement: the level above is told."""
    above = level_above(Level(row.level), row.tellings, there=await levels_of(session, row.topic), rules=rules)
    if above is None:
        return
    matter = Matter(topic=row.topic, ticket_id=row.ticket_id, deadline_id=row.deadline_id, due_at=row.due_at)
    await raise_level(session, matter, Telling(level=above, at=now, cause=Cause.NOT_ACKNOWLEDGED), now=now)
