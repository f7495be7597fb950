"""The command line as a stranger uses it: real processes, their output and their exit codes."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from sqlalchemy import select

from callcenter.commands.doctor import doctor
from callcenter.config import Settings, load_settings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.users import UserRow
from callcenter.services.spool import Spool

AUDIO = Path(__file__).parents[1] / "samples" / "audio"
ROOT = Path(__file__).parents[2]


def callcenter(*arguments: str, cwd: Path, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLCENTER_")}
    return subprocess.run(
        [sys.executable, "-m", "callcenter", *arguments],
        cwd=cwd,
        input=given,
        env=clean | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = callcenter("--help", cwd=tmp_path)
    assert shown.returncode == 0
    for command in ("serve", "worker", "demo", "migrate", "transcribe", "models", "user", "doctor", "reminders"):
        assert command in shown.stdout
    assert callcenter("no-such-command", cwd=tmp_path).returncode == 2


def test_transcribe_prints_the_text_and_names_bad_files(tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_text("<html></html>", encoding="utf-8")
    done = callcenter("transcribe", str(AUDIO / "utterance_8k.wav"), "page.wav", "missing.wav", cwd=tmp_path)
    assert done.returncode == 1
    assert "三栋二单元五零一" in done.stdout
    assert "page.wav" in done.stderr
    assert "missing.wav" in done.stderr


def test_transcribe_as_json_has_word_times(tmp_path: Path) -> None:
    done = callcenter("transcribe", "--json", str(AUDIO / "utterance.mp3"), cwd=tmp_path)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    words = found["segments"][0]["words"]
    assert words[0]["end_ms"] > words[0]["start_ms"] >= 0
    assert found["duration_ms"] > 2000


def test_wrong_model_is_named(tmp_path: Path) -> None:
    done = callcenter("transcribe", "--model", "no-such-model", str(AUDIO / "utterance_8k.wav"), cwd=tmp_path)
    assert done.returncode == 1
    assert "no-such-model" in done.stderr


def test_models_list_and_check(tmp_path: Path) -> None:
    listed = callcenter("models", "list", cwd=tmp_path, COLUMNS="200")
    assert "demo-zh" in listed.stdout
    assert "vosk-model-cn-0.22" in listed.stdout
    checked = callcenter("models", "check", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "8000 Hz" in checked.stdout
    assert callcenter("models", "check", "no-such-model", cwd=tmp_path).returncode == 1


async def test_migrate_then_add_users(tmp_path: Path) -> None:
    """On a database file of its own, from nothing to a user who can log in."""
    environment = {"CALLCENTER_SERVER__DATA_DIR": str(tmp_path)}
    early = callcenter(
        "user", "add", "wen", "--name", "何雯", "--role", "admin", cwd=tmp_path, given="x" * 12, **environment
    )
    assert early.returncode == 1
    assert "callcenter migrate" in early.stderr
    assert "schema none -> " in callcenter("migrate", cwd=tmp_path, **environment).stdout
    assert "nothing to do" in callcenter("migrate", cwd=tmp_path, **environment).stdout
    add = ("user", "add", "wen", "--name", "何雯", "--role", "admin")
    assert callcenter(*add, cwd=tmp_path, given="short", **environment).returncode == 1
    assert callcenter(*add, cwd=tmp_path, given="long enough 1", **environment).returncode == 0
    again = callcenter(*add, cwd=tmp_path, given="long enough 1", **environment)
    assert again.returncode == 1
    assert "wen" in again.stderr
    unknown = callcenter(*add, "--agent", "nobody", cwd=tmp_path, given="long enough 1", **environment)
    assert unknown.returncode == 2
    assert "nobody" in unknown.stderr
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/callcenter.sqlite")
    async with database.read() as session:
        user = (await session.execute(select(UserRow))).scalar_one()
    await database.close()
    assert (user.login, user.name, user.role) == ("wen", "何雯", "admin")
    assert "long enough" not in user.password_hash


def test_wrong_setting_is_named_at_start(tmp_path: Path) -> None:
    (tmp_path / "callcenter.toml").write_text("[server]\nport = 70000\n[rings]\ncycel = 5\n", encoding="utf-8")
    done = callcenter("serve", cwd=tmp_path)
    assert done.returncode == 2
    assert "server.port = 70000" in done.stderr
    assert "rings.cycel" in done.stderr
    missing = callcenter("--config", "nowhere.toml", "serve", cwd=tmp_path)
    assert missing.returncode == 2
    assert "nowhere.toml" in missing.stderr
    variable = callcenter("migrate", cwd=tmp_path, CALLCENTER_SEVER__PORT="1")
    assert "CALLCENTER_SEVER__PORT" in variable.stderr
    broken = callcenter("--config", str(AUDIO / "utterance.txt"), "migrate", cwd=tmp_path)
    assert broken.returncode == 2
    assert "not valid TOML" in broken.stderr


def test_models_list_shows_whole_names_on_a_narrow_screen(tmp_path: Path) -> None:
    for columns in ("80", "40"):
        assert "vosk-model-small-en-us-0.15" in callcenter("models", "list", cwd=tmp_path, COLUMNS=columns).stdout


def test_users_are_listed_kept_out_and_given_new_passwords(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    environment = {"CALLCENTER_SERVER__DATA_DIR": str(data_dir)}

    def user(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return callcenter("user", *arguments, cwd=tmp_path, given=given, **environment)

    callcenter("migrate", cwd=tmp_path, **environment)
    assert "no users" in user("list").stdout
    user("add", "wen", "--name", "何雯[b]", "--role", "admin", given="long enough 1")
    listed = user("list")
    assert "wen" in listed.stdout
    assert "何雯[b]" in listed.stdout
    assert "disabled" not in listed.stdout
    assert user("disable", "wen").returncode == 0
    assert "disabled" in user("list").stdout
    assert user("enable", "wen").returncode == 0
    assert "disabled" not in user("list").stdout
    assert user("passwd", "wen", given="short").returncode == 1
    assert user("passwd", "wen", given="another long one").returncode == 0
    unknown = user("disable", "nobody")
    assert unknown.returncode == 1
    assert "'nobody'" in unknown.stderr
    assert "user list" in unknown.stderr


def test_what_we_write_nobody_else_may_read(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    assert callcenter("migrate", cwd=tmp_path, CALLCENTER_SERVER__DATA_DIR=str(data_dir)).returncode == 0
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert (data_dir / "callcenter.sqlite").stat().st_mode & 0o077 == 0


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "callcenter.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


async def test_doctor_on_an_empty_machine_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = tmp_path / "var"
    made = settings(tmp_path, f'[server]\ndata_dir = "{data_dir}"\n[twilio]\napi_url = "http://127.0.0.1:9"\n')
    assert await doctor(made) == 1
    said = capsys.readouterr().out
    for named in ("twilio.auth_token", "agents", "database", "callcenter migrate", "server.public_url", "speech.model"):
        assert named in said
    assert not data_dir.exists()


async def test_doctor_checks_the_numbers_addresses_at_the_provider(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], aiohttp_server: AiohttpServer
) -> None:
    number: dict[str, str] = {"voice_url": "https://hotline.example.com/ivr/twilio/voice"}

    async def numbers(request: web.Request) -> web.Response:
        return web.json_response({"incoming_phone_numbers": [number]})

    app = web.Application()
    app.router.add_get("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json", numbers)
    far_end = await aiohttp_server(app)
    text = f"""
