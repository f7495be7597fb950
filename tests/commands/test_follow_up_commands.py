"""`callcenter reminders preview`, `campaign` and `fees` as an operator uses them."""

import asyncio
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.cli import run
from callcenter.db.engine import Database
from callcenter.services.end_reminder import Ending, settle_reminder

FEES = "电话,姓名,房号,金额,项目,到期日\n13912344471,王女士,3栋2单元501,1234.50,物业费,2026-10-31\n"
NUMBERS = "手机,姓名\n13912344471,王女士\n13812346207,李先生\n"
CONFIG = """
[server]
data_dir = "{folder}"
[follow_up.call_texts]
missed_call = "{{greeting}}，{text}"
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CALLCENTER_TEST_POSTGRES", "CALLCENTER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "callcenter.toml").write_text(
        CONFIG.format(folder=tmp_path, text="刚才没有接到您的电话。"), encoding="utf-8"
    )
    assert run(["migrate"]) == 0
    return tmp_path


def test_preview_says_the_operators_own_text(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reminders", "preview", "missed_call"]) == 0
    assert "好，刚才没有接到您的电话。" in capsys.readouterr().out
    assert run(["reminders", "preview"]) == 0
    assert "一千二百三十四元五角" in capsys.readouterr().out
    assert run(["reminders", "preview", "nothing"]) == 2
    assert "use agent_call, announcement, " in capsys.readouterr().err


def test_preview_is_spoken_into_a_file(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reminders", "preview", "missed_call", "--wav", "said.wav"]) == 0
    assert "said.wav says it" in capsys.readouterr().out
    with wave.open(str(cli / "said.wav")) as file:
        assert 3 < file.getnframes() / file.getframerate() < 30
        assert any(file.readframes(file.getnframes()))
    assert (cli / "said.wav").stat().st_mode & 0o077 == 0
    assert run(["reminders", "preview", "--wav", "all.wav"]) == 2
    assert "name it" in capsys.readouterr().err
    for target in ("nowhere/said.wav", "."):
        assert run(["reminders", "preview", "missed_call", "--wav", target]) == 1
        assert f"callcenter: {target}: " in capsys.readouterr().err


def test_preview_says_why_it_cannot_be_spoken(
    cli: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.voice.speech.DEADLINE_SECONDS", 0.001)
    assert run(["reminders", "preview", "missed_call", "--wav", "said.wav"]) == 1
    assert "took longer than" in capsys.readouterr().err
    assert not (cli / "said.wav").exists()


def test_explain_names_who_ended_a_call(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cli / "fees.csv").write_text(FEES, encoding="utf-8")
    assert run(["fees", "import", "fees.csv"]) == 0

    async def settle() -> None:
        database = Database(f"sqlite+aiosqlite:///{cli}/callcenter.sqlite")
        now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
        await settle_reminder(database, Ending(reminder_id=1, seen="waiting:0", actor="lijia", now=now), note="已缴")
        await database.close()

    asyncio.run(settle())
    assert run(["reminders", "explain", "1"]) == 0
    assert "state done by lijia, 2026-11-24 10:00: 已缴" in capsys.readouterr().out


def test_a_wrong_text_is_named_at_start(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cli / "callcenter.toml").write_text(CONFIG.format(folder=cli, text="{room}"), encoding="utf-8")
    assert run(["reminders", "list"]) == 2
    said = capsys.readouterr().err
    assert "follow_up.call_texts" in said
    assert "missed_call: {room} is not known" in said


def test_fees_are_imported_listed_and_paid(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cli / "fees.csv").write_text(FEES, encoding="gb18030")
    assert run(["fees", "import", "fees.csv", "--dry-run"]) == 0
    assert run(["fees", "list"]) == 0
    assert "no fee is overdue" in capsys.readouterr().out
    for said in ("1 fees imported, 0 were known already; 1 calls planned", "0 fees imported, 1 were known already"):
        assert run(["fees", "import", "fees.csv"]) == 0
        assert said in capsys.readouterr().out
    assert run(["fees", "list"]) == 0
    shown = capsys.readouterr().out
    assert "1234.50" in shown
    assert "+86139****" in shown
    assert "12344471" not in shown
    assert run(["fees", "paid", "1"]) == 0
    assert run(["fees", "paid", "7"]) == 1


def test_a_wrong_line_imports_nothing(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cli / "fees.csv").write_text(FEES + "1,王,501,x,水费,2026-10-31\n", encoding="utf-8")
    assert run(["fees", "import", "fees.csv"]) == 1
    said = capsys.readouterr().err
    assert "fees.csv: line 3, column amount: 'x'" in said
    assert "nothing was imported" in said
    assert run(["fees", "import", "missing.csv"]) == 1
    assert run(["fees", "list"]) == 0
    assert "no fee is overdue" in capsys.readouterr().out


def test_a_campaign_from_import_to_cancel(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cli / "numbers.csv").write_text(NUMBERS, encoding="utf-8")
    until = ["--until", "2126-11-24T14:00"]
    make = ["campaign", "import", "停水", "numbers.csv", "--text", "今天14:00停水", *until]
    assert run(make) == 0
    assert "2 numbers. They will hear:\n您好" in (made := capsys.readouterr().out)
    assert "今天下午两点停水" in made
    assert run(make) == 1
    assert "already" in capsys.readouterr().err
    for action, said in (("start", "2 calls will go out"), ("pause", "2 calls are held"), ("status", "paused"),
                         ("start", "2 calls"), ("cancel", "2 calls will not be made")):  # fmt: skip
        assert run(["campaign", action, "停水"]) == 0
        assert said in capsys.readouterr().out
    assert run(["campaign", "status"]) == 0
    assert "cancelled" in capsys.readouterr().out
    assert run(["campaign", "start", "没有"]) == 1
    assert run(["campaign", "import", "x", "--text", "x", *until]) == 1
    assert "one of FILE and --place" in capsys.readouterr().err
    assert run(["campaign", "import", "x", "--place", "9栋", "--text", "x", *until]) == 1
    assert "nobody to phone" in capsys.readouterr().err
