"""How a day's calls were answered: the share within the rings promised, the speed of answer, who let what ring."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.domain.calls import Direction, LegOutcome
from callcenter.domain.rings import MISSED, Disposition, Share, Verdict

TARGET = 0.95
"""The share and the connection rate that a hotline is to reach."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HourOfCalls:
    """The calls that came in within one hour of the day, by how they were answered."""

    hour: int
    within: int
    undecided: int
    late: int
    missed: int

    @property
    def total(self) -> int:
        return self.within + self.undecided + self.late + self.missed


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredCall:
    """A call of the list of late, undecided and missed ones."""

    call: CallRow
    legs: tuple[CallLegRow, ...]
    ticket: TicketRow | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentFigures:
    """One agent's own phone; `mean_*` are milliseconds, None where there was nothing to measure."""

    agent: str
    within: int
    undecided: int
    late: int
    refused: int
    rang_out: int
    not_confirmed: int
    mean_ring_ms: int | None
    mean_talk_ms: int | None

    @property
    def rang(self) -> int:
        return self.within + self.undecided + self.late + self.refused + self.rang_out + self.not_confirmed

    @property
    def share(self) -> tuple[float, float] | None:
        if not self.rang:
            return None
        return self.within / self.rang, (self.within + self.undecided) / self.rang


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedOfAnswer:
    """From the end of the menu to the answer (queue and ringing), of the calls that were answered."""

    calls: int
    mean_ms: int
    median_ms: int
    p95_ms: int
    longest_ms: int
    longest_call: CallRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering:
    """A day's figures. `offered` counts every inbound call that is over or was answered."""

    share: Share
    offered: int
    connected: int
    by_disposition: dict[Disposition, int]
    hours: tuple[HourOfCalls, ...]
    by_rings: dict[tuple[int, int], int]
    speed: SpeedOfAnswer | None
    noted: tuple[AnsweredCall, ...]
    agents: tuple[AgentFigures, ...]

    @property
    def refused_legs(self) -> int:
        return sum(agent.refused for agent in self.agents)

    @property
    def rang_out_legs(self) -> int:
        return sum(agent.rang_out for agent in self.agents)


async def answering(database: Database, *, start: datetime, end: datetime, zone: ZoneInfo) -> Answering:
    """The inbound calls that began in [start, end)."""
    async with database.read() as session:
        calls = await _calls(session, start, end)
        legs = await _legs(session, start, end)
        noted = [call for call in calls if _is_noted(call)]
        tickets = await _tickets(session, [call.id for call in noted])
    dispositions: dict[Disposition, int] = defaultdict(int)
    for call in calls:
        dispositions[Disposition(call.disposition)] += 1
    return Answering(
        share=Share.of((Disposition(call.disposition), _verdict(call), 1) for call in calls),
        offered=sum(count for kind, count in dispositions.items() if kind is not Disposition.IN_PROGRESS),
        connected=dispositions[Disposition.ANSWERED],
        by_disposition=dict(dispositions),
        hours=_hours(calls, zone),
        by_rings=_by_rings(calls),
        speed=_speed(calls),
        noted=tuple(
            AnsweredCall(call=call, legs=tuple(legs.get(call.id, ())), ticket=tickets.get(call.id)) for call in noted
        ),
        agents=_agents(calls, legs),
    )


async def _calls(session: AsyncSession, start: datetime, end: datetime) -> Sequence[CallRow]:
    query = (
        select(CallRow)
        .where(CallRow.direction == Direction.INBOUND, CallRow.started_at >= start, CallRow.started_at < end)
        .order_by(CallRow.started_at.desc(), CallRow.id)
    )
    return (await session.scalars(query)).all()


