"""The quarterly review: answering, complaints, what was promised and kept, satisfaction, service language, cases."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.calendar_quarter import CalendarQuarter
from callcenter.domain.counted_calls import Counting
from callcenter.reports.answering import Summary, summary
from callcenter.reports.call_scope import Scope
from callcenter.reports.complaints import ComplaintReport, complaint_report
from callcenter.reports.language_counts import KindCount, count_checks
from callcenter.reports.parts_of_time import seven_days

MOST_CASES = 3
CONTENT, DISCONTENT = 4, 2
"""Satisfaction from which on a case is a good one, and up to which it is a bad one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadlinesKept:
    """Limits of one kind that fell due: all of them, and those met in time; `open` are not met yet and overdue."""

    kind: str
    due: int
    kept: int
    open: int

    @property
    def share(self) -> float:
        return self.kept / self.due


@dataclass(frozen=True, kw_only=True, slots=True)
class Satisfaction:
    """Answers of residents after the fix, 1 to 5."""

    answers: int
    mean: float | None
    content: int

    @property
    def content_share(self) -> float | None:
        return self.content / self.answers if self.answers else None


@dataclass(frozen=True, kw_only=True)
class QuarterlyReview:
    """`until`: the end of the quarter, or now while it is running. `calls_before` is the quarter before."""

    quarter: CalendarQuarter
    start: datetime
    until: datetime
    calls: Summary
    calls_before: Summary
    complaints: ComplaintReport
    tickets: int
    deadlines: tuple[DeadlinesKept, ...]
    satisfaction: Satisfaction
    satisfaction_before: Satisfaction
    language: tuple[KindCount, ...]
    language_calls: int
    best: tuple[TicketRow, ...]
    worst: tuple[TicketRow, ...]


async def quarterly_review(
    database: Database, quarter: CalendarQuarter, counting: Counting, *, now: datetime
) -> QuarterlyReview:
    zone = counting.zone
    start, until = quarter.start(zone), min(quarter.end(zone), now)
    before = quarter.before()
    scope = Scope(start=start, end=until)
    earlier = Scope(start=before.start(zone), end=before.end(zone))
    calls = await summary(database, scope, counting, now=now)
    calls_before = await summary(database, earlier, counting, now=now)
    complaints = await complaint_report(database, start=start, end=until)
    async with database.read() as session:
        language = await count_checks(session, seven_days(start, until), by_agent=False)
        return QuarterlyReview(
            quarter=quarter,
            start=start,
            until=until,
            calls=calls,
            calls_before=calls_before,
            complaints=complaints,
            tickets=await session.scalar(select(func.count()).where(_opened(start, until))) or 0,
            deadlines=await _deadlines(session, start, until),
            satisfaction=await _satisfaction(session, start, until),
            satisfaction_before=await _satisfaction(session, earlier.start, earlier.end),
            language=language.kinds(),
            language_calls=language.calls,
            best=await _cases(session, start, until, TicketRow.satisfaction >= CONTENT, best=True),
            worst=await _cases(session, start, until, TicketRow.satisfaction <= DISCONTENT, best=False),
        )


def _opened(start: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(TicketRow.created_at >= start, TicketRow.created_at < until, TicketRow.merged_into.is_(None))


async def _deadlines(session: AsyncSession, start: datetime, until: datetime) -> tuple[DeadlinesKept, ...]:
    """Limits that were called off are none."""
    row = TicketDeadlineRow
    kept = func.sum(case((and_(row.met_at.is_not(None), row.met_at <= row.due_at), 1), else_=0))
    still = func.sum(case((row.met_at.is_(None), 1), else_=0))
    query = (
        select(row.kind, func.count(), kept, still)
        .where(row.due_at >= start, row.due_at < until, or_(row.cancelled_at.is_(None), row.met_at.is_not(None)))
        .group_by(row.kind)
        .order_by(func.count().desc(), row.kind)
    )
    return tuple(
        DeadlinesKept(kind=kind, due=due, kept=in_time, open=overdue)
        for kind, due, in_time, overdue in await session.execute(query)
    )


async def _satisfaction(session: AsyncSession, start: datetime, until: datetime) -> Satisfaction:
    answered = and_(TicketRow.satisfaction_at >= start, TicketRow.satisfaction_at < until)
    content = func.sum(case((TicketRow.satisfaction >= CONTENT, 1), else_=0))
    query = select(func.count(TicketRow.satisfaction), func.sum(TicketRow.satisfaction), content).where(answered)
    count, points, happy = (await session.execute(query)).one()
    return Satisfaction(answers=count, mean=points / count if count else None, content=happy or 0)


async def _cases(
    session: AsyncSession, start: datetime, until: datetime, rated: ColumnElement[bool], *, best: bool
) -> tuple[TicketRow, ...]:
    """The happiest or unhappiest answers; of equal ones those whose resident had to phone the least or the most."""
    points, phoned = TicketRow.satisfaction, TicketRow.call_count
    order = (points.desc(), phoned, TicketRow.id) if best else (points, phoned.desc(), TicketRow.id)
    answered = and_(TicketRow.satisfaction_at >= start, TicketRow.satisfaction_at < until, rated)
    return tuple((await session.scalars(select(TicketRow).where(answered).order_by(*order).limit(MOST_CASES))).all())
