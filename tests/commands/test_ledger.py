"""`callcenter ledger`: a month out of the database, checked again from the file alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.cli import run
from callcenter.commands.ledger import export, verify
from callcenter.config import CalendarSettings, DatabaseSettings, Settings
from callcenter.db.engine import Database
from callcenter.domain.figures_table import figures_row
from callcenter.domain.rings import RingRule
from callcenter.reports.call_scope import Scope
from callcenter.reports.ledger_entries import entries
from tests.conftest import SetClock
from tests.reports.hotline import random_stories, store
from tests.reports.plain_sql import read_figures

NOVEMBER = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
"""Midnight in Shanghai."""
END = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)


@pytest.fixture
async def settings(database: Database, database_url: str, clock: SetClock) -> Settings:
    """Calls of the last evening of October and the first two days of November."""
    stories = random_stories(1, NOVEMBER - timedelta(hours=6), calls=60, hours=48)
    await store(database, stories, RingRule(), clock.now())
    return Settings(database=DatabaseSettings(url=database_url), calendar=CalendarSettings(timezone="Asia/Shanghai"))


async def test_a_month_is_written_and_verified(
    database: Database, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "november.jsonl"
    assert await export(settings, "2026-11", file) == 0
    printed = capsys.readouterr().out
    last_hash = printed.split("hash ")[1].strip()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    async with database.read() as session:
        figures = await read_figures(session, Scope(start=NOVEMBER, end=END), in_time_ms=15_000)
    assert lines[-1]["figures"] == figures_row(figures), "the same figures as every page"
    assert lines[-1]["end"] == figures.offered == len(lines) - 2 > 40
    assert [line["started_at"] for line in lines[1:-1]] == sorted(line["started_at"] for line in lines[1:-1])
    assert "+86138" not in file.read_text(encoding="utf-8"), "no resident's number"

    assert verify(file, expected=None) == 0
    assert verify(file, expected=last_hash) == 0
    assert verify(file, expected="0" * 64) == 1
    assert "not the file with that hash" in capsys.readouterr().err
    changed = file.read_text(encoding="utf-8").replace('"verdict":"late"', '"verdict":"within"', 1)
    first = 1 + next(number for number, line in enumerate(lines) if line.get("verdict") == "late" or _late_leg(line))
    file.write_text(changed, encoding="utf-8")
    assert verify(file, expected=None) == 1
    assert f"line {first}:" in capsys.readouterr().err


def _late_leg(line: dict[str, object]) -> bool:
    return '"verdict": "late"' in json.dumps(line)


async def test_a_ledger_is_not_written_over(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "there.jsonl"
    file.write_text("kept")
    assert await export(settings, "2026-11", file) == 1
    assert file.read_text() == "kept"
    for month in ("2026-13", "november", "2026-1"):
        assert await export(settings, month, tmp_path / "new") == 2
    assert verify(tmp_path / "nowhere", expected=None) == 1
    assert await export(settings, "2026-10", tmp_path / "no-folder" / "x") == 1
    assert "cannot be written" in capsys.readouterr().err


async def test_long_months_are_read_in_stretches(database: Database, settings: Settings) -> None:
    scope = Scope(start=NOVEMBER, end=END)
    async with database.read() as session:
        whole = [entry async for entry in entries(session, scope)]
    async with database.read() as session:
        assert [entry async for entry in entries(session, scope, stretch=7)] == whole


def test_the_command_line_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cut.jsonl"
    file.write_text('{"ledger":"callcenter answering ledger 1"}\n')
    assert run(["ledger", "verify", str(file)]) == 1
    assert "cut.jsonl was changed: line 1:" in capsys.readouterr().err
