"""`callcenter language-rules` and `evaluate language`: by labels, by decisions, and edited rules over past calls."""

from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import update

import callcenter.domain.service_language
from callcenter.commands.language import check_file, evaluate, recheck, try_file
from callcenter.config import DatabaseSettings, ServerSettings, Settings
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from tests.conftest import SetClock
from tests.web.day import a_day
from tests.web.test_service_language import CALL, rude_call

BUILT_IN = (files(callcenter.domain.service_language) / "data" / "service_language.toml").read_text("utf-8")
SET = Path(__file__).parents[1] / "language" / "utterances.jsonl"


@pytest.fixture
async def settings(database: Database, database_url: str, clock: SetClock, tmp_path: Path) -> Settings:
    made = Settings(database=DatabaseSettings(url=database_url), server=ServerSettings(data_dir=tmp_path / "data"))
    await a_day(database, clock.now(), made.recordings_dir)
    await rude_call(database, clock, made)
    return made


def edited(folder: Path, old: str, new: str) -> Path:
    assert old in BUILT_IN
    path = folder / "service_language.toml"
    path.write_text(BUILT_IN.replace(old, new, 1), "utf-8")
    return path


def test_a_file_is_checked_before_it_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_file(edited(tmp_path, "烦死人了", "真啰嗦")) == 0
    assert "8 kinds" in capsys.readouterr().out
    assert check_file(edited(tmp_path, "silence_seconds = 8", "silence_seconds = -8")) == 1
    assert "above zero" in capsys.readouterr().err
    assert check_file(tmp_path / "nowhere.toml") == 1
    assert "cannot be read" in capsys.readouterr().err


async def test_edited_rules_are_tried_over_a_month(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edited(tmp_path, "silence_seconds = 8", "silence_seconds = 12")
    assert await try_file(settings, path, month="2026-11") == 0
    printed = capsys.readouterr().out
    assert "3 calls of 2026-11" in printed
    assert f"{CALL}" in printed
    assert "silence" in printed
    assert not [line for line in printed.split("\n") if line.startswith("+")]
    assert await try_file(settings, path, month="November") == 2
    assert "write it like 2026-10" in capsys.readouterr().err
    assert await try_file(settings, edited(tmp_path, "[measures]", "[measures"), month=None) == 1


async def test_evaluated_by_labels_and_by_decisions(
    settings: Settings, database: Database, clock: SetClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await evaluate(settings, SET, rules_file=None, misses=True) == 0
    assert "never          1.000" in capsys.readouterr().out
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n", "utf-8")
    assert await evaluate(settings, broken, rules_file=None, misses=False) == 1
    assert "line 1" in capsys.readouterr().err
    assert await evaluate(settings, None, rules_file=None, misses=False) == 0
    assert "nothing has been decided" in capsys.readouterr().out
    async with database.write() as session:
        await session.execute(
            update(LanguageFindingRow)
            .where(LanguageFindingRow.call_id == CALL, LanguageFindingRow.kind == "silence")
            .values(decided_by="hewen", decided_at=clock.now(), upheld=True)
        )
    looser = edited(tmp_path, "silence_seconds = 8", "silence_seconds = 12")
    assert await evaluate(settings, None, rules_file=looser, misses=True) == 0
    assert "upheld, not found" in capsys.readouterr().out


async def test_calls_are_checked_again(
    settings: Settings, database: Database, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with database.write() as session:
        await session.execute(update(LanguageCheckRow).values(rules_version="old"))
    since = clock.now().replace(hour=0)
    assert await recheck(settings, since=since) == 0
    assert "3 calls checked again" in capsys.readouterr().out
