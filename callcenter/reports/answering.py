"""How the calls of a day, a week or a month were answered, and the list of calls behind each figure.

Whatever can be counted is counted by the database; only the calls of a list come back as rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.quarters import QUARTER_SECONDS
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.figures import AgentFigures, Contacts, Figures, figures_of
from callcenter.domain.rings import Disposition, Verdict, standing
from callcenter.reports.call_scope import WHICH, Scope, middle_of
from callcenter.reports.contacts import read_contacts
from callcenter.reports.figures import agent_figures, cells_by, quarters, read_figures

STANDINGS = ("within", "undecided", "late", "missed")


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedCalls:
    """The calls of one column of a chart, by how they were answered. `at`: an hour of the day, or a date."""

    at: Any
    within: int = 0
    undecided: int = 0
    late: int = 0
    missed: int = 0

    @property
    def total(self) -> int:
        return self.within + self.undecided + self.late + self.missed


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredCall:
    """A call of a list."""

    call: CallRow
    legs: tuple[CallLegRow, ...]
    ticket: TicketRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The figures of a scope, without charts and lists: what another period is compared with."""

    figures: Figures
    contacts: Contacts
    agents: tuple[AgentFigures, ...]

    @property
    def refused_legs(self) -> int:
        return sum(agent.refused for agent in self.agents)

    @property
    def rang_out_legs(self) -> int:
        return sum(agent.rang_out for agent in self.agents)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering(Summary):
    """`longest` is the call that waited longest, `noted` the last late, undecided and missed ones.

    `numbers`: the figures by the number that was called.
    """

    longest: CallRow | None
    hours: tuple[CountedCalls, ...]
    days: tuple[CountedCalls, ...]
    by_rings: dict[tuple[int, int], int]
    noted: tuple[AnsweredCall, ...]
    numbers: tuple[tuple[str, Figures], ...]

    @property
    def noted_count(self) -> int:
        share = self.figures.share
        return share.late + share.undecided + share.missed


async def summary(database: Database, scope: Scope, *, now: datetime, in_time_ms: int) -> Summary:
    async with database.read() as session:
        return Summary(
            figures=await read_figures(session, scope, in_time_ms=in_time_ms),
            contacts=await read_contacts(session, scope, now=now),
            agents=await agent_figures(session, scope),
        )


async def answering(
    database: Database, scope: Scope, *, zone: ZoneInfo, now: datetime, in_time_ms: int, noted: int = 8
) -> Answering:
    async with database.read() as session:
        counted = await quarters(session, scope)
        cells = await cells_by(session, scope, CallRow.to_number, in_time_ms=in_time_ms)
        return Answering(
            figures=figures_of(cell for of_number in cells.values() for cell in of_number),
            contacts=await read_contacts(session, scope, now=now),
            longest=await _longest(session, scope),
            hours=_by_hour(counted, zone),
            days=_by_day(counted, scope, zone),
            by_rings=await _by_rings(session, scope),
            noted=await calls_of(session, scope, WHICH["noted"], most=noted),
            agents=await agent_figures(session, scope),
            numbers=tuple(
                (number or "", figures_of(cells[number])) for number in sorted(cells, key=lambda one: one or "")
            ),
        )


async def list_calls(
    database: Database, scope: Scope, condition: ColumnElement[bool], *, most: int, skip: int = 0
) -> tuple[tuple[AnsweredCall, ...], int]:
    """The latest calls that a figure counts, and how many there are in all."""
    async with database.read() as session:
        return await calls_of(session, scope, condition, most=most, skip=skip), await count_of(
            session, scope, condition
        )


async def count_of(session: AsyncSession, scope: Scope, condition: ColumnElement[bool]) -> int:
    found = await session.scalar(select(func.count()).select_from(CallRow).where(scope.condition, condition))
    return found or 0


async def calls_of(
    session: AsyncSession, scope: Scope, condition: ColumnElement[bool], *, most: int, skip: int = 0
) -> tuple[AnsweredCall, ...]:
    query = select(CallRow).where(scope.condition, condition).order_by(CallRow.started_at.desc(), CallRow.id)
    calls = (await session.scalars(query.limit(most).offset(skip))).all()
    ids = [call.id for call in calls]
    legs, tickets = await _legs(session, ids), await _tickets(session, ids)
    return tuple(
        AnsweredCall(call=call, legs=tuple(legs.get(call.id, ())), ticket=tickets.get(call.id)) for call in calls
    )


async def _legs(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, list[CallLegRow]]:
    query = (
        select(CallLegRow)
        .where(CallLegRow.call_id.in_(call_ids))
        .order_by(CallLegRow.call_id, CallLegRow.ringing_at, CallLegRow.leg_id)
    )
    by_call: dict[str, list[CallLegRow]] = defaultdict(list)
    for leg in (await session.scalars(query)).all():
        by_call[leg.call_id].append(leg)
    return by_call


async def _tickets(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, TicketRow]:
    query = (
        select(TicketCallRow.call_id, TicketRow)
        .join(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
        .where(TicketCallRow.call_id.in_(call_ids))
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def _longest(session: AsyncSession, scope: Scope) -> CallRow | None:
    speed = middle_of(CallRow.answer_speed_low_ms, CallRow.answer_speed_high_ms)
    query = (
        select(CallRow)
        .where(scope.condition, WHICH["connected"], CallRow.answer_speed_low_ms.is_not(None))
        .order_by(speed.desc(), CallRow.started_at, CallRow.id)
    )
    return (await session.scalars(query.limit(1))).one_or_none()


async def _by_rings(session: AsyncSession, scope: Scope) -> dict[tuple[int, int], int]:
    """Answered calls by (fewest, most) rings that the resident can have heard."""
    ends = (CallRow.rings_low, CallRow.rings_high)
    query = (
        select(*ends, func.count())
        .where(scope.condition, WHICH["connected"], CallRow.rings_low.is_not(None), CallRow.rings_high.is_not(None))
        .group_by(*ends)
        .order_by(*ends)
    )
    return {(low, high): count for low, high, count in (await session.execute(query)).all() if low and high}


Counted = Iterable[tuple[int, Disposition, Verdict | None, int]]


def _by_hour(counted: Counted, zone: ZoneInfo) -> tuple[CountedCalls, ...]:
    """By hour of the local day; the hour that a clock change repeats holds both."""
    by_hour = _tally((_local(quarter, zone).hour, *rest) for quarter, *rest in counted)
    return tuple(CountedCalls(at=hour, **by_hour.get(hour, {})) for hour in range(24))


def _by_day(counted: Counted, scope: Scope, zone: ZoneInfo) -> tuple[CountedCalls, ...]:
    by_day = _tally((_local(quarter, zone).date(), *rest) for quarter, *rest in counted)
    first = scope.start.astimezone(zone).date()
    days = (scope.end.astimezone(zone) - timedelta(microseconds=1)).date() - first
    dates = [first + timedelta(days=number) for number in range(days.days + 1)]
    return tuple(CountedCalls(at=one, **by_day.get(one, {})) for one in dates)


def _local(quarter: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)


def _tally(counted: Iterable[Any]) -> dict[Any, dict[str, int]]:
    tally: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STANDINGS, 0))
    for at, disposition, verdict, calls in counted:
        place = standing(disposition, verdict)
        if place:
            tally[at][place] += calls
    return tally
