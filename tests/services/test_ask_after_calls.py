"""A call whose final event never came is asked after, and only then closed as unknown."""

from collections.abc import Sequence

from sqlalchemy import select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.rings import RingRule
from callcenter.ports import ProviderUnreachable
from callcenter.services.ask_after_calls import ask_after_calls
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from tests.conftest import SetClock
from tests.services.conftest import answered_call, happened

RULE = RingRule()


class FarEnd:
    """The provider's REST interface, as far as it tells of calls. `told` None: it knows no such call."""

    def __init__(self, told: Sequence[CallEvent] | None, *, reachable: bool = True) -> None:
        self.told = told
        self.reachable = reachable

    async def events_of(self, call_id: str) -> Sequence[CallEvent] | None:
        if not self.reachable:
            raise ProviderUnreachable("no answer")
        return self.told


async def store(database: Database, inbox: EventInbox, clock: SetClock, events: Sequence[CallEvent]) -> None:
    await inbox.store(events, received_at=clock.now())
    await fold_pending(database, RULE, now=clock.now())


async def call_row(database: Database, clock: SetClock) -> CallRow:
    await fold_pending(database, RULE, now=clock.now())
    async with database.read() as session:
        return (await session.execute(select(CallRow))).scalar_one()


async def test_lost_end_is_told_by_the_provider(database: Database, inbox: EventInbox, clock: SetClock) -> None:
    whole = answered_call()
    await store(database, inbox, clock, whole[:4])
    clock.advance(minutes=11)
    far_end = FarEnd(whole)
    assert await ask_after_calls(database, inbox, {"twilio": far_end}, now=clock.now()) == 1
    call = await call_row(database, clock)
    assert (call.disposition, call.closed_unknown, call.talk_low_ms) == ("answered", False, 50_000)


async def test_what_was_heard_already_is_not_taken_again(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    await store(database, inbox, clock, answered_call()[:4])
    clock.advance(minutes=11)
    estimate = happened(EventKind.LEG_ANSWERED, 2, leg="twilio:CA1:leg", agent="hewen")
    told = [
        CallEvent(**{**_fields(estimate), "event_id": "asked"}),
        happened(EventKind.CALL_ENDED, 60, reason="completed"),
    ]
    await ask_after_calls(database, inbox, {"twilio": FarEnd(told)}, now=clock.now())
    assert (await call_row(database, clock)).ring_low_ms == 6000


def _fields(event: CallEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in CallEvent.__slots__}


async def test_call_unknown_to_the_provider_is_closed_as_unknown(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    await store(database, inbox, clock, answered_call()[:1])
    clock.advance(minutes=11)
    await ask_after_calls(database, inbox, {"twilio": FarEnd(None)}, now=clock.now())
    call = await call_row(database, clock)
    assert (call.disposition, call.closed_unknown) == ("unknown", True)


async def test_unreachable_provider_is_asked_again_and_nothing_is_closed(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    await store(database, inbox, clock, answered_call()[:1])
    clock.advance(minutes=11)
    far_end = FarEnd(None, reachable=False)
    lookups = {"twilio": far_end}
    await ask_after_calls(database, inbox, lookups, now=clock.now())
    assert (await call_row(database, clock)).ended_at is None
    assert await ask_after_calls(database, inbox, lookups, now=clock.now()) == 0
    clock.advance(minutes=11)
    assert await ask_after_calls(database, inbox, lookups, now=clock.now()) == 1
    clock.advance(hours=6)
    await ask_after_calls(database, inbox, lookups, now=clock.now())
    assert (await call_row(database, clock)).disposition == "unknown"


async def test_long_conversation_is_not_closed_while_the_provider_says_that_it_goes_on(
    database: Database, inbox: EventInbox, clock: SetClock
) -> None:
    await store(database, inbox, clock, answered_call()[:4])
    lookups = {"twilio": FarEnd([])}
    for _ in range(6):
        clock.advance(hours=2)
        await ask_after_calls(database, inbox, lookups, now=clock.now())
        assert (await call_row(database, clock)).ended_at is None
    clock.advance(hours=13)
    await ask_after_calls(database, inbox, lookups, now=clock.now())
    assert (await call_row(database, clock)).closed_unknown


async def test_at_start_every_open_call_is_asked_after(database: Database, inbox: EventInbox, clock: SetClock) -> None:
    await store(database, inbox, clock, answered_call()[:4])
    far_end = FarEnd([happened(EventKind.LEG_INITIATED, 3, leg="twilio:CA1:leg", agent="hewen")])
    assert await ask_after_calls(database, inbox, {"twilio": far_end}, now=clock.now()) == 0
    assert await ask_after_calls(database, inbox, {"twilio": far_end}, now=clock.now(), at_start=True) == 1
    assert (await call_row(database, clock)).ended_at is None
