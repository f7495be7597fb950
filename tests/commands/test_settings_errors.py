"""Wrong settings and wrong surroundings: one clear line each, never a traceback, never a secret."""

from pathlib import Path

import pytest

from callcenter.config import Settings, SettingsError, load_settings
from tests.commands.test_command_line import callcenter

SECRET = "sesame-open-9"


@pytest.mark.parametrize(
    ("text", "environment", "named"),
    [
        ("", {"CALLCENTER_TWILIO__AUTH_TOKNE": SECRET}, "twilio.auth_tokne"),
        ("", {"CALLCENTER_TWILIO": SECRET}, "CALLCENTER_TWILIO"),
        ("", {"CALLCENTER_TWILIO": f'["{SECRET}"]'}, "twilio"),
        ("", {"CALLCENTER_DATABASE": f'"{SECRET}"'}, "database"),
        (f'twilio = "{SECRET}"', {}, "twilio"),
        (f'database = "postgresql+asyncpg://u:{SECRET}@h/x"', {}, "database"),
        (f'[database]\nurl = "postgresql+asyncpg://u:{SECRET}@h:port/x"', {}, "database.url"),
        (f'[database]\nurl = "mysql://u:{SECRET}@h/x"', {}, "database.url"),
        (f'[database]\npassword = "{SECRET}"', {}, "database.password"),
        (f'[twilio]\nauth_token = ["{SECRET}"]', {}, "twilio.auth_token"),
        (f'[[notify]]\nname = "x"\nlevel = 1\nurls = "{SECRET}"', {}, "notify"),
        (f'[[notify]]\nname = "x"\nlevel = 1\nurl = "{SECRET}"', {}, "notify"),
        (f'[server]\npublic_url = "ftp://u:{SECRET}@h"', {}, "server.public_url"),
        (f'[server]\nhots = "{SECRET}"', {}, "server.hots"),
        (f'[calendar]\ntimezone = "http://u:{SECRET}@h"', {}, "calendar.timezone"),
    ],
)
def test_an_error_names_the_key_and_never_shows_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, environment: dict[str, str], named: str
) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(text, encoding="utf-8")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings(file)
    assert named in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_wrong_value_that_is_no_secret_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text('[server]\nport = 70000\npublic_url = "ftp://h"\n[rings]\nrings = 99\n', encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_settings(file)
    for shown in ("server.port = 70000", "server.public_url = 'ftp://h'", "rings.rings = 99"):
        assert shown in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"CALLCENTER_CLOCK_FILE": "nowhere"}, "clock_file"),
        (
            {"CALLCENTER_CLOCK_FILE": "nowhere", "CALLCENTER_SERVER__PUBLIC_URL": "https://hotline.example.com"},
            "server.public_url is https",
        ),
        ({"CALLCENTER_SERVER__DATA_DIR": "/etc/passwd"}, "server.data_dir = '/etc/passwd'"),
        ({"CALLCENTER_SERVER__DATA_DIR": "/etc/passwd/below"}, "/etc/passwd is a file"),
        ({"CALLCENTER_FOLLOW_UP__CALL_TEXTS": '{"missed_call": "{nonsense}"}'}, "{nonsense}"),
        ({"CALLCENTER_FOLLOW_UP__CALL_TEXTS": '{"no_such_kind": "x"}'}, "no_such_kind"),
        ({"CALLCENTER_FOLLOW_UP__CALL_TEXTS": "nonsense"}, "CALLCENTER_FOLLOW_UP__CALL_TEXTS: not valid JSON"),
        ({"CALLCENTER_FOLLOW_UP__LIMITS": '[{"request_type": "x", "hours": 1}]'}, "follow_up.limits"),
        ({"CALLCENTER_AGENTS": "[{]"}, "CALLCENTER_AGENTS: not valid JSON"),
        ({"CALLCENTER_SERVER__TRUSTED_PROXIES": '["10.0.0.0/99"]'}, "server.trusted_proxies"),
    ],
)
def test_serve_says_in_one_line_what_is_wrong_with_the_settings(
    tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    done = callcenter("serve", cwd=tmp_path, **environment)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a..b"])
def test_serve_says_that_its_host_is_not_here(tmp_path: Path, host: str) -> None:
    done = callcenter("serve", cwd=tmp_path, CALLCENTER_SERVER__HOST=host, CALLCENTER_SERVER__PORT="0")
    assert done.returncode == 1
    assert f"server.host = '{host}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_settings_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "callcenter.toml").write_bytes("[console]\ncompany = '翠湖'\n".encode("gb18030"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(tmp_path / "callcenter.toml")


def test_a_rehearsals_clock_is_refused_where_calls_are_real() -> None:
    with pytest.raises(ValueError, match="clock_file"):
        Settings.model_validate({"clock_file": "clock", "server": {"public_url": "https://hotline.example.com"}})
