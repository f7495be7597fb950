"""What is kept of a day gives the same figures as its calls, whatever happens to them afterwards."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select, update

from callcenter.db.calls import CallRow
from callcenter.db.day_sums import CountChangeRow, DaySumRow, MonthSumRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_values
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.counted_calls import Counting
from callcenter.domain.moments import Clock, Moment
from callcenter.domain.packed_tallies import PackedTally
from callcenter.domain.periods import PeriodKind, period_of
from callcenter.domain.rings import RingRule
from callcenter.domain.tallies import Tally
from callcenter.reports import count_days
from callcenter.reports.call_scope import Scope
from callcenter.reports.count_days import count_some_days, days_to_count
from callcenter.reports.counted import count_calls
from callcenter.reports.day_sums import packed, read_parts, read_tallies, together, total_of
from callcenter.reports.verify_days import verify_days, wrong_months
from callcenter.services.fold_calls import fold_pending
from callcenter.services.judge_again import judge_some
from tests.conftest import SetClock
from tests.reports import plain_sql
from tests.reports.hotline import random_stories, store
from tests.reports.plain_contacts import read_contacts
from tests.web.factory import Story, save, ticket

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
COUNTING = Counting(zone=SHANGHAI, in_time_ms=15_000)
RULE = RingRule()
DAYS = 3
SCOPE = Scope(start=START, end=START + timedelta(days=5))
ESTATES = ("翠湖花园", "锦绣里", None)


async def a_hotline(database: Database, clock: SetClock, seed: int, *, calls: int = 40) -> list[Story]:
    """Three days of calls, most with a ticket of one of two estates, some of them repeats, some promises."""
    dice = random.Random(seed)
    stories = sorted(random_stories(seed, START, calls=calls, hours=72), key=lambda one: one.at)
    await store(database, stories, RULE, clock.now())
    rows: list[Any] = []
    for number, story in enumerate(stories, 1):
        if dice.random() < 0.6:
            columns = {"estate": dice.choice(ESTATES), "no_action_reason": dice.choice((None, None, "praise"))}
            rows.append(ticket(number, f"GD-{number}", story.call_id, story.at, **columns))
            rows.append(TicketCallRow(ticket_id=number, call_id=story.call_id, relation="first"))
            due = story.at + timedelta(hours=dice.randrange(30))
            met = dice.choice((None, due - timedelta(minutes=5), due + timedelta(minutes=5)))
            rows.append(promise(number, due, met))
        elif rows:
            known = dice.choice([row for row in rows if isinstance(row, TicketRow)])
            rows.append(TicketCallRow(ticket_id=known.id, call_id=story.call_id, relation="repeat"))
    await save(database, *rows)
    return stories


def promise(ticket_id: int, due: datetime, met: datetime | None = None) -> TicketDeadlineRow:
    return TicketDeadlineRow(
        ticket_id=ticket_id, kind="promise", basis="call_back", due_at=due, met_at=met, evidence=[]
    )


async def count_all(database: Database, clock: SetClock) -> None:
    while await count_some_days(database, COUNTING, now=clock.now()):
        continue


async def marks(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(CountChangeRow)) or 0


async def kept_and_true(database: Database, clock: SetClock, scope: Scope = SCOPE) -> tuple[str, str]:
    """The figures as the pages read them, and as counting every call gives them."""
    async with database.read() as session:
        read = await read_tallies(session, scope, COUNTING, now=clock.now())
        true = await count_calls(session, scope, COUNTING, now=clock.now())
    return packed(read), packed(true)


async def check(database: Database, clock: SetClock) -> Tally:
    """Whole, by part, by number, by estate, by agent: as the calls give them, and as plain SQL does."""
    kept, true = await kept_and_true(database, clock)
    assert kept == true
    now = clock.now()
    async with database.read() as session:
        tally = total_of(await read_tallies(session, SCOPE, COUNTING, now=now))
        assert tally.figures() == await plain_sql.read_figures(session, SCOPE, in_time_ms=15_000)
        assert tally.contacts() == await read_contacts(session, SCOPE, now=now)
        parts = period_of(PeriodKind.WEEK, START + timedelta(hours=12), SHANGHAI).parts()
        week = Scope(start=parts[0].start, end=parts[-1].end)
        whole, by_part = await read_parts(session, week, parts, COUNTING, now=now)
        assert total_of(whole).figures() == await plain_sql.read_figures(session, week, in_time_ms=15_000)
        by_day = [one.figures() for one in by_part]
        assert by_day == await plain_sql.figures_of_parts(session, week, parts, in_time_ms=15_000)
    estates = tally.estates()
    assert sum(one.figures.offered for one in estates) == tally.figures().offered
    assert sum(one.contacts.matters for one in estates) == tally.contacts().matters
    return tally


@pytest.mark.parametrize("seed", range(3))
async def test_kept_days_give_the_figures_of_their_calls(database: Database, clock: SetClock, seed: int) -> None:
    await a_hotline(database, clock, seed)
    before = await check(database, clock)
    await count_all(database, clock)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(DaySumRow)) == DAYS
        assert await days_to_count(session, COUNTING, now=clock.now()) == []
    assert await marks(database) == 0
    after = await check(database, clock)
    assert PackedTally.of(after).as_json() == PackedTally.of(before).as_json()
    clock.advance(days=4, hours=9)  # the seven days of some of these calls are over, in the middle of one of the days
    await check(database, clock)
    clock.advance(days=10)
    settled = await check(database, clock)
    assert settled.contacts().open_matters == 0 < before.contacts().open_matters


async def an_event_comes_late(database: Database, story: Story, clock: SetClock) -> None:
    late = CallEvent(
        event_id=f"late-{story.call_id}",
        provider="twilio",
        call_id=story.call_id,
        leg_id="late-leg",
        kind=EventKind.LEG_ENDED,
        at=Moment.exactly(story.at + timedelta(seconds=30), Clock.PROVIDER),
        data={"agent": "li", "reason": "busy", "sip_code": 603},
    )
    async with database.write() as session:
        session.add(CallEventRow(**event_values(late, clock.now())))
    await fold_pending(database, RULE, now=clock.now())


async def it_began_a_day_earlier(database: Database, story: Story, clock: SetClock) -> None:
    async with database.write() as session:
        call = await session.get_one(CallRow, story.call_id)
        call.started_at -= timedelta(days=1)


async def the_rule_changes(database: Database, _: Story, clock: SetClock) -> None:
    rule = RingRule(cycle_ms=2000, rings=2)
    while await judge_some(database, rule, now=clock.now()):
        continue


async def the_estate_is_corrected(database: Database, story: Story, _: SetClock) -> None:
    async with database.write() as session:
        mine = select(TicketCallRow.ticket_id).where(TicketCallRow.call_id == story.call_id)
        await session.execute(update(TicketRow).where(TicketRow.id.in_(mine)).values(estate="星河湾"))


async def the_resident_calls_again(database: Database, story: Story, clock: SetClock) -> None:
    again = Story(call_id="CA-again", at=clock.now() - timedelta(minutes=5))
    await store(database, [again], RULE, clock.now())
    async with database.write() as session:
        mine = await session.scalar(select(TicketCallRow.ticket_id).where(TicketCallRow.call_id == story.call_id))
        session.add(TicketCallRow(ticket_id=mine, call_id="CA-again", relation="repeat"))


async def it_is_merged(database: Database, story: Story, _: SetClock) -> None:
    async with database.write() as session:
        first, *_, last = (await session.scalars(select(TicketRow).order_by(TicketRow.id))).all()
        links = update(TicketCallRow).where(TicketCallRow.ticket_id == first.id)
        await session.execute(links.values(ticket_id=last.id, relation="merged"))
        first.merged_into = last.id


async def the_promise_is_kept_late(database: Database, _: Story, clock: SetClock) -> None:
    async with database.write() as session:
        await session.execute(update(TicketDeadlineRow).values(met_at=clock.now()))


async def a_promise_is_taken_back(database: Database, _: Story, clock: SetClock) -> None:
    async with database.write() as session:
        first = await session.scalar(select(func.min(TicketDeadlineRow.id)))
        await session.execute(delete(TicketDeadlineRow).where(TicketDeadlineRow.id == first))


async def they_called_about_something_else(database: Database, _: Story, __: SetClock) -> None:
    async with database.write() as session:
        await session.execute(delete(TicketCallRow).where(TicketCallRow.relation == "repeat"))


Change = Callable[[Database, Story, SetClock], Awaitable[None]]
CHANGES = (
    an_event_comes_late,
    it_began_a_day_earlier,
    the_rule_changes,
    the_estate_is_corrected,
    the_resident_calls_again,
    it_is_merged,
    the_promise_is_kept_late,
    a_promise_is_taken_back,
    they_called_about_something_else,
)


async def test_whatever_changes_afterwards_is_in_the_figures_at_once(database: Database, clock: SetClock) -> None:
    stories = await a_hotline(database, clock, 7)
    async with database.read() as session:
        first = (await session.scalars(select(TicketRow).order_by(TicketRow.id))).first()
    assert first is not None
    story = next(one for one in stories if one.call_id == first.first_call_id)
    await count_all(database, clock)
    for change in CHANGES:
        before, _ = await kept_and_true(database, clock)
        await change(database, story, clock)
        assert await marks(database) > 0, change.__name__
        after, true = await kept_and_true(database, clock)
        assert after == true, change.__name__
        assert after != before, f"{change.__name__} changes something"
        await count_all(database, clock)
        assert await kept_and_true(database, clock) == (true, true), change.__name__
        assert await marks(database) == 0


async def test_what_changes_while_a_day_is_counted_is_counted_again(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = await a_hotline(database, clock, 11)
    await count_all(database, clock)
    await the_estate_is_corrected(database, stories[0], clock)

    async def slowly(*args: Any, **more: Any) -> Any:
        counted = await count_calls(*args, **more)
        await the_rule_changes(database, stories[0], clock)
        return counted

    monkeypatch.setattr(count_days, "count_calls", slowly)
    assert await count_some_days(database, COUNTING, now=clock.now()) > 0
    monkeypatch.undo()
    kept, true = await kept_and_true(database, clock)
    assert kept == true
    await count_all(database, clock)
    assert await kept_and_true(database, clock) == (true, true)


async def test_of_two_that_count_at_once_one_keeps_it(database: Database, clock: SetClock) -> None:
    """Folding goes on meanwhile, in transactions of its own: nothing waits for ever and nothing is lost."""
    await a_hotline(database, clock, 5, calls=20)
    more = random_stories(6, START, calls=20, hours=72)

    async def fold_on() -> None:
        for begin in range(0, len(more), 4):
            await store(database, more[begin : begin + 4], RULE, clock.now())

    async def count_on() -> None:
        for _ in range(8):
            await count_some_days(database, COUNTING, now=clock.now())

    await asyncio.gather(fold_on(), fold_on_rule(database, clock), count_on(), count_on())
    kept, true = await kept_and_true(database, clock)
    assert kept == true
    await count_all(database, clock)
    assert await kept_and_true(database, clock) == (true, true)


async def fold_on_rule(database: Database, clock: SetClock) -> None:
    for cycle in (4000, 5000):
        while await judge_some(database, RingRule(cycle_ms=cycle), now=clock.now()):
            await asyncio.sleep(0)


async def test_another_way_of_counting_uses_nothing_that_was_kept(database: Database, clock: SetClock) -> None:
    await a_hotline(database, clock, 2, calls=20)
    await count_all(database, clock)
    for other in (
        Counting(zone=SHANGHAI, in_time_ms=5000),
        Counting(zone=ZoneInfo("Europe/Berlin"), in_time_ms=15_000),
    ):
        async with database.read() as session:
            read = await read_tallies(session, SCOPE, other, now=clock.now())
            true = await count_calls(session, SCOPE, other, now=clock.now())
        assert packed(read) == packed(true)
        assert await count_some_days(database, other, now=clock.now()) > 0


async def test_marks_of_today_are_not_kept_for_ever(database: Database, clock: SetClock) -> None:
    await store(database, [Story(call_id="CA-now", at=clock.now() - timedelta(hours=1))], RULE, clock.now())
    assert await marks(database) > 0
    await count_all(database, clock)
    assert await marks(database) == 0
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(DaySumRow)) == 0


async def test_a_kept_day_is_verified_from_its_events(database: Database, clock: SetClock) -> None:
    stories = await a_hotline(database, clock, 13)
    await count_all(database, clock)
    found = [one async for one in verify_days(database, COUNTING, RULE)]
    assert [one.holds for one in found] == [True] * DAYS
    assert sum(one.calls for one in found) == len(stories)
    async with database.write() as session:
        row = await session.get_one(DaySumRow, found[1].day)
        row.tallies = row.tallies.replace('"lengths":[', '"lengths":[0,', 1).replace(
            '"names":[', '"names":["rings 1",', 1
        )
    await the_promise_is_kept_late(database, stories[0], clock)
    again = {one.day: one.holds async for one in verify_days(database, COUNTING, RULE)}
    assert None in again.values(), "a day that waits to be counted anew is no fault"
    async with database.write() as session:
        await session.execute(delete(CountChangeRow))
    assert {one.day: one.holds async for one in verify_days(database, COUNTING, RULE)}[found[1].day] is False


async def test_a_month_is_read_as_the_sum_of_its_days(database: Database, clock: SetClock) -> None:
    """Read and counted as its calls are; after a change in one of its days, while that waits, and when it is done."""
    begin = datetime(2026, 8, 29, 16, 0, tzinfo=UTC)
    stories = sorted(random_stories(5, begin, calls=60, hours=24 * 40), key=lambda one: one.at)
    await store(database, stories, RULE, clock.now())
    numbered = list(enumerate(stories, 1))
    await save(
        database,
        *(ticket(number, f"GD-{number}", one.call_id, one.at) for number, one in numbered),
        *(TicketCallRow(ticket_id=number, call_id=one.call_id, relation="first") for number, one in numbered),
    )
    scope = Scope(start=begin, end=begin + timedelta(days=45))
    before = await kept_and_true(database, clock, scope)
    await count_all(database, clock)
    async with database.read() as session:
        assert set(await session.scalars(select(MonthSumRow.month))) == {date(2026, 9, 1), date(2026, 10, 1)}
    assert await kept_and_true(database, clock, scope) == before
    assert await wrong_months(database, COUNTING) == []
    september = period_of(PeriodKind.MONTH, datetime(2026, 9, 15, tzinfo=UTC), SHANGHAI)
    async with database.read() as session:
        whole, by_day = await read_parts(
            session,
            Scope(start=september.start, end=september.end),
            september.parts(),
            COUNTING,
            now=clock.now(),
        )
        asked = await plain_sql.figures_of_parts(
            session, Scope(start=september.start, end=september.end), september.parts(), in_time_ms=15_000
        )
    assert [one.figures() for one in by_day] == asked
    assert total_of(whole).figures().offered == sum(one.figures().offered for one in by_day) > 0

    changed = next(one for one in stories if september.start < one.at < september.end)
    await the_estate_is_corrected(database, changed, clock)
    kept, true = await kept_and_true(database, clock, scope)
    assert kept == true != before[1]
    assert await count_some_days(database, COUNTING, now=clock.now()) == 1
    assert await kept_and_true(database, clock, scope) == (true, true)
    assert await wrong_months(database, COUNTING) == []
    async with database.write() as session:
        month = await session.get_one(MonthSumRow, date(2026, 9, 1))
        assert month.editions == 31, "one of its thirty days was counted twice"
        month.tallies = together([])
    assert await wrong_months(database, COUNTING) == [date(2026, 9, 1)]
