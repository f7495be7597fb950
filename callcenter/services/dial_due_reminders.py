"""One round of the schedule: what was left unfinished is settled, what is due is claimed and called."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.domain.dialling import UNCERTAIN, Action, Decision, Reason
from callcenter.ports import Clock, Dialler
from callcenter.services.dial import dial, note_hand_over
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.lines import free_lines
from callcenter.services.reminders import anything_due, claim_due, follow

log = structlog.get_logger()

CALLS_A_ROUND = 20


async def dial_due_reminders(
    database: Database,
    *,
    clock: Clock,
    dialler: Dialler,
    rules: FollowUpRules,
    claimer: str,
    limit: int = CALLS_A_ROUND,
) -> int:
    """How many reminders were claimed. `claimer` names this process (host and process id).

    A claim whose call fails in a way nobody foresaw is logged and left: the next rounds hand it to a person.
    """
    unfinished, free = await _look(database, now=clock.now(), rules=rules)
    if unfinished:
        await settle_unfinished(database, now=clock.now(), rules=rules)
        _, free = await _look(database, now=clock.now(), rules=rules)
    if not free:
        return 0
    claims = await claim_due(database, now=clock.now(), claimer=claimer, limit=min(limit, free))
    calls = (dial(database, claim, clock=clock, dialler=dialler, rules=rules) for claim in claims)
    results = await asyncio.gather(*calls, return_exceptions=True)
    for claim, result in zip(claims, results, strict=True):
        if isinstance(result, BaseException):
            log.error("call failed", reminder_id=claim.reminder_id, exc_info=result)
    return len(claims)


async def _look(database: Database, *, now: datetime, rules: FollowUpRules) -> tuple[bool, int]:
    """Whether anything was left unfinished, and how many calls could leave: none where nothing is due."""
    async with database.reader.connect() as connection:
        unfinished = await _any_unfinished(connection, now=now, rules=rules)
        due = await anything_due(connection, now=now)
        return unfinished, await free_lines(connection, rules.trunks, now=now) if due else 0


async def settle_unfinished(database: Database, *, now: datetime, rules: FollowUpRules) -> int:
    """Claims that a process left behind; how many.

    Nobody was phoned: back to waiting, soon enough for a promise. An attempt was written and the provider's answer
    was not: the phone may have rung, so a person takes over. Placed, but no end of the call came for hours: a person
    too.
    """
    async with database.write() as session:
        await session.execute(
            update(ReminderRow)
            .where(ReminderRow.state == ReminderState.CLAIMED.value, _long_ago(now, rules.claim_lapses))
            .values(state=ReminderState.WAITING.value, claimed_by=None, claimed_at=None)
        )
        left = [one for which in _ways_to_be_left(rules) for one in await _dialling(session, *which, now=now)]
        for reminder, attempt in left:
            reason = Reason.LEFT_UNFINISHED if attempt.call_id is None else Reason.OUTCOME_UNKNOWN
            attempt.outcome, attempt.ended_at = UNCERTAIN, now
            decision = Decision(action=Action.HAND_OVER, reason=reason)
            follow(reminder, decision, now=now)
            note_hand_over(session, reminder, decision, now=now)
            log.error("call left unfinished", reminder_id=reminder.id, reason=reason.value)
    return len(left)


def _long_ago(now: datetime, longer_than: timedelta) -> ColumnElement[bool]:
    """Claimed so long ago, or, where the clock has been set back since, that far in what is now the future."""
    return or_(ReminderRow.claimed_at < now - longer_than, ReminderRow.claimed_at > now + longer_than)


async def _any_unfinished(connection: AsyncConnection, *, now: datetime, rules: FollowUpRules) -> bool:
    """Looked at without a writing transaction, since there is hardly ever any; a long call is none."""
    spans = {"claimed": rules.claim_lapses, "unplaced": rules.unfinished, "unended": rules.no_outcome}
    values = {f"{name}_before": now - span for name, span in spans.items()}
    values |= {f"{name}_after": now + span for name, span in spans.items()}
    return await connection.scalar(_ANY_UNFINISHED, values) is not None


def _any_unfinished_query() -> Select[int]:
    """The same conditions as those of `settle_unfinished`, built once, since every tick asks."""
    under_way = text("reminders.state IN ('claimed', 'dialling')")  # as the partial index says it
    ways = ((ReminderAttemptRow.call_id.is_(None), "unplaced"), (ReminderAttemptRow.call_id.is_not(None), "unended"))
    left = or_(*(and_(_LAST_TRY, which, _outside(ReminderAttemptRow.at, name)) for which, name in ways))
    tries = select(ReminderAttemptRow.id).where(ReminderAttemptRow.reminder_id == ReminderRow.id, left)
    lapsed = and_(ReminderRow.state == ReminderState.CLAIMED.value, _outside(ReminderRow.claimed_at, "claimed"))
    return select(ReminderRow.id).where(under_way, or_(lapsed, tries.exists())).limit(1)


def _outside(moment: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    return or_(moment < bindparam(f"{name}_before"), moment > bindparam(f"{name}_after"))


def _ways_to_be_left(rules: FollowUpRules) -> tuple[tuple[ColumnElement[bool], timedelta], ...]:
    """Tries whose placing never came back, and those whose end was never told; and after how long."""
    return (
        (ReminderAttemptRow.call_id.is_(None), rules.unfinished),
        (ReminderAttemptRow.call_id.is_not(None), rules.no_outcome),
    )


def _left_behind(condition: ColumnElement[bool], longer_than: timedelta, *, now: datetime) -> ColumnElement[bool]:
    """The last try of a reminder that is being dialled, under way for so long."""
    long_ago = or_(ReminderAttemptRow.at < now - longer_than, ReminderAttemptRow.at > now + longer_than)
    return and_(_LAST_TRY, condition, long_ago)


_LAST_TRY = and_(
    ReminderRow.state == ReminderState.DIALLING.value,
    ReminderAttemptRow.number == ReminderRow.attempts,
    ReminderAttemptRow.outcome.is_(None),
)
_ANY_UNFINISHED = _any_unfinished_query()


async def _dialling(
    session: AsyncSession, condition: ColumnElement[bool], longer_than: timedelta, *, now: datetime
) -> list[tuple[ReminderRow, ReminderAttemptRow]]:
    query = (
        select(ReminderRow, ReminderAttemptRow)
        .join(ReminderAttemptRow, ReminderAttemptRow.reminder_id == ReminderRow.id)
        .where(_left_behind(condition, longer_than, now=now))
        .with_for_update()
    )
    return [(reminder, attempt) for reminder, attempt in (await session.execute(query)).all()]
