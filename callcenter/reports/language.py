"""Service language as people read it: the findings of a call, what waits for a decision, agents' weeks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.domain.language_scores import CallSums, WeekScore, scored
from callcenter.reports.language_counts import KindCount, LanguageCounts, count_checks

MOST_WAITING = 100
MOST_FINDINGS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class CallLanguage:
    """What was checked of a call, and what was found, in the order of the recording."""

    check: LanguageCheckRow
    findings: tuple[LanguageFindingRow, ...]


async def language_of_call(session: AsyncSession, call_id: str) -> CallLanguage | None:
    check = await session.get(LanguageCheckRow, call_id)
    if check is None:
        return None
    query = (
        select(LanguageFindingRow)
        .where(LanguageFindingRow.call_id == call_id)
        .order_by(LanguageFindingRow.start_ms, LanguageFindingRow.id)
    )
    return CallLanguage(check=check, findings=tuple((await session.scalars(query)).all()))


async def read_language(database: Database, call_id: str) -> CallLanguage | None:
    async with database.read() as session:
        return await language_of_call(session, call_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundOnCall:
    """A finding with the call that it was made on."""

    finding: LanguageFindingRow
    call: CallRow


@dataclass(frozen=True, kw_only=True)
class LanguageReport:
    """`agents` maps each to their weeks, the oldest first; `None` there: calls of nobody known."""

    weeks: tuple[date, ...]
    agents: Mapping[str, tuple[WeekScore, ...]]
    kinds: tuple[KindCount, ...]
    waiting: tuple[FoundOnCall, ...]
    latest: tuple[FoundOnCall, ...]
    calls: int


async def language_report(
    database: Database, *, weeks: int, now: datetime, zone: ZoneInfo, agent_id: str | None, kind: str = ""
) -> LanguageReport:
    """The last `weeks` weeks with this one, of one agent if `agent_id` is given; `kind` picks the findings listed."""
    today = now.astimezone(zone).date()
    mondays = tuple(today - timedelta(days=today.weekday() + 7 * back) for back in reversed(range(weeks)))
    bounds = [datetime.combine(monday, time.min, zone) for monday in (*mondays, mondays[-1] + timedelta(weeks=1))]
    async with database.read() as session:
        counts = await count_checks(session, list(pairwise(bounds)), agent_id)
        waiting = await _on_calls(session, _waiting(agent_id))
        latest = await _on_calls(session, _latest(bounds[0], agent_id, kind))
    return LanguageReport(
        weeks=mondays,
        agents=_agents(counts, mondays),
        kinds=counts.kinds(),
        waiting=waiting,
        latest=latest,
        calls=counts.calls,
    )


def _waiting(agent_id: str | None) -> Select[LanguageFindingRow]:
    query = select(LanguageFindingRow).where(
        LanguageFindingRow.contested_at.is_not(None), LanguageFindingRow.decided_at.is_(None)
    )
    if agent_id is not None:
        query = query.join(CallRow, CallRow.id == LanguageFindingRow.call_id).where(CallRow.answered_by == agent_id)
    return query.order_by(LanguageFindingRow.contested_at, LanguageFindingRow.id).limit(MOST_WAITING)


def _latest(since: datetime, agent_id: str | None, kind: str) -> Select[LanguageFindingRow]:
    query = (
        select(LanguageFindingRow)
        .join(LanguageCheckRow, LanguageCheckRow.call_id == LanguageFindingRow.call_id)
        .where(LanguageCheckRow.heard_at >= since, LanguageFindingRow.gone_at.is_(None))
        .order_by(LanguageCheckRow.heard_at.desc(), LanguageFindingRow.start_ms)
    )
    if agent_id is not None:
        query = query.where(LanguageCheckRow.agent == agent_id)
    return (query.where(LanguageFindingRow.kind == kind) if kind else query).limit(MOST_FINDINGS)


async def _on_calls(session: AsyncSession, query: Select[LanguageFindingRow]) -> tuple[FoundOnCall, ...]:
    rows = (await session.scalars(query)).all()
    calls = await session.scalars(select(CallRow).where(CallRow.id.in_({row.call_id for row in rows})))
    by_id = {call.id: call for call in calls}
    return tuple(FoundOnCall(finding=row, call=by_id[row.call_id]) for row in rows)


def _agents(counts: LanguageCounts, mondays: Sequence[date]) -> dict[str, tuple[WeekScore, ...]]:
    """Each agent's weeks. What a supervisor overturned counts as passed."""
    weeks: dict[str, list[CallSums]] = defaultdict(lambda: [CallSums() for _ in mondays])
    for (agent, part), alike in counts.alike.items():
        weeks[agent][part] = CallSums.of(alike)
    return {agent: scored(list(zip(mondays, sums, strict=True))) for agent, sums in sorted(weeks.items())}
