"""The figures once more, in plain SQL over the calls: slower, and with nothing of the product's own counting."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.domain.calls import LegOutcome
from callcenter.domain.figures import TENTH_MS, AgentFigures, CallTimes, Cell, Figures, figures_of
from callcenter.domain.periods import Period
from callcenter.domain.rings import Disposition, Verdict
from callcenter.reports.call_scope import Scope, middle_of, surely_below
from tests.reports.quarters import quarter_of

COUNTED_LEGS = ("answered", "refused", "rang_out", "not_confirmed")


async def read_figures(session: AsyncSession, scope: Scope, *, in_time_ms: int) -> Figures:
    by_key = await figures_by(session, scope, literal(0), in_time_ms=in_time_ms)
    return by_key.get(0) or figures_of(())


async def figures_of_parts(
    session: AsyncSession, scope: Scope, parts: Sequence[Period], *, in_time_ms: int
) -> list[Figures]:
    """The figures of each part of the scope, in one query; parts follow each other without a gap."""
    numbered = case(*((CallRow.started_at < part.end, number) for number, part in enumerate(parts)), else_=len(parts))
    by_key = await figures_by(session, scope, numbered, in_time_ms=in_time_ms)
    return [by_key.get(number) or figures_of(()) for number in range(len(parts))]


async def figures_by(session: AsyncSession, scope: Scope, key: Any, *, in_time_ms: int) -> dict[Any, Figures]:
    """The figures by whatever `key` says of a call: its number, who answered it, its part of the time."""
    by_key = await cells_by(session, scope, key, in_time_ms=in_time_ms)
    return {found: figures_of(cells) for found, cells in by_key.items()}


async def cells_by(session: AsyncSession, scope: Scope, key: Any, *, in_time_ms: int) -> dict[Any, list[Cell]]:
    """What the figures by `key` are computed from; the cells of all keys together are those of the scope."""
    cells: dict[Any, list[Cell]] = defaultdict(list)
    for row in await session.execute(_cells(scope, key, in_time_ms)):
        cells[row.key].append(
            Cell(
                disposition=Disposition(row.disposition),
                verdict=Verdict(row.verdict) if row.verdict else None,
                calls=row.calls,
                speed_tenths=row.speed_tenths,
                speed_ms=int(row.speed_ms or 0),
                longest_ms=row.longest_ms or 0,
                surely_in_time=int(row.surely_in_time or 0),
                perhaps_in_time=int(row.perhaps_in_time or 0),
                talks=row.talks,
                talk_ms=int(row.talk_ms or 0),
            )
        )
    return cells


def _cells(scope: Scope, key: Any, in_time_ms: int) -> Select[Any]:
    """One row for the calls of a key with the same disposition, verdict and speed in tenths of a second."""
    low, high = CallRow.answer_speed_low_ms, CallRow.answer_speed_high_ms
    speed = case((CallRow.disposition == Disposition.ANSWERED.value, middle_of(low, high)))
    named, tenths = key.label("key"), (speed // TENTH_MS).label("speed_tenths")
    perhaps = case((low.is_(None), 1), (low < in_time_ms, 1), else_=0)
    # Grouped outside: an expression with parameters of its own is not the same one twice to PostgreSQL.
    inner = (
        select(
            named,
            CallRow.disposition,
            CallRow.verdict,
            tenths,
            speed.label("speed"),
            case((surely_below(low, high, in_time_ms), 1), else_=0).label("surely"),
            perhaps.label("perhaps"),
            middle_of(CallRow.talk_low_ms, CallRow.talk_high_ms).label("talk"),
        )
        .where(scope.condition)
        .subquery()
    )
    grouped = (inner.c.key, inner.c.disposition, inner.c.verdict, inner.c.speed_tenths)
    return select(
        *grouped,
        func.count().label("calls"),
        func.sum(inner.c.speed).label("speed_ms"),
        func.max(inner.c.speed).label("longest_ms"),
        func.sum(inner.c.surely).label("surely_in_time"),
        func.sum(inner.c.perhaps).label("perhaps_in_time"),
        func.count(inner.c.talk).label("talks"),
        func.sum(inner.c.talk).label("talk_ms"),
    ).group_by(*grouped)


async def quarters(session: AsyncSession, scope: Scope) -> list[tuple[int, Disposition, Verdict | None, int]]:
    """(quarter of an hour since 1970, disposition, verdict, calls), for charts."""
    inner = (
        select(quarter_of(CallRow.started_at).label("quarter"), CallRow.disposition, CallRow.verdict)
        .where(scope.condition)
        .subquery()
    )
    grouped = (inner.c.quarter, inner.c.disposition, inner.c.verdict)
    query = select(*grouped, func.count().label("calls")).group_by(*grouped)
    return [
        (row.quarter, Disposition(row.disposition), Verdict(row.verdict) if row.verdict else None, row.calls)
        for row in await session.execute(query)
    ]


async def agent_figures(session: AsyncSession, scope: Scope) -> tuple[AgentFigures, ...]:
    """Every agent whose phone rang, those whose phone rang most first."""
    tally: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rings: dict[str, tuple[int, int]] = {}
    for row in await session.execute(_legs(scope)):
        tally[row.agent][_column(row.outcome, row.verdict)] += row.legs
        if row.outcome == LegOutcome.ANSWERED:
            measured, total = rings.get(row.agent, (0, 0))
            rings[row.agent] = measured + row.measured, total + int(row.ring_ms or 0)
    talks = {row.agent: row for row in await session.execute(_talks(scope))}
    figures = [
        AgentFigures(
            agent=agent,
            within=columns["within"],
            undecided=columns["undecided"],
            late=columns["late"],
            refused=columns["refused"],
            rang_out=columns["rang_out"],
            not_confirmed=columns["not_confirmed"],
            mean_ring_ms=round(rings[agent][1] / rings[agent][0]) if rings.get(agent, (0, 0))[0] else None,
            times=CallTimes(
                talks=talks[agent].talks if agent in talks else 0,
                talk_ms=int(talks[agent].talk_ms or 0) if agent in talks else 0,
            ),
        )
        for agent, columns in tally.items()
    ]
    return tuple(sorted(figures, key=lambda one: (-one.rang, one.agent)))


def _column(outcome: str, verdict: str | None) -> str:
    return (verdict or "undecided") if outcome == LegOutcome.ANSWERED else outcome


def _legs(scope: Scope) -> Select[Any]:
    ring = middle_of(CallLegRow.ring_low_ms, CallLegRow.ring_high_ms)
    return (
        select(
            CallLegRow.agent,
            CallLegRow.outcome,
            CallLegRow.verdict,
            func.count().label("legs"),
            func.count(ring).label("measured"),
            func.sum(ring).label("ring_ms"),
        )
        .join(CallRow, CallRow.id == CallLegRow.call_id)
        .where(scope.condition, CallLegRow.agent.is_not(None), CallLegRow.outcome.in_(COUNTED_LEGS))
        .group_by(CallLegRow.agent, CallLegRow.outcome, CallLegRow.verdict)
    )


def _talks(scope: Scope) -> Select[Any]:
    talk = middle_of(CallRow.talk_low_ms, CallRow.talk_high_ms)
    return (
        select(CallRow.answered_by.label("agent"), func.count(talk).label("talks"), func.sum(talk).label("talk_ms"))
        .where(scope.condition, CallRow.answered_by.is_not(None))
        .group_by(CallRow.answered_by)
    )
