"""Calls whose final event never came: the provider is asked, and only then are they closed as unknown.

A resident who hangs up early sometimes leaves no final event, and events are lost while we are down. What the
provider knows is stored as the events that it should have sent; only what we have not heard already is taken.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Moment
from callcenter.ports import CallLookup, ProviderUnreachable
from callcenter.services.inbox import EventInbox, NotStored

log = structlog.get_logger()

QUIET_MINUTES = 10
"""A call without news for so long is asked after, and again each time as long has passed."""
GIVE_UP_HOURS = 6
"""A call that the provider will not say anything about for so long is closed as unknown."""
LONGEST_CALL_HOURS = 24
"""The provider ends a call after so long at the latest."""
AT_ONCE = 200


async def ask_after_calls(
    database: Database, inbox: EventInbox, lookups: Mapping[str, CallLookup], *, now: datetime, at_start: bool = False
) -> int:
    """Asks after every open call that has been quiet (all of them `at_start`); how many were asked after."""
    calls = await _open_calls(database, now, at_start=at_start)
    for call in calls:
        try:
            await _ask(database, inbox, lookups.get(call.provider), call, now)
        except NotStored:
            log.warning("the provider's answer could not be stored; asking again later", call_id=call.id)
        except (KeyError, TypeError, ValueError):
            log.exception("the provider's answer cannot be read", call_id=call.id)
    return len(calls)


async def _open_calls(database: Database, now: datetime, *, at_start: bool) -> Sequence[CallRow]:
    quiet_since = now - timedelta(minutes=QUIET_MINUTES)
    query = select(CallRow).where(CallRow.ended_at.is_(None)).order_by(CallRow.last_event_at).limit(AT_ONCE)
    if not at_start:
        query = query.where(
            CallRow.last_event_at < quiet_since,
            or_(CallRow.last_asked_at.is_(None), CallRow.last_asked_at < quiet_since),
        )
    async with database.read() as session:
        return list((await session.execute(query)).scalars())


async def _ask(database: Database, inbox: EventInbox, lookup: CallLookup | None, call: CallRow, now: datetime) -> None:
    unreachable = False
    told: Sequence[CallEvent] | None = None
    try:
        told = await lookup.events_of(call.id) if lookup else None
    except ProviderUnreachable as error:
        log.warning("provider cannot be asked after a call", call_id=call.id, error=str(error))
        unreachable = True
    news = await _not_heard_yet(database, call.id, told or ())
    silent_for = now - call.last_event_at
    ended = any(event.kind is EventKind.CALL_ENDED for event in told or ())
    if not ended and silent_for > _patience(goes_on=told is not None, unreachable=unreachable):
        log.warning("call closed as unknown", call_id=call.id)
        news.append(_closed_unknown(call, now))
    async with database.write() as session:
        await session.execute(update(CallRow).where(CallRow.id == call.id).values(last_asked_at=now))
    await inbox.store(news, received_at=now)


def _patience(*, goes_on: bool, unreachable: bool) -> timedelta:
    """How long a call may be without news: as long as calls can last while the provider says that it goes on."""
    if goes_on:
        return timedelta(hours=LONGEST_CALL_HOURS)
    return timedelta(hours=GIVE_UP_HOURS) if unreachable else timedelta(minutes=QUIET_MINUTES)


async def _not_heard_yet(database: Database, call_id: str, told: Sequence[CallEvent]) -> list[CallEvent]:
    """An edge that the provider reported in its own time stays; its later account of it is not taken as well."""
    async with database.read() as session:
        found = await session.execute(
            select(CallEventRow.leg_id, CallEventRow.kind, CallEventRow.data).where(CallEventRow.call_id == call_id)
        )
        heard = {_edge(row.leg_id, row.kind, row.data) for row in found}
    return [event for event in told if _edge(event.leg_id, event.kind.value, event.data) not in heard]


def _edge(leg_id: str | None, kind: str, data: Mapping[str, object]) -> tuple[str | None, str, object]:
    return leg_id, kind, data.get("recording_id")


def _closed_unknown(call: CallRow, now: datetime) -> CallEvent:
    return CallEvent(
        event_id=f"{call.id}:closed_unknown",
        provider=call.provider,
        call_id=call.id,
        kind=EventKind.CALL_CLOSED_UNKNOWN,
        at=Moment.exactly(now),
    )
