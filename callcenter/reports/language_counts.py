"""Checks of service language counted by the database: calls that came out alike are one row, not thousands."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.reports.parts_of_time import part_of


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedAlike:
    """`calls` calls of one agent in one part of the time whose checks came out alike; overturned ones as passed.

    `judged` maps each check that could be made to whether it passed; `part` counts from 0.
    """

    agent: str
    part: int
    judged: Mapping[str, bool]
    calls: int

    @property
    def passed(self) -> int:
        return sum(self.judged.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class KindCount:
    """One check over a stretch of time: calls on which it could be made, calls on which it was found.

    `overturned`: findings that a supervisor took back.
    """

    kind: str
    judged: int
    found: int
    overturned: int

    @property
    def share(self) -> float | None:
        return self.found / self.judged if self.judged else None


@dataclass(frozen=True, kw_only=True, slots=True)
class LanguageCounts:
    """`overturned` by kind."""

    alike: tuple[CheckedAlike, ...]
    overturned: Mapping[str, int]

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.alike)

    def kinds(self) -> tuple[KindCount, ...]:
        """Those found most often first."""
        judged: dict[str, int] = defaultdict(int)
        found: dict[str, int] = defaultdict(int)
        for one in self.alike:
            for kind, passed in one.judged.items():
                judged[kind] += one.calls
                found[kind] += 0 if passed else one.calls
        rows = [
            KindCount(kind=kind, judged=judged[kind], found=found[kind], overturned=self.overturned.get(kind, 0))
            for kind in judged
        ]
        return tuple(sorted(rows, key=lambda row: (-(row.share or 0), row.kind)))


def heard_between(start: datetime, until: datetime | None = None, agent_id: str | None = None) -> ColumnElement[bool]:
    """Calls that began in [start, until), of one agent or of everybody."""
    row = LanguageCheckRow
    ended = row.heard_at < until if until is not None else true()
    own = row.agent == agent_id if agent_id is not None else true()
    return and_(row.heard_at >= start, ended, own)


async def count_checks(
    session: AsyncSession, heard: ColumnElement[bool], cuts: Sequence[datetime] = ()
) -> LanguageCounts:
    """`cuts`, ascending: where one part of the time ends and the next one begins."""
    row = LanguageCheckRow
    part = part_of(row.heard_at, cuts)
    columns = (row.agent, part.label("part"), cast(row.judged, Text).label("outcome"))
    query = select(*columns, func.count().label("calls")).where(heard).group_by(row.agent, "part", "outcome")
    rows = (await session.execute(query)).all()
    parsed = {text: json.loads(text) for text in {one.outcome for one in rows}}
    alike = [
        CheckedAlike(agent=one.agent or "", part=one.part, judged=parsed[one.outcome], calls=one.calls) for one in rows
    ]
    overturned = await _overturned(session, heard, part)
    taken_back: dict[str, int] = defaultdict(int)
    for call in overturned.values():
        for kind, times in call.overturned.items():
            taken_back[kind] += times
        alike += call.corrections()
    return LanguageCounts(alike=tuple(alike), overturned=taken_back)


@dataclass(kw_only=True)
class _TakenBack:
    """A call of which a finding was overturned; `standing`: kinds of which another finding stands."""

    agent: str
    part: int
    judged: Mapping[str, bool]
    overturned: dict[str, int]
    standing: set[str]

    def corrections(self) -> Iterable[CheckedAlike]:
        """One call less that failed, one more that passed."""
        freed = self.overturned.keys() - self.standing
        corrected = {kind: passed or kind in freed for kind, passed in self.judged.items()}
        if corrected != dict(self.judged):
            yield CheckedAlike(agent=self.agent, part=self.part, judged=self.judged, calls=-1)
            yield CheckedAlike(agent=self.agent, part=self.part, judged=corrected, calls=1)


async def _overturned(
    session: AsyncSession, heard: ColumnElement[bool], part: ColumnElement[Any]
) -> dict[str, _TakenBack]:
    """Only calls of which a supervisor took a finding back: few."""
    finding, check = LanguageFindingRow, LanguageCheckRow
    disputed = select(finding.call_id).where(finding.upheld.is_(False), finding.gone_at.is_(None))
    query = (
        select(finding.call_id, finding.kind, finding.upheld, check.agent, part.label("part"), check.judged)
        .join(check, check.call_id == finding.call_id)
        .where(heard, finding.gone_at.is_(None), finding.call_id.in_(disputed))
    )
    calls: dict[str, _TakenBack] = {}
    for call_id, kind, upheld, agent, number, judged in await session.execute(query):
        fresh = _TakenBack(agent=agent or "", part=number, judged=judged, overturned={}, standing=set())
        call = calls.setdefault(call_id, fresh)
        if upheld is False:
            call.overturned[kind] = call.overturned.get(kind, 0) + 1
        else:
            call.standing.add(kind)
    return calls
