"""Sends the notices that were written for our own people; what fails is tried again and shown.

A process that dies while it sends leaves a claim behind; after a while the notice is sent again: told twice is better
than not told.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import literal_column, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow, NoticeRow, NoticeState
from callcenter.ports import Clock, Notice, Notifier, NotTold
from callcenter.services.transactions import is_postgresql

log = structlog.get_logger()

A_ROUND = 20
TRIES = 8
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=30)
UNFINISHED = timedelta(minutes=5)
_UNSENT = text("state IN ('waiting', 'sending')")  # as the partial index says it


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claimed:
    notice_id: int
    person: str
    channel: int
    notice: Notice


async def send_notices(database: Database, *, clock: Clock, notifier: Notifier, claimer: str) -> int:
    """How many were sent or tried. `claimer` names this process."""
    claimed = await _claim(database, now=clock.now(), claimer=claimer)
    sent = await asyncio.gather(
        *(_send(database, one, clock=clock, notifier=notifier) for one in claimed), return_exceptions=True
    )
    for one, result in zip(claimed, sent, strict=True):
        if isinstance(result, BaseException):
            log.error("notice failed", notice_id=one.notice_id, exc_info=result)
    return len(claimed)


async def _claim(database: Database, *, now: datetime, claimer: str) -> list[_Claimed]:
    waiting = NoticeRow.state == literal_column("'waiting'")
    long_ago = or_(NoticeRow.claimed_at < now - UNFINISHED, NoticeRow.claimed_at > now + UNFINISHED)
    left_behind = (NoticeRow.state == literal_column("'sending'")) & long_ago
    due = select(NoticeRow.id).where(_UNSENT, NoticeRow.next_at <= now, or_(waiting, left_behind)).limit(A_ROUND)
    async with database.read() as session:
        if (await session.scalars(due.limit(1))).first() is None:
            return []
    async with database.write() as session:
        await _drop_needless(session)
        due = due.order_by(NoticeRow.next_at)
        if is_postgresql(session):
            due = due.with_for_update(skip_locked=True)
        chosen = due.cte("chosen")
        taken = await session.execute(
            update(NoticeRow)
            .where(NoticeRow.id.in_(select(chosen.c.id)), or_(waiting, left_behind))
            .values(state=NoticeState.SENDING.value, claimed_by=claimer, claimed_at=now)
            .returning(
                NoticeRow.id, NoticeRow.person, NoticeRow.channel, NoticeRow.title, NoticeRow.body, NoticeRow.urgent
            )
            .execution_options(synchronize_session=False)
        )
        return [
            _Claimed(
                notice_id=row.id,
                person=row.person,
                channel=row.channel,
                notice=Notice(title=row.title, body=row.body, urgent=row.urgent),
            )
            for row in taken
        ]


async def _drop_needless(session: AsyncSession) -> None:
    """What waits for another try, and was acknowledged or is over meanwhile, is not sent any more."""
    over = select(EscalationRow.id).where(
        or_(EscalationRow.acknowledged_at.is_not(None), EscalationRow.ended_at.is_not(None))
    )
    await session.execute(
        update(NoticeRow)
        .where(NoticeRow.state == literal_column("'waiting'"), NoticeRow.escalation_id.in_(over))
        .values(state=NoticeState.DROPPED.value)
        .execution_options(synchronize_session=False)
    )


async def _send(database: Database, claimed: _Claimed, *, clock: Clock, notifier: Notifier) -> None:
    error: str | None = None
    try:
        await notifier.tell(claimed.person, claimed.channel, claimed.notice)
    except NotTold as failure:
        error = str(failure)
        log.warning("notice not delivered", notice_id=claimed.notice_id, person=claimed.person, error=error)
    now = clock.now()
    async with database.write() as session:
        row = await session.get_one(NoticeRow, claimed.notice_id, with_for_update=True)
        row.attempts += 1
        row.error = error
        row.claimed_by = row.claimed_at = None
        if error is None:
            row.state, row.sent_at = NoticeState.SENT.value, now
        elif row.attempts >= TRIES:
            row.state = NoticeState.FAILED.value
        else:
            row.state = NoticeState.WAITING.value
            row.next_at = now + min(FIRST_RETRY * 2 ** (row.attempts - 1), LONGEST_RETRY)