async def _legs(session: AsyncSession, start: datetime, end: datetime) -> dict[str, list[CallLegRow]]:
    query = (
        select(CallLegRow)
        .join(CallRow, CallRow.id == CallLegRow.call_id)
        .where(CallRow.direction == Direction.INBOUND, CallRow.started_at >= start, CallRow.started_at < end)
        .order_by(CallLegRow.ringing_at, CallLegRow.leg_id)
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


def _verdict(call: CallRow) -> Verdict | None:
    return Verdict(call.verdict) if call.verdict else None


def _is_noted(call: CallRow) -> bool:
    return _place(call) in ("late", "undecided", "missed")


def _place(call: CallRow) -> str | None:
    """Where a call stands in the charts: within, undecided, late, missed, or nowhere."""
    if _verdict(call) is Verdict.UNDECIDED:
        return "undecided"
    if call.disposition == Disposition.ANSWERED:
        return call.verdict
    return "missed" if Disposition(call.disposition) in MISSED else None


def _hours(calls: Iterable[CallRow], zone: ZoneInfo) -> tuple[HourOfCalls, ...]:
    tally = {hour: {"within": 0, "undecided": 0, "late": 0, "missed": 0} for hour in range(24)}
    for call in calls:
        place = _place(call)
        if place:
            tally[call.started_at.astimezone(zone).hour][place] += 1
    return tuple(HourOfCalls(hour=hour, **counts) for hour, counts in tally.items())


def _by_rings(calls: Iterable[CallRow]) -> dict[tuple[int, int], int]:
    """Answered calls by (fewest, most) rings that the resident can have heard."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for call in calls:
        if call.disposition == Disposition.ANSWERED and call.rings_low is not None and call.rings_high is not None:
            found[(call.rings_low, call.rings_high)] += 1
    return dict(sorted(found.items()))


def _speed(calls: Iterable[CallRow]) -> SpeedOfAnswer | None:
    measured = sorted(
        (
            (_middle(call.answer_speed_low_ms, call.answer_speed_high_ms), call)
            for call in calls
            if call.answer_speed_low_ms is not None
        ),
        key=lambda pair: pair[0],
    )
    if not measured:
        return None
    lengths = [length for length, _ in measured]
    return SpeedOfAnswer(
        calls=len(lengths),
        mean_ms=round(sum(lengths) / len(lengths)),
        median_ms=_at_share(lengths, 0.5),
        p95_ms=_at_share(lengths, 0.95),
        longest_ms=lengths[-1],
        longest_call=measured[-1][1],
    )


def _middle(low: int | None, high: int | None) -> int:
    return ((low or 0) + (high if high is not None else low or 0)) // 2


def _at_share(ordered: Sequence[int], share: float) -> int:
    """The nearest-rank percentile."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _agents(calls: Sequence[CallRow], legs: dict[str, list[CallLegRow]]) -> tuple[AgentFigures, ...]:
    """Every agent whose phone rang, those who rang most first; cancelled legs are nobody's fault and not counted."""
    talks: dict[str, list[int]] = defaultdict(list)
    for call in calls:
        if call.answered_by and call.talk_low_ms is not None:
            talks[call.answered_by].append(_middle(call.talk_low_ms, call.talk_high_ms))
    by_agent: dict[str, list[CallLegRow]] = defaultdict(list)
    for leg in (leg for of_call in legs.values() for leg in of_call):
        if leg.agent:
            by_agent[leg.agent].append(leg)
    figures = (_figures(agent, own, talks.get(agent, [])) for agent, own in by_agent.items())
    return tuple(sorted(figures, key=lambda one: (-one.rang, one.agent)))


def _figures(agent: str, legs: Sequence[CallLegRow], talks: Sequence[int]) -> AgentFigures:
    def outcomes(outcome: LegOutcome) -> int:
        return sum(leg.outcome == outcome for leg in legs)

    def verdicts(verdict: Verdict) -> int:
        return sum(leg.outcome == LegOutcome.ANSWERED and leg.verdict == verdict for leg in legs)

    rings = [
        _middle(leg.ring_low_ms, leg.ring_high_ms)
        for leg in legs
        if leg.outcome == LegOutcome.ANSWERED and leg.ring_low_ms is not None
    ]
    return AgentFigures(
        agent=agent,
        within=verdicts(Verdict.WITHIN),
        undecided=verdicts(Verdict.UNDECIDED),
        late=verdicts(Verdict.LATE),
        refused=outcomes(LegOutcome.REFUSED),
        rang_out=outcomes(LegOutcome.RANG_OUT),
        not_confirmed=outcomes(LegOutcome.NOT_CONFIRMED),
        mean_ring_ms=round(sum(rings) / len(rings)) if rings else None,
        mean_talk_ms=round(sum(talks) / len(talks)) if talks else None,
    )


def day_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local day that a moment lies in, as [midnight, midnight)."""
    start = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)
