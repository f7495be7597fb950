"""What the database counts of the checks of service language is what counting every call gives."""

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.domain.rings import RingRule
from callcenter.reports.language import language_report
from callcenter.reports.language_counts import count_checks
from callcenter.reports.parts_of_time import seven_days
from tests.conftest import SetClock
from tests.reports.hotline import random_stories, store

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
KINDS = ("greeting", "surname", "unknowing", "silence")
MEASURES = dict.fromkeys(("resident_ms", "agent_ms", "letters", "interruptions", "silences", "longest_silence_ms"), 0)


async def checked_calls(database: Database, clock: SetClock, seed: int) -> None:
    """Four weeks of checks; some findings contested away, gone, or found twice and taken back once."""
    dice = random.Random(seed)
    stories = random_stories(seed, START, calls=60, hours=24 * 20)
    await store(database, stories, RingRule(), clock.now())
    rows: list[Any] = []
    for story in stories:
        judged = {kind: dice.random() < 0.6 for kind in KINDS if dice.random() < 0.9}
        common = {"call_id": story.call_id, "rules_version": "1"}
        heard = {"heard_at": story.at, "checked_at": story.at, "agent": dice.choice(("li", "wang", None))}
        rows.append(LanguageCheckRow(judged=judged, **common, **heard, **MEASURES))
        found = [kind for kind, passed in judged.items() if not passed for _ in range(dice.choice((1, 1, 2)))]
        gone = [kind for kind, passed in judged.items() if passed and dice.random() < 0.2]
        for kind in found + gone:
            upheld = dice.choice((None, None, True, False))
            rows.append(
                LanguageFindingRow(
                    kind=kind,
                    words="",
                    start_ms=0,
                    end_ms=1,
                    found_at=story.at,
                    upheld=upheld,
                    gone_at=story.at if kind in gone else None,
                    **common,
                )
            )
    async with database.write() as session:
        session.add_all(rows)


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_those_of_the_single_calls(database: Database, clock: SetClock, seed: int) -> None:
    await checked_calls(database, clock, seed)
    async with database.read() as session:
        checks = (await session.scalars(select(LanguageCheckRow))).all()
        findings = [one for one in await session.scalars(select(LanguageFindingRow)) if one.gone_at is None]
        counts = await count_checks(session, seven_days(START - timedelta(days=1), START + timedelta(days=60)))
    stands = {(one.call_id, one.kind) for one in findings if one.upheld is not False}
    judged = Counter(kind for check in checks for kind in check.judged)
    found = Counter(kind for _, kind in stands)
    overturned = Counter(one.kind for one in findings if one.upheld is False)
    assert overturned
    assert {one.kind: (one.judged, one.found, one.overturned) for one in counts.kinds()} == {
        kind: (judged[kind], found[kind], overturned[kind]) for kind in judged
    }
    assert counts.calls == len(checks)

    now = START + timedelta(days=21)
    report = await language_report(database, weeks=4, now=now, zone=SHANGHAI, agent_id=None)
    weeks: dict[tuple[str, Any], list[int]] = defaultdict(lambda: [0, 0, 0])
    for check in checks:
        day = check.heard_at.astimezone(SHANGHAI).date()
        sums = weeks[check.agent or "", day - timedelta(days=day.weekday())]
        failed = sum((check.call_id, kind) in stands for kind in check.judged)
        for place, value in enumerate((1, len(check.judged) - failed, len(check.judged))):
            sums[place] += value
    assert {
        (agent, week.monday): [week.calls, week.passed, week.judged]
        for agent, scores in report.agents.items()
        for week in scores
        if week.calls
    } == weeks
    own = await language_report(database, weeks=4, now=now, zone=SHANGHAI, agent_id="li")
    assert own.agents == {"li": report.agents["li"]}
