"""Service language as people read it: the findings of a call, what waits for a decision, agents' weeks."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.domain.language_scores import WeekScore, scored

MOST_WAITING = 100
MOST_FINDINGS = 100


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


@dataclass(frozen=True, kw_only=True, slots=True)
class KindCount:
    """One check over a stretch of time: calls on which it could be made, calls on which it was found."""

    kind: str
    judged: int
    found: int
    overturned: int

    @property
    def share(self) -> float | None:
        return self.found / self.judged if self.judged else None


@dataclass(frozen=True, kw_only=True)
class LanguageReport:
    """`agents` maps each to their weeks, the oldest first; `None` there: calls of nobody known."""

    weeks: tuple[date, ...]
    agents: Mapping[str, tuple[WeekScore, ...]]
    kinds: tuple[KindCount, ...]
    waiting: tuple[FoundOnCall, ...]
    latest: tuple[FoundOnCall, ...]
    calls: int


@dataclass
class _Kind:
    judged: int = 0
    found: set[str] = field(default_factory=set)
    overturned: int = 0


async def language_report(
    database: Database, *, weeks: int, now: datetime, zone: ZoneInfo, agent_id: str | None, kind: str = ""
) -> LanguageReport:
    """The last `weeks` weeks with this one, of one agent if `agent_id` is given; `kind` picks the findings listed."""
    today = now.astimezone(zone).date()
    mondays = tuple(today - timedelta(days=today.weekday() + 7 * back) for back in reversed(range(weeks)))
    since = datetime.combine(mondays[0], datetime.min.time(), zone)
    async with database.read() as session:
        checks = await checks_of(session, _heard(since, None, agent_id))
        findings = await findings_of(session, _heard(since, None, agent_id))
        waiting = await _on_calls(session, _waiting(agent_id))
        latest = await _on_calls(session, _latest(since, agent_id, kind))
    return LanguageReport(
        weeks=mondays,
        agents=await asyncio.to_thread(_agents, checks, findings, mondays, zone),
        kinds=await asyncio.to_thread(kind_counts, checks, findings),
        waiting=waiting,
        latest=latest,
        calls=len(checks),
    )


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """What the counts need of a check; of a hundred thousand calls no more is read."""

    call_id: str
    agent: str | None
    heard_at: datetime
    judged: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class FoundKind:
    """What the counts need of a finding that stands."""

    call_id: str
    kind: str
    upheld: bool | None


async def checks_of(session: AsyncSession, heard: ColumnElement[bool]) -> list[CheckedCall]:
    row = LanguageCheckRow
    query = select(row.call_id, row.agent, row.heard_at, row.judged).where(heard)
    return [CheckedCall(*one) for one in await session.execute(query)]


async def findings_of(session: AsyncSession, heard: ColumnElement[bool]) -> list[FoundKind]:
    row = LanguageFindingRow
    query = select(row.call_id, row.kind, row.upheld).join(LanguageCheckRow, LanguageCheckRow.call_id == row.call_id)
    return [FoundKind(*one) for one in await session.execute(query.where(heard, row.gone_at.is_(None)))]


def _heard(since: datetime, until: datetime | None, agent_id: str | None) -> ColumnElement[bool]:
    own = LanguageCheckRow.agent == agent_id if agent_id is not None else true()
    ended = LanguageCheckRow.heard_at < until if until is not None else true()
    return and_(LanguageCheckRow.heard_at >= since, ended, own)


def heard_between(start: datetime, until: datetime) -> ColumnElement[bool]:
    """Calls of everybody that began in [start, until)."""
    return _heard(start, until, None)


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
        .where(_heard(since, None, agent_id), LanguageFindingRow.gone_at.is_(None))
        .order_by(LanguageCheckRow.heard_at.desc(), LanguageFindingRow.start_ms)
    )
    return (query.where(LanguageFindingRow.kind == kind) if kind else query).limit(MOST_FINDINGS)


async def _on_calls(session: AsyncSession, query: Select[LanguageFindingRow]) -> tuple[FoundOnCall, ...]:
    rows = (await session.scalars(query)).all()
    calls = await session.scalars(select(CallRow).where(CallRow.id.in_({row.call_id for row in rows})))
    by_id = {call.id: call for call in calls}
    return tuple(FoundOnCall(finding=row, call=by_id[row.call_id]) for row in rows)


def _agents(
    checks: Sequence[CheckedCall],
    findings: Iterable[FoundKind],
    mondays: Sequence[date],
    zone: ZoneInfo,
) -> dict[str, tuple[WeekScore, ...]]:
    """Each agent's weeks. What a supervisor overturned counts as passed."""
    stands = {(row.call_id, row.kind) for row in findings if row.upheld is not False}
    passed: dict[str, dict[date, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for check in checks:
        day = check.heard_at.astimezone(zone).date()
        failed = sum((check.call_id, kind) in stands for kind in check.judged)
        monday = day - timedelta(days=day.weekday())
        passed[check.agent or ""][monday].append((len(check.judged) - failed, len(check.judged)))
    return {
        agent: scored([(monday, by_week.get(monday, [])) for monday in mondays])
        for agent, by_week in sorted(passed.items())
    }


def kind_counts(checks: Iterable[CheckedCall], findings: Iterable[FoundKind]) -> tuple[KindCount, ...]:
    counted: dict[str, _Kind] = defaultdict(_Kind)
    for check in checks:
        for kind in check.judged:
            counted[kind].judged += 1
    for row in findings:
        if row.upheld is False:
            counted[row.kind].overturned += 1
        else:
            counted[row.kind].found.add(row.call_id)
    rows = [
        KindCount(kind=kind, judged=one.judged, found=len(one.found), overturned=one.overturned)
        for kind, one in counted.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.share or 0), row.kind)))
