"""The figures of every page equal those worked out from the raw events, and each opens down to its calls."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import pytest

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.domain.calls import LegOutcome
from callcenter.domain.counted_calls import Counting
from callcenter.domain.figures import Figures
from callcenter.domain.periods import PeriodKind, period_of
from callcenter.domain.rings import RingRule, Verdict
from callcenter.reports.answering import answering, list_calls
from callcenter.reports.call_scope import WHICH, Scope, of_agent, slow
from callcenter.reports.day_sums import read_parts, read_tally
from tests.conftest import SetClock
from tests.reports import plain_sql
from tests.reports.hotline import Told, random_stories, store, told
from tests.web.factory import Ring, Story

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
IN_TIME_MS = 15_000
COUNTING = Counting(zone=SHANGHAI, in_time_ms=IN_TIME_MS)
SEEDS = range(4)


def verdict_of(one: Told) -> str:
    """Three rings of five seconds; a stamp cut to the second leaves some open."""
    assert one.ring_ms is not None
    low, high = one.ring_ms
    if high < 15_000 or (high == 15_000 and low < high):
        return "within"
    return "late" if low >= 15_000 else "undecided"


def given_up_as(one: Told) -> str:
    assert one.ring_ms is not None
    low, high = one.ring_ms
    if high < 5000 or (high == 5000 and low < high):
        return "short"
    return "abandoned" if low >= 5000 else "perhaps_abandoned"


def tally(calls: list[Told]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in calls:
        if one.what == "answered":
            found[verdict_of(one)] += 1
        elif one.what == "given_up":
            found[given_up_as(one)] += 1
        else:
            found[one.what] += 1
    return found


def check(figures: Figures, calls: list[Told]) -> None:
    """Every figure by its formula, written out once more."""
    count = tally(calls)
    answered = [one for one in calls if one.what == "answered"]
    missed = count["abandoned"] + count["voice_mail"] + count["rang_out"] + count["refused"]
    opened = count["undecided"] + count["perhaps_abandoned"]
    whole = count["within"] + count["late"] + missed + opened
    share = figures.share
    assert (share.within, share.late, share.missed, share.undecided, share.counted) == (
        count["within"],
        count["late"],
        missed,
        opened,
        whole,
    )
    assert share.low == (pytest.approx(count["within"] / whole) if whole else None)
    assert (figures.offered, figures.connected) == (len(calls), len(answered))
    assert figures.connection_rate == (pytest.approx(len(answered) / len(calls)) if calls else None)

    speeds = sorted((sum(one.speed_ms) // 2) for one in answered if one.speed_ms)
    if speeds:
        assert figures.speed is not None
        assert figures.speed.calls == len(speeds)
        assert figures.speed.mean_ms == pytest.approx(sum(speeds) / len(speeds), abs=1)
        assert figures.speed.median_ms == speeds[ceil(len(speeds) * 0.5) - 1] // 100 * 100
        assert figures.speed.p95_ms == speeds[ceil(len(speeds) * 0.95) - 1] // 100 * 100
        assert figures.speed.longest_ms == speeds[-1]
        surely = sum(one.speed_ms[1] < 15_001 and one.speed_ms[0] < 15_000 for one in answered if one.speed_ms)
        perhaps = sum(one.speed_ms[0] < 15_000 for one in answered if one.speed_ms)
        waited = len(answered) + missed + count["perhaps_abandoned"]
        level = figures.service_level
        assert level is not None
        assert (level.low, level.high) == pytest.approx(
            (surely / waited, perhaps / (waited - count["perhaps_abandoned"]))
        )
        of_answered = figures.service_level_of_answered
        assert of_answered is not None
        assert (of_answered.low, of_answered.high) == pytest.approx((surely / len(answered), perhaps / len(answered)))
        abandonment = figures.abandonment
        assert abandonment is not None
        assert abandonment.low == pytest.approx(count["abandoned"] / (waited - count["perhaps_abandoned"]))
        assert abandonment.high == pytest.approx((count["abandoned"] + count["perhaps_abandoned"]) / waited)
        talks = [sum(one.talk_ms) // 2 for one in answered if one.talk_ms]
        assert figures.times.mean_talk_ms == pytest.approx(sum(talks) / len(talks), abs=1)


@pytest.mark.parametrize("seed", SEEDS)
async def test_figures_are_those_of_the_raw_events(database: Database, clock: SetClock, seed: int) -> None:
    calls = [told(story) for story in random_stories(seed, START)]
    await store(database, [one.story for one in calls], RingRule(), clock.now())
    for kind in (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH):
        period = period_of(kind, START + timedelta(hours=30), SHANGHAI)
        scope = Scope(start=period.start, end=period.end)
        own = [one for one in calls if period.start <= one.story.at < period.end]
        async with database.read() as session:
            tally = await read_tally(session, scope, COUNTING, now=clock.now())
            check(tally.figures(), own)
            parts = period.parts()
            _, by_part = await read_parts(session, scope, parts, COUNTING, now=clock.now())
            by_agent = await plain_sql.figures_by(session, scope, CallRow.answered_by, in_time_ms=IN_TIME_MS)
        for part, one_tally in zip(parts, by_part, strict=True):
            check(one_tally.figures(), [one for one in own if part.start <= one.story.at < part.end])
        assert sum(one.figures().offered for one in by_part) == len(own), "calls over midnight count once"
        for agent, figures in by_agent.items():
            check(figures, [one for one in own if one.by == agent])
        for one in tally.agents():
            assert one.times == by_agent[one.agent].times if one.agent in by_agent else not one.times.talks


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_page_and_its_lists_agree_with_the_figures(database: Database, clock: SetClock, seed: int) -> None:
    calls = [told(story) for story in random_stories(seed, START)]
    await store(database, [one.story for one in calls], RingRule(), clock.now())
    scope = Scope(start=START, end=START + timedelta(hours=48))
    own = [one for one in calls if scope.start <= one.story.at < scope.end]
    found = await answering(database, scope, COUNTING, now=clock.now())
    figures = found.figures
    check(figures, own)
    share = figures.share
    expected = {
        "offered": figures.offered,
        "counted": share.counted,
        "within": share.within,
        "late": share.late,
        "undecided": share.undecided,
        "missed": share.missed,
        "noted": share.late + share.undecided + share.missed,
        "connected": figures.connected,
        "not_connected": figures.offered - figures.connected,
        "waited": figures.waited_for_us,
        "short": tally(own)["short"],
        "left": tally(own)["left"],
    }
    for which, count in expected.items():
        listed, in_all = await list_calls(database, scope, WHICH[which], most=1000)
        assert (len(listed), in_all) == (count, count), which
    _, late = await list_calls(database, scope, slow(IN_TIME_MS), most=1)
    assert late == figures.connected - figures.surely_in_time
    assert sum(hour.total for hour in found.hours) == sum(day.total for day in found.days) == share.counted
    by_hour = Counter(
        one.story.at.astimezone(SHANGHAI).hour for one in own if one.what == "answered" and verdict_of(one) == "late"
    )
    assert {hour.at: hour.late for hour in found.hours if hour.late} == by_hour
    for agent in found.agents:
        rings = [ring for one in own for ring in one.story.rings if ring.agent == agent.agent]
        assert agent.refused == sum(ring.outcome == "refused" for ring in rings)
        assert agent.rang_out == sum(ring.outcome == "rang_out" for ring in rings)
        assert agent.rang == sum(ring.outcome != "cancelled" for ring in rings)
        assert agent.times.talks == sum(one.by == agent.agent for one in own)
        _, refused = await list_calls(database, scope, of_agent(agent.agent, LegOutcome.REFUSED), most=1)
        assert refused == sum(
            any(ring.agent == agent.agent and ring.outcome == "refused" for ring in one.story.rings) for one in own
        )
        late_condition = of_agent(agent.agent, LegOutcome.ANSWERED, Verdict.LATE)
        assert (await list_calls(database, scope, late_condition, most=1))[1] == agent.late


async def test_exactly_the_limit_is_not_in_time(database: Database, clock: SetClock) -> None:
    """Answered exactly at the limit by an exact clock is late; by one of whole seconds nobody knows."""
    ring = Ring(agent="li", start=1.0, seconds=14.8)
    stories = [
        Story(call_id=f"CA{coarse}", at=START + timedelta(hours=1), rings=(ring,), whole_seconds=coarse)
        for coarse in (False, True)
    ]
    await store(database, stories, RingRule(), clock.now())
    async with database.read() as session:
        scope = Scope(start=START, end=START + timedelta(days=1))
        figures, a_moment_more = [
            (await read_tally(session, scope, Counting(zone=SHANGHAI, in_time_ms=limit), now=clock.now())).figures()
            for limit in (15_600, 15_601)
        ]
    assert (figures.surely_in_time, figures.perhaps_in_time) == (0, 1)
    assert (a_moment_more.surely_in_time, a_moment_more.perhaps_in_time) == (1, 2)


async def test_a_number_has_its_own_figures(database: Database, clock: SetClock) -> None:
    calls = random_stories(9, START, calls=20)
    await store(database, calls, RingRule(), clock.now())
    scope = Scope(start=START, end=START + timedelta(hours=60))
    found = await answering(database, scope, COUNTING, now=clock.now())
    assert [(one.name, one.figures.offered) for one in found.numbers] == [("+8657100000001", 20)]
    other = Scope(start=scope.start, end=scope.end, number="+8657100000002")
    none = await answering(database, other, COUNTING, now=clock.now())
    assert (none.figures.offered, none.figures.connection_rate, none.figures.speed, none.longest) == (
        0,
        None,
        None,
        None,
    )


async def test_the_day_that_a_clock_change_makes_longer(database: Database, clock: SetClock) -> None:
    """Central Europe, 25 October 2026: the hour after two comes twice, and the day has 25 hours."""
    berlin = ZoneInfo("Europe/Berlin")
    counting = Counting(zone=berlin, in_time_ms=IN_TIME_MS)
    midnight = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    stories = [story for story in random_stories(3, midnight, calls=60, hours=25) if story.rings]
    await store(database, stories, RingRule(), clock.now())
    period = period_of(PeriodKind.DAY, midnight + timedelta(hours=12), berlin)
    scope = Scope(start=period.start, end=period.end)
    async with database.read() as session:
        _, counted = await read_parts(session, scope, period.parts(), counting, now=clock.now())
    by_hour = [one.figures() for one in counted]
    assert len(by_hour) == 25
    for number, figures in enumerate(by_hour):
        start = midnight + timedelta(hours=number)
        assert figures.offered == sum(start <= one.at < start + timedelta(hours=1) for one in stories)
    found = await answering(database, scope, counting, now=clock.now())
    twice = sum(one.offered for one in by_hour[2:4])
    assert found.figures.offered == len(stories)
    assert found.hours[2].total <= twice
    assert sum(hour.total for hour in found.hours) == found.figures.share.counted
    assert [day.at.isoformat() for day in found.days] == ["2026-10-25"]
