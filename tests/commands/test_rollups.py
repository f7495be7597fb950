"""`callcenter rollups`: made anew from the events, and verified by them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from callcenter.commands.rollups import rebuild, verify
from callcenter.config import CalendarSettings, DatabaseSettings, Settings
from callcenter.db.calls import CallRow
from callcenter.db.day_sums import DaySumRow
from callcenter.db.engine import Database
from callcenter.domain.rings import RingRule
from tests.conftest import SetClock
from tests.reports.hotline import random_stories, store

START = datetime(2026, 9, 1, 16, 0, tzinfo=UTC)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=database_url), calendar=CalendarSettings(timezone="Asia/Shanghai"))


async def test_days_are_made_anew_and_verified(
    database: Database, settings: Settings, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    await store(database, random_stories(21, START, calls=30, hours=48), RingRule(), clock.now())
    assert await rebuild(settings, from_events=False) == 0
    assert await verify(settings) == 0
    assert " 0 days or months differ (30 calls)" in capsys.readouterr().out

    async with database.write() as session:  # a row that does not follow from its events, counted as it stands
        await session.execute(update(CallRow).values(disposition="refused", verdict=None))
    assert await verify(settings) == 0, "what waits to be counted anew is no fault"
    assert await rebuild(settings, from_events=False) == 0
    assert await verify(settings) == 1
    captured = capsys.readouterr()
    assert "2026-09-02 is kept otherwise than its events tell it" in captured.err
    assert "rollups rebuild --from-events" in captured.err

    assert await rebuild(settings, from_events=True) == 0
    assert "30 calls folded anew" in capsys.readouterr().out
    assert await verify(settings) == 0
    async with database.read() as session:
        first = (await session.scalars(select(DaySumRow.day).order_by(DaySumRow.day))).first()
        kinds = set(await session.scalars(select(CallRow.disposition)))
    assert first is not None
    assert first - START.date() == timedelta(days=1), "the day by the hotline's clock"
    assert len(kinds) > 2


async def test_a_database_that_is_not_there_is_named(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(database=DatabaseSettings(url=f"sqlite+aiosqlite:///{tmp_path}/none.sqlite"))
    assert await verify(settings) == 1
    assert await rebuild(settings, from_events=True) == 1
    assert "has the database been migrated" in capsys.readouterr().err
