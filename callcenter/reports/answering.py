"""How the calls of a day, a week or a month were answered, and the list of calls behind each figure.

Whatever can be counted is counted by the database; only the calls of a list come back as rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.agent_time import AgentTime
from callcenter.domain.calls import FALLBACK_AGENT
from callcenter.domain.counted_calls import Counting
from callcenter.domain.figures import AgentFigures, Contacts, Figures
from callcenter.domain.rings import standing
from callcenter.domain.tallies import QUARTER_SECONDS, Tallies, Tally
from callcenter.reports.agent_time import read_agent_time
from callcenter.reports.call_scope import WHICH, Scope
from callcenter.reports.day_sums import read_tallies, read_tally, total_of

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
class OfGroup:
    """The figures of one number or one estate, by its name."""

    name: str
    figures: Figures
    contacts: Contacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The figures of a scope, without charts and lists: what another period is compared with."""

    figures: Figures
    contacts: Contacts
    agents: tuple[AgentFigures, ...]
    longest_wait_ms: int | None
    duty: Mapping[str, AgentTime]
    """Of the agents who say when they are on duty."""

    @property
    def all_duty(self) -> AgentTime:
        return sum(self.duty.values(), AgentTime())

    @property
    def refused_legs(self) -> int:
        return sum(agent.refused for agent in self.agents)

    @property
    def flow_out(self) -> int:
        """Calls that no agent answered and the fallback number did."""
        return sum(agent.answered for agent in self.agents if agent.agent == FALLBACK_AGENT)

    @property
    def flow_out_rate(self) -> float | None:
        """Of the calls that were answered at all."""
        return self.flow_out / self.figures.connected if self.figures.connected else None

    @property
    def rang_out_legs(self) -> int:
        return sum(agent.rang_out for agent in self.agents)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering(Summary):
    """`longest` is the call that waited longest, `noted` the last late, undecided and missed ones.

    `numbers`: the figures by the number that was called; `estates`: by the estate of the call's ticket, empty where
    nobody knows it.
    """

    longest: CallRow | None
    hours: tuple[CountedCalls, ...]
    days: tuple[CountedCalls, ...]
    by_rings: dict[tuple[int, int], int]
    noted: tuple[AnsweredCall, ...]
    numbers: tuple[OfGroup, ...]
    estates: tuple[OfGroup, ...]

    @property
    def noted_count(self) -> int:
        share = self.figures.share
        return share.late + share.undecided + share.missed


async def summary(database: Database, scope: Scope, counting: Counting, *, now: datetime) -> Summary:
    async with database.read() as session:
        tally = await read_tally(session, scope, counting, now=now)
        duty = await read_agent_time(session, scope, now=now)
    return Summary(
        figures=tally.figures(),
        contacts=tally.contacts(),
        agents=tally.agents(),
        longest_wait_ms=_longest_wait_ms(tally),
        duty=duty,
    )


def _longest_wait_ms(tally: Tally) -> int | None:
    return tally.longest.wait_ms if tally.longest else None


async def answering(
    database: Database, scope: Scope, counting: Counting, *, now: datetime, noted: int = 8
) -> Answering:
    async with database.read() as session:
        tallies = await read_tallies(session, scope, counting, now=now)
        tally = total_of(tallies)
        longest = await session.get(CallRow, tally.longest.call_id) if tally.longest else None
        last = await calls_of(session, scope, WHICH["noted"], most=noted)
        duty = await read_agent_time(session, scope, now=now)
    counted = _counted(tally, counting.zone)
    return Answering(
        figures=tally.figures(),
        contacts=tally.contacts(),
        agents=tally.agents(),
        longest_wait_ms=_longest_wait_ms(tally),
        longest=longest,
        hours=_by_hour(counted),
        days=_by_day(counted, scope, counting.zone),
        by_rings=tally.rings(),
        noted=last,
        numbers=by_number(tallies),
        estates=by_estate(tally),
        duty=duty,
    )


def by_number(tallies: Tallies) -> tuple[OfGroup, ...]:
    return tuple(
        OfGroup(name=number, figures=tallies[number].figures(), contacts=tallies[number].contacts())
        for number in sorted(tallies)
    )


def by_estate(tally: Tally) -> tuple[OfGroup, ...]:
    return tuple(OfGroup(name=one.name, figures=one.figures, contacts=one.contacts) for one in tally.estates())


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


Counted = Iterable[tuple[datetime, str, int]]
"""Calls by the local quarter of an hour in which they began, and by where they stand (STANDINGS)."""


def _counted(tally: Tally, zone: ZoneInfo) -> list[tuple[datetime, str, int]]:
    counted: dict[tuple[int, str], int] = defaultdict(int)
    for disposition, verdict, quarters in tally.quarters():
        place = standing(disposition, verdict)
        if place is None:
            continue
        for quarter, calls in quarters.items():
            counted[quarter, place] += calls
    local = {quarter: _local(quarter, zone) for quarter, _ in counted}
    return [(local[quarter], place, calls) for (quarter, place), calls in counted.items()]


def _by_hour(counted: Counted) -> tuple[CountedCalls, ...]:
    """By hour of the local day; the hour that a clock change repeats holds both."""
    by_hour = _tally((at.hour, place, calls) for at, place, calls in counted)
    return tuple(CountedCalls(at=hour, **by_hour.get(hour, {})) for hour in range(24))


def _by_day(counted: Counted, scope: Scope, zone: ZoneInfo) -> tuple[CountedCalls, ...]:
    by_day = _tally((at.date(), place, calls) for at, place, calls in counted)
    first = scope.start.astimezone(zone).date()
    days = (scope.end.astimezone(zone) - timedelta(microseconds=1)).date() - first
    dates = [first + timedelta(days=number) for number in range(days.days + 1)]
    return tuple(CountedCalls(at=one, **by_day.get(one, {})) for one in dates)


def _local(quarter: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)


def _tally(counted: Iterable[Any]) -> dict[Any, dict[str, int]]:
    tally: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STANDINGS, 0))
    for at, place, calls in counted:
        tally[at][place] += calls
    return tally
