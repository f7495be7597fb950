"""Checks of service language counted by the database: calls that came out alike are one row, not thousands."""

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.reports.parts_of_time import Part, count_by_parts


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How the checks of a call came out: `judged` maps each that could be made to whether it passed."""

    judged: Mapping[str, bool]
    passed: int
    made: int

    @classmethod
    def of(cls, judged: Mapping[str, bool]) -> Self:
        return cls(judged, sum(judged.values()), len(judged))


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


@dataclass(kw_only=True, slots=True)
class LanguageCounts:
    """Findings that were overturned count as passed.

    `outcomes`: how many calls came out so. `alike`: by agent and by the part of the time, counted from 0, how many
    calls had so many checks passed and made. `overturned` by kind.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    alike: dict[tuple[str, int], Counter[tuple[int, int]]] = field(default_factory=lambda: defaultdict(Counter))
    overturned: Counter[str] = field(default_factory=Counter)

    def add(self, agent: str, part: int, outcome: Outcome, calls: int) -> None:
        self.outcomes[outcome] += calls
        self.alike[agent, part][outcome.passed, outcome.made] += calls

    @property
    def calls(self) -> int:
        return self.outcomes.total()

    def kinds(self) -> tuple[KindCount, ...]:
        """Those found most often first."""
        judged: dict[str, int] = defaultdict(int)
        found: dict[str, int] = defaultdict(int)
        for outcome, calls in self.outcomes.items():
            for kind, passed in outcome.judged.items():
                judged[kind] += calls
                found[kind] += 0 if passed else calls
        rows = [
            KindCount(kind=kind, judged=judged[kind], found=found[kind], overturned=self.overturned[kind])
            for kind in judged
        ]
        return tuple(sorted(rows, key=lambda row: (-(row.share or 0), row.kind)))


_AGENT, _JUDGED = LanguageCheckRow.agent, cast(LanguageCheckRow.judged, Text)


async def count_checks(
    session: AsyncSession, parts: Sequence[Part], agent_id: str | None = None, *, by_agent: bool = True
) -> LanguageCounts:
    """Of calls that began in one of the parts, which follow each other without a gap; of one agent or of all.

    Not `by_agent`: `alike` names none, and there are fewer rows to read.
    """
    wanted = {} if agent_id is None else {"agent": (_AGENT, agent_id)}
    columns: tuple[Any, ...] = (_AGENT, _JUDGED) if by_agent else (_JUDGED,)
    counts, outcomes = LanguageCounts(), dict[str, Outcome]()
    for number, calls, *agent, text in await count_by_parts(
        session, LanguageCheckRow.heard_at, parts, columns, **wanted
    ):
        outcome = outcomes.get(text)
        if outcome is None:
            outcome = outcomes[text] = Outcome.of(json.loads(text))
        counts.add(agent[0] or "" if agent else "", number, outcome, calls)
    for call in (await _overturned(session, parts, agent_id)).values():
        counts.overturned.update(call.overturned)
        call.correct(counts)
    return counts


@dataclass(kw_only=True)
class _TakenBack:
    """A call of which a finding was overturned; `standing`: kinds of which another finding stands."""

    agent: str
    part: int
    judged: Mapping[str, bool]
    overturned: dict[str, int]
    standing: set[str]

    def correct(self, counts: LanguageCounts) -> None:
        """One call less that failed, one more that passed."""
        freed = self.overturned.keys() - self.standing
        corrected = {kind: passed or kind in freed for kind, passed in self.judged.items()}
        if corrected != dict(self.judged):
            counts.add(self.agent, self.part, Outcome.of(self.judged), -1)
            counts.add(self.agent, self.part, Outcome.of(corrected), 1)


async def _overturned(session: AsyncSession, parts: Sequence[Part], agent_id: str | None) -> dict[str, _TakenBack]:
    """Only calls of which a supervisor took a finding back: few."""
    finding, check = LanguageFindingRow, LanguageCheckRow
    disputed = select(finding.call_id).where(finding.upheld.is_(False), finding.gone_at.is_(None))
    query = (
        select(finding.call_id, finding.kind, finding.upheld, check.agent, check.heard_at, check.judged)
        .join(check, check.call_id == finding.call_id)
        .where(check.heard_at >= parts[0][0], check.heard_at < parts[-1][1])
        .where(finding.gone_at.is_(None), finding.call_id.in_(disputed))
    )
    if agent_id is not None:
        query = query.where(check.agent == agent_id)
    ends = [end for _, end in parts]
    calls: dict[str, _TakenBack] = {}
    for call_id, kind, upheld, agent, heard_at, judged in await session.execute(query):
        number = bisect_right(ends, heard_at)
        fresh = _TakenBack(agent=agent or "", part=number, judged=judged, overturned={}, standing=set())
        call = calls.setdefault(call_id, fresh)
        if upheld is False:
            call.overturned[kind] = call.overturned.get(kind, 0) + 1
        else:
            call.standing.add(kind)
    return calls
