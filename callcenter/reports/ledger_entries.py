"""A month's calls as lines of the ledger, read in stretches so that a million of them need no more memory than one."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.reports.call_scope import Scope

A_STRETCH = 1000


async def entries(session: AsyncSession, scope: Scope, *, stretch: int = A_STRETCH) -> AsyncIterator[dict[str, Any]]:
    """Every call of the scope in the order in which they began. No resident's number: the call's id leads to it."""
    last: CallRow | None = None
    while True:
        query = select(CallRow).where(scope.condition).order_by(CallRow.started_at, CallRow.id).limit(stretch)
        if last is not None:
            same = and_(CallRow.started_at == last.started_at, CallRow.id > last.id)
            query = query.where(or_(CallRow.started_at > last.started_at, same))
        calls = (await session.scalars(query)).all()
        legs = await _legs(session, [call.id for call in calls])
        for call in calls:
            yield _entry(call, legs[call.id])
        if len(calls) < stretch:
            return
        last = calls[-1]
        session.expunge_all()


async def _legs(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, list[CallLegRow]]:
    by_call: dict[str, list[CallLegRow]] = defaultdict(list)
    query = select(CallLegRow).where(CallLegRow.call_id.in_(call_ids)).order_by(CallLegRow.leg_id)
    for leg in await session.scalars(query):
        by_call[leg.call_id].append(leg)
    return by_call


def _entry(call: CallRow, legs: Sequence[CallLegRow]) -> dict[str, Any]:
    return {
        "call": call.id,
        "started_at": call.started_at.isoformat(),
        "answered_at": _iso(call.answered_at),
        "ended_at": _iso(call.ended_at),
        "to": call.to_number,
        "disposition": call.disposition,
        "answered_by": call.answered_by,
        "verdict": call.verdict,
        "rule": call.rule,
        "rings": _pair(call.rings_low, call.rings_high),
        "ring_ms": _pair(call.ring_low_ms, call.ring_high_ms),
        "answer_speed_ms": _pair(call.answer_speed_low_ms, call.answer_speed_high_ms),
        "talk_ms": _pair(call.talk_low_ms, call.talk_high_ms),
        "hold_ms": _pair(call.hold_low_ms, call.hold_high_ms),
        "wrap_up_ms": _pair(call.wrap_up_low_ms, call.wrap_up_high_ms),
        "transferred": call.transferred,
        "hung_up_by": call.hung_up_by,
        "legs": [
            {
                "leg": leg.leg_id,
                "agent": leg.agent,
                "outcome": leg.outcome,
                "verdict": leg.verdict,
                "ringing_at": _iso(leg.ringing_at),
                "ring_ms": _pair(leg.ring_low_ms, leg.ring_high_ms),
            }
            for leg in legs
        ],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _pair(low: int | None, high: int | None) -> list[int] | None:
    return [low, high] if low is not None and high is not None else None
