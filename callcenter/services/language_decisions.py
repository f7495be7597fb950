"""What supervisors decided, held against the rules: what was upheld should be found, what was overturned should not."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.language import LanguageFindingRow
from callcenter.domain.service_language import Finding, LanguageRules
from callcenter.domain.service_language.evaluation import Tally
from callcenter.services.check_language import SAME_PLACE_MS, LanguageChecker, checkable_calls

CALLS_AT_ONCE = 200


async def judge_by_decisions(database: Database, checker: LanguageChecker, rules: LanguageRules) -> dict[str, Tally]:
    """By check: `right` upheld and found, `missing` upheld and not found, `wrong` overturned and found all the same."""
    tallies: dict[str, Tally] = {}
    async with database.read() as session:
        query = select(LanguageFindingRow).where(LanguageFindingRow.decided_at.is_not(None))
        rows = (await session.scalars(query.order_by(LanguageFindingRow.call_id, LanguageFindingRow.id))).all()
    ids = list(dict.fromkeys(row.call_id for row in rows))
    for at in range(0, len(ids), CALLS_AT_ONCE):
        async with database.read() as session:
            calls = await checkable_calls(session, ids[at : at + CALLS_AT_ONCE])
        for call in calls:
            checked = await asyncio.to_thread(checker.checked, call, rules)
            decided = [row for row in rows if row.call_id == call.call.id]
            _count(tallies, decided, checked.findings if checked else ())
    return dict(sorted(tallies.items()))


def _count(tallies: dict[str, Tally], decided: Sequence[LanguageFindingRow], findings: Sequence[Finding]) -> None:
    for row in decided:
        tally = tallies.setdefault(row.kind, Tally())
        is_found = any(one.check == row.kind and abs(one.start_ms - row.start_ms) <= SAME_PLACE_MS for one in findings)
        if is_found:
            tally.right += bool(row.upheld)
            tally.wrong += not row.upheld
        else:
            tally.missing += bool(row.upheld)
        if is_found != row.upheld:
            what = "overturned, still found" if is_found else "upheld, not found"
            tally.misses.append(f"{row.call_id} {row.start_ms / 1000:.1f}s {row.words}: {what}")
