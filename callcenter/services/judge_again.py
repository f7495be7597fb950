"""Judges calls anew when the ring rule has changed, and keeps what the old rule made of them.

The measured ringing stands in the rows, so no event is read again and nothing follows from it: a call that was missed
under the old rule has been called back long ago.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallJudgementRow, CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.domain.calls import LegOutcome
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, RingRule, judged_again
from callcenter.services.transactions import take_turns

CALLS_A_TRANSACTION = 100


async def judge_some(database: Database, rule: RingRule, *, now: datetime) -> int:
    """Judges finished calls of other rules, as many as one transaction takes; zero: none are left."""
    # Not "!=": an index on the rule answers these two, so that asking costs nothing when all are judged.
    others = or_(CallRow.rule < rule.version, CallRow.rule > rule.version)
    query = select(CallRow).where(others, CallRow.ended_at.is_not(None)).limit(CALLS_A_TRANSACTION)
    async with database.write() as session:
        await take_turns(session, "fold calls")
        calls = (await session.scalars(query)).all()
        legs = await _legs(session, [call.id for call in calls])
        for call in calls:
            await keep_judgement(session, call, legs[call.id], rule, now=now)
            _judge(call, legs[call.id], rule)
    return len(calls)


async def _legs(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, list[CallLegRow]]:
    by_call: dict[str, list[CallLegRow]] = defaultdict(list)
    for leg in await session.scalars(select(CallLegRow).where(CallLegRow.call_id.in_(call_ids))):
        by_call[leg.call_id].append(leg)
    return by_call


async def keep_judgement(
    session: AsyncSession, call: CallRow, legs: Sequence[CallLegRow], rule: RingRule, *, now: datetime
) -> None:
    """Keeps what stands in the rows if another, known rule than this one put it there."""
    if call.rule in ("", rule.version) or call.ended_at is None:
        return
    kept: list[Any] = [[leg.leg_id, leg.verdict, leg.rings_low, leg.rings_high] for leg in legs]
    await session.merge(
        CallJudgementRow(
            call_id=call.id,
            rule=call.rule,
            disposition=call.disposition,
            verdict=call.verdict,
            rings_low=call.rings_low,
            rings_high=call.rings_high,
            legs=sorted(kept),
            replaced_at=now,
        )
    )


def _judge(call: CallRow, legs: Sequence[CallLegRow], rule: RingRule) -> None:
    judged = judged_again(Disposition(call.disposition), _span(call), rule)
    call.disposition = judged.disposition.value
    call.verdict = judged.verdict.value if judged.verdict else None
    call.rings_low, call.rings_high = judged.rings or (None, None)
    call.rule = rule.version
    for leg in legs:
        ring = _span(leg)
        leg.rings_low, leg.rings_high = rule.rings_heard(ring) if ring else (None, None)
        leg.verdict = rule.verdict(ring).value if ring and leg.outcome == LegOutcome.ANSWERED else None


def _span(row: CallRow | CallLegRow) -> Span | None:
    if row.ring_low_ms is None or row.ring_high_ms is None:
        return None
    return Span(low_ms=row.ring_low_ms, high_ms=row.ring_high_ms)
