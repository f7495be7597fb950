"""Events stored at one go are the rows that the ORM would have written, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_values, insert_events, store_events
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Moment

MOMENTS = (
    datetime(2026, 11, 24, 2, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=8))),
    datetime(999, 1, 2, 23, 59, 59, 999_999, tzinfo=UTC),
)


def event(name: str, at: datetime, **data: object) -> CallEvent:
    return CallEvent(
        event_id=name,
        provider="twilio",
        call_id="twilio:CA1",
        kind=EventKind.LEG_RINGING,
        at=Moment.exactly(at),
        leg_id=None,
        data=data,
    )


async def rows(database: Database) -> list[tuple[object, ...]]:
    row = CallEventRow
    query = select(row.event_id, row.earliest, row.latest, row.received_at, row.leg_id, row.data, row.folded)
    async with database.read() as session:
        return [tuple(found) for found in await session.execute(query.order_by(row.id))]


@pytest.mark.parametrize("at", MOMENTS)
async def test_as_the_orm_writes_them(database: Database, at: datetime) -> None:
    said = {"agent": "何雯", "rings": 3, "seconds": 1.0, "is_ours": True, "keys": [["menu", "1"]], "quoted": '"\\/\n'}
    values = [event_values(event(name, at, **said), at) for name in ("a", "b")]
    await store_events(database, values[:1])
    async with database.writer.begin() as connection:
        await insert_events(connection, values[1:])
    first, second = await rows(database)
    assert first[1:] == second[1:]
    assert first[1] == at
    assert first[5] == said


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    values = event_values(event("a", MOMENTS[0]), MOMENTS[0]) | {"received_at": MOMENTS[0].replace(tzinfo=None)}
    if database.is_sqlite:
        with pytest.raises(ValueError, match="naive time"):
            await store_events(database, [values])
    assert await rows(database) == []


async def test_what_is_there_already_stays_as_it_is(database: Database) -> None:
    values = [event_values(event("a", at, number=number), at) for number, at in enumerate(MOMENTS)]
    await store_events(database, values)
    await store_events(database, values[1:])
    assert [found[5] for found in await rows(database)] == [{"number": 0}]


async def test_one_that_cannot_be_stored_leaves_none_of_them(database: Database) -> None:
    good, bad = (event_values(event(name, MOMENTS[0]), MOMENTS[0]) for name in ("a", "b"))
    with pytest.raises(IntegrityError):
        await store_events(database, [good, bad | {"provider": None}])
    assert await rows(database) == []
    await store_events(database, [good])
    assert len(await rows(database)) == 1
