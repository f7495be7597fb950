"""The lines out: how many calls each trunk carries at this moment, and whether one more may leave.

Counted from the attempts' rows under a lock held to the end of the transaction that writes the next one, so that two
schedulers never put more on a trunk than it may carry.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from callcenter.db.campaigns import CampaignRow
from callcenter.db.reminders import ReminderAttemptRow
from callcenter.domain.trunks import PACE_WINDOW, Trunk
from callcenter.services.transactions import take_turns


async def free_lines(connection: AsyncConnection, trunks: Sequence[Trunk], *, now: datetime) -> int:
    """How many calls could leave now."""
    return sum([await _room(connection, trunk, now=now) for trunk in trunks])


async def free_trunk(session: AsyncSession, trunks: Sequence[Trunk], *, now: datetime) -> Trunk | None:
    """The trunk with the most room, held for this transaction; None where all are full."""
    await take_turns(session, "trunks")
    rooms = [(await _room(session, trunk, now=now), trunk) for trunk in trunks]
    room, trunk = max(rooms, key=lambda one: one[0])
    return trunk if room else None


_OF_TRUNK = select(func.count()).where(ReminderAttemptRow.trunk == bindparam("trunk"))
_UNDER_WAY = _OF_TRUNK.where(ReminderAttemptRow.outcome.is_(None)).scalar_subquery()
_RECENT = _OF_TRUNK.where(
    ReminderAttemptRow.at > bindparam("since"), ReminderAttemptRow.at < bindparam("until")
).scalar_subquery()
_BUSY = select(_UNDER_WAY, _RECENT)


async def _room(session: AsyncSession | AsyncConnection, trunk: Trunk, *, now: datetime) -> int:
    values = {"trunk": trunk.name, "since": now - PACE_WINDOW, "until": now + PACE_WINDOW}
    under_way, recent = (await session.execute(_BUSY, values)).one()
    return trunk.room(under_way=under_way, in_the_last_minute=recent)


async def campaign_free_from(session: AsyncSession, campaign: CampaignRow, *, now: datetime) -> datetime:
    """When the campaign's pace lets its next call leave; `now` where it does already. Held for this transaction."""
    await take_turns(session, f"campaign:{campaign.id}")
    query = (
        select(ReminderAttemptRow.at)
        .where(
            ReminderAttemptRow.campaign_id == campaign.id,
            ReminderAttemptRow.at > now - PACE_WINDOW,
            ReminderAttemptRow.at < now + PACE_WINDOW,
        )
        .order_by(ReminderAttemptRow.at.desc())
        .limit(campaign.calls_a_minute)
    )
    recent = (await session.scalars(query)).all()
    return max(now, recent[-1] + PACE_WINDOW) if len(recent) >= campaign.calls_a_minute else now