[server]
public_url = "https://hotline.example.com"
data_dir = "{tmp_path}"
[twilio]
account_sid = "AC1"
auth_token = "t"
from_number = "+862112345678"
api_url = "http://{far_end.host}:{far_end.port}"
"""
    assert await doctor(settings(tmp_path, text)) == 1
    said = capsys.readouterr().out
    assert "ok   provider voice_url" in said
    assert "FAIL provider voice_fallback_url: not set" in said
    assert "FAIL provider status_callback: not set" in said
    number |= {
        "voice_fallback_url": "https://elsewhere.example/fallback.xml",
        "status_callback": "https://hotline.example.com/ivr/twilio/status",
    }
    await doctor(settings(tmp_path, text))
    said = capsys.readouterr().out
    assert "ok   provider voice_fallback_url" in said
    assert "ok   provider status_callback" in said


async def test_doctor_names_a_rehearsals_clock_and_what_was_left_behind(
    tmp_path: Path, database: Database, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    async with database.write() as session:
        times = {"started_at": now, "last_event_at": now}
        kind = {"provider": "twilio", "direction": "inbound", "disposition": "answered"}
        session.add(CallRow(id="CA1", event_count=1, **kind, **times))
        await session.flush()
        for name, state in (("RE1", RecordingState.PENDING), ("RE2", RecordingState.FAILED)):
            session.add(recording(name, state, now))
        session.add(handed_over(now))
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append([{"row": number} for number in range(3)])
    spool.refuse(1, "nonsense")
    text = f"""
clock_file = "{tmp_path}/no-clock"
[server]
data_dir = "{tmp_path}"
[database]
url = "{database_url}"
[twilio]
api_url = "http://127.0.0.1:9"
"""
    assert await doctor(settings(tmp_path, text)) == 1
    spool.close()
    said = capsys.readouterr().out
    for line in (
        "FAIL clock_file",
        "warn recordings: 1 to be transcribed, 1 failed",
        "warn reminders: 1 handed over",
        "warn spool: 2 events wait",
        "FAIL spool: 1 events refused",
    ):
        assert line in said


def recording(name: str, state: RecordingState, at: datetime) -> RecordingRow:
    return RecordingRow(
        id=name, call_id="CA1", provider="twilio", url="", content="conversation", channels=1, state=state, ready_at=at
    )


def handed_over(at: datetime) -> ReminderRow:
    return ReminderRow(
        kind="missed_call",
        topic="CA1",
        to_number="+8613800000000",
        due_at=at,
        created_at=at,
        state=ReminderState.HANDED_OVER,
    )
