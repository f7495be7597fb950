"""Edited rules of service language over past calls: what they would find that is not found now, and the reverse.

Nothing is written.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.domain.service_language import Finding, LanguageRules
from callcenter.services.check_language import CheckableCall, LanguageChecker, checkable_calls

CALLS_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A finding that only one of the two makes."""

    call_id: str
    started_at: datetime
    finding: Finding


@dataclass(kw_only=True)
class RulesTried:
    """Findings by check under the rules in force and under those tried."""

    calls: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    added: list[Difference] = field(default_factory=list)
    gone: list[Difference] = field(default_factory=list)


async def try_rules(
    database: Database, checker: LanguageChecker, tried: LanguageRules, *, since: datetime, until: datetime
) -> RulesTried:
    """Of the calls that began from `since` until before `until`."""
    found, current = RulesTried(), checker.rules()
    async with database.read() as session:
        within = select(CallRow.id).where(CallRow.started_at >= since, CallRow.started_at < until)
        ids = list(await session.scalars(within.order_by(CallRow.started_at, CallRow.id)))
    for at in range(0, len(ids), CALLS_AT_ONCE):
        async with database.read() as session:
            calls = await checkable_calls(session, ids[at : at + CALLS_AT_ONCE])
        await asyncio.to_thread(_compare, found, checker, calls, current, tried)
    return found


def _compare(
    found: RulesTried,
    checker: LanguageChecker,
    calls: list[CheckableCall],
    current: LanguageRules,
    tried: LanguageRules,
) -> None:
    for call in calls:
        before, after = (_findings(checker, call, rules) for rules in (current, tried))
        found.calls += 1
        found.before.update(one.check for one in before)
        found.after.update(one.check for one in after)
        known, now = {_key(one) for one in before}, {_key(one) for one in after}
        found.added += _differences(call, after, known)
        found.gone += _differences(call, before, now)


def _differences(call: CheckableCall, findings: tuple[Finding, ...], others: set[tuple[str, int]]) -> list[Difference]:
    return [
        Difference(call_id=call.call.id, started_at=call.call.started_at, finding=one)
        for one in findings
        if _key(one) not in others
    ]


def _findings(checker: LanguageChecker, call: CheckableCall, rules: LanguageRules) -> tuple[Finding, ...]:
    checked = checker.checked(call, rules)
    return checked.findings if checked else ()


def _key(finding: Finding) -> tuple[str, int]:
    return finding.check, finding.start_ms
