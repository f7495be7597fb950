"""Campaigns: whom they phone, begun, paused, gone on with, cancelled; and how far they are.

Every call of a campaign is a reminder, so that all rules of dialling hold for it. Until the campaign runs its reminders
are held; when it starts they are spread over its window at its pace, which the dialling keeps to exactly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from callcenter.db.campaigns import CampaignRow, CampaignState
from callcenter.db.engine import Database
from callcenter.db.register import RegisterResidentRow, RegisterRoomRow
from callcenter.db.reminders import Priority, ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.domain.dialling import Reason
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.recipients_file import Recipient
from callcenter.domain.tickets import Place
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import NewReminder, plan_reminder

KINDS = ("announcement", "festival_greeting")
LONGEST_TEXT = 300
PLACE_COLUMNS = ("estate", "phase", "lane", "building", "unit", "floor", "room")
ROWS_AT_ONCE = 500
WAITS = (ReminderState.WAITING.value, ReminderState.CLAIMED.value)


class CampaignRefused(Exception):
    """The campaign cannot be made or moved on like this; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCampaign:
    """`text` is what is announced; `opens_at` to `closes_at` the window; the name tells campaigns apart."""

    name: str
    kind: str
    text: str
    opens_at: datetime
    closes_at: datetime
    calls_a_minute: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a campaign is. `by_state` counts its reminders, `by_reason` those that ended without being heard.

    `done_by` is when the last waiting call leaves at this pace, None where none waits.
    """

    campaign: CampaignRow
    by_state: dict[str, int]
    by_reason: dict[str, int]
    attempts: int
    done_by: datetime | None

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


async def make_campaign(
    database: Database, new: NewCampaign, recipients: Iterable[Recipient], *, by: str, now: datetime
) -> int:
    """Writes the campaign and a held reminder a number; how many. Raises CampaignRefused and writes nothing."""
    _check(new, now)
    wanted = tuple(recipients)
    if not wanted:
        raise CampaignRefused("nobody to phone: no number in the file, or no home of the register fits the place")
    async with database.write() as session:
        if await session.scalar(select(CampaignRow.id).where(CampaignRow.name == new.name)) is not None:
            raise CampaignRefused(f"there is a campaign {new.name!r} already; choose another name")
        campaign = CampaignRow(
            name=new.name,
            kind=new.kind,
            text=new.text,
            opens_at=new.opens_at,
            closes_at=new.closes_at,
            calls_a_minute=new.calls_a_minute,
            state=CampaignState.DRAFT.value,
            created_by=by,
            created_at=now,
        )
        session.add(campaign)
        await session.flush()
        for recipient in wanted:
            await plan_reminder(session, _reminder(campaign, recipient), now=now)
    return len(wanted)


def _check(new: NewCampaign, now: datetime) -> None:
    if new.kind not in KINDS:
        raise CampaignRefused(f"kind {new.kind!r}: use one of {', '.join(KINDS)}")
    if not new.text.strip() or len(new.text) > LONGEST_TEXT:
        raise CampaignRefused(f"the text has {len(new.text)} characters; use 1 to {LONGEST_TEXT}")
    if new.opens_at >= new.closes_at or new.closes_at <= now:
        raise CampaignRefused("the window must end after it begins, and in the future")
    if new.calls_a_minute < 1:
        raise CampaignRefused("the pace must be at least one call a minute")


def _reminder(campaign: CampaignRow, recipient: Recipient) -> NewReminder:
    return NewReminder(
        kind=campaign.kind,
        topic=f"campaign:{campaign.id}:{recipient.number}",
        to_number=recipient.number,
        due_at=campaign.opens_at,
        expires_at=campaign.closes_at,
        priority=Priority.CAMPAIGN,
        campaign_id=campaign.id,
        matter={"text": campaign.text, "name": recipient.name},
        held=True,
    )


async def residents_at(database: Database, place: Place) -> tuple[Recipient, ...]:
    """Everyone of the register whose home lies in `place`: its estate, building, unit ..., as far as it names them."""
    fits = [
        getattr(RegisterRoomRow, name) == value for name in PLACE_COLUMNS if (value := getattr(place, name)) is not None
    ]
    query = (
        select(RegisterResidentRow.phone, RegisterResidentRow.name)
        .join(RegisterRoomRow, RegisterRoomRow.id == RegisterResidentRow.room_id)
        .where(RegisterResidentRow.phone.is_not(None), *fits)
        .order_by(RegisterResidentRow.id)
    )
    found: dict[str, Recipient] = {}
    async with database.read() as session:
        for phone, name in await session.execute(query):
            number = dialable(phone)
            if number is not None:
                found.setdefault(number, Recipient(number=number, name=name))
    return tuple(found.values())


async def start_campaign(database: Database, name: str, *, now: datetime, rules: FollowUpRules) -> int:
    """Begins, or goes on after a pause: what waits is spread from now on at the pace. How many calls wait."""
    async with database.write() as session:
        campaign = await _locked(session, name, from_states=(CampaignState.DRAFT, CampaignState.PAUSED))
        if campaign.closes_at <= now:
            raise CampaignRefused(f"the window of {name!r} is over")
        campaign.state, campaign.started_at = CampaignState.RUNNING.value, campaign.started_at or now
        query = select(ReminderRow.id).where(
            ReminderRow.campaign_id == campaign.id, ReminderRow.state == ReminderState.HELD.value
        )
        held = (await session.scalars(query.order_by(ReminderRow.due_at, ReminderRow.id))).all()
        begin = rules.dialling_of(campaign.kind).decent_from(max(now, campaign.opens_at))
        apart = timedelta(minutes=1) / campaign.calls_a_minute
        for first in range(0, len(held), ROWS_AT_ONCE):
            rows = [
                {
                    "id": number,
                    "due_at": begin + apart * place,
                    "state": ReminderState.WAITING.value,
                    "reason": Reason.NOT_YET_DUE.value,
                }
                for place, number in enumerate(held[first : first + ROWS_AT_ONCE], first)
            ]
            await session.execute(update(ReminderRow), rows)
        return len(held)


async def pause_campaign(database: Database, name: str) -> int:
    """Holds every call that has not been placed yet; how many."""
    async with database.write() as session:
        campaign = await _locked(session, name, from_states=(CampaignState.RUNNING,))
        campaign.state = CampaignState.PAUSED.value
        held = await session.execute(
            update(ReminderRow)
            .where(ReminderRow.campaign_id == campaign.id, ReminderRow.state.in_(WAITS))
            .values(
                state=ReminderState.HELD.value,
                reason=Reason.CAMPAIGN_HELD.value,
                claimed_by=None,
                claimed_at=None,
            )
            .returning(ReminderRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(held.all())


async def cancel_campaign(database: Database, name: str, *, now: datetime) -> int:
    """No further call of it is made; how many will not be."""
    begun = (CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED)
    async with database.write() as session:
        campaign = await _locked(session, name, from_states=begun)
        campaign.state, campaign.ended_at = CampaignState.CANCELLED.value, now
        cancelled = await session.execute(
            update(ReminderRow)
            .where(ReminderRow.campaign_id == campaign.id, ReminderRow.state.in_((*WAITS, ReminderState.HELD.value)))
            .values(state=ReminderState.CANCELLED.value, reason=Reason.CANCELLED_BY_PERSON.value, finished_at=now)
            .returning(ReminderRow.id)
            .execution_options(synchronize_session=False)
        )
        return len(cancelled.all())


async def _locked(session: AsyncSession, name: str, *, from_states: tuple[CampaignState, ...]) -> CampaignRow:
    campaign = await session.scalar(select(CampaignRow).where(CampaignRow.name == name).with_for_update())
    if campaign is None:
        raise CampaignRefused(f"there is no campaign {name!r}; `callcenter campaign status` lists them")
    if campaign.state not in from_states:
        raise CampaignRefused(f"campaign {name!r} is {campaign.state}")
    return campaign


async def campaigns(database: Database, *, limit: int = 50) -> Sequence[CampaignRow]:
    """The newest first."""
    async with database.read() as session:
        return (await session.scalars(select(CampaignRow).order_by(CampaignRow.id.desc()).limit(limit))).all()


async def progress_of(database: Database, name: str, *, now: datetime) -> Progress:
    """Raises CampaignRefused."""
    async with database.read() as session:
        campaign = await session.scalar(select(CampaignRow).where(CampaignRow.name == name))
        if campaign is None:
            raise CampaignRefused(f"there is no campaign {name!r}; `callcenter campaign status` lists them")
        mine = ReminderRow.campaign_id == campaign.id
        given_up = ReminderRow.state.in_((ReminderState.CANCELLED.value, ReminderState.HANDED_OVER.value))
        tries = select(func.count()).where(ReminderAttemptRow.campaign_id == campaign.id)
        last = await session.scalar(select(func.max(ReminderRow.due_at)).where(mine, ReminderRow.state.in_(WAITS)))
        return Progress(
            campaign=campaign,
            by_state=await _counted(session, ReminderRow.state, mine),
            by_reason=await _counted(session, ReminderRow.reason, mine, given_up),
            attempts=await session.scalar(tries) or 0,
            done_by=max(now, last) if last is not None else None,
        )


async def _counted(
    session: AsyncSession, column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> dict[str, int]:
    rows = await session.execute(select(column, func.count()).where(*conditions).group_by(column))
    return {str(value): count for value, count in rows}
