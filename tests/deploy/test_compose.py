"""`deploy/compose.yml` against the files that it names and the settings that it gives, without a container engine."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.config import REPOSITORY, Settings, load_settings

DEPLOY = REPOSITORY / "deploy"
START = DEPLOY / "asterisk" / "start.sh"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))


@pytest.fixture
def settings(compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the container would read them: the example file, the environment, the password of the secret."""
    secret = tmp_path / "asterisk-password"
    secret.write_text("of-the-secret\n", encoding="utf-8")
    text = (DEPLOY / "callcenter.compose.toml").read_text(encoding="utf-8")
    assert "/run/secrets/asterisk-password" in text
    (tmp_path / "callcenter.toml").write_text(text.replace("/run/secrets/asterisk-password", str(secret)))
    for name, value in compose["services"]["callcenter"]["environment"].items():
        monkeypatch.setenv(name, value)
    script = compose["services"]["callcenter"]["command"][-1]
    url = re.search(r'CALLCENTER_DATABASE__URL="([^"]+)"', script)
    assert url is not None
    address = (
        url[1].replace("$$(cat /run/secrets/database-password)", "secret").replace("${DATABASE_PORT:-5432}", "5432")
    )
    monkeypatch.setenv("CALLCENTER_DATABASE__URL", address)
    return load_settings(tmp_path / "callcenter.toml")


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """Target by source."""
    found = {}
    for volume in service["volumes"]:
        source, target = (volume["source"], volume["target"]) if isinstance(volume, dict) else volume.split(":")[:2]
        found[source] = target
    return found


def test_settings_and_mounts_say_the_same(settings: Settings, compose: dict[str, Any]) -> None:
    (server,) = settings.asterisk
    assert server.secret() == "of-the-secret"
    assert settings.database_url == "postgresql+asyncpg://callcenter:secret@127.0.0.1:5432/callcenter"
    assert settings.server.host == "127.0.0.1"
    services = compose["services"]
    for name in ("callcenter", "asterisk"):
        assert mounted(services[name])["prompts"] == str(server.prompts_dir)
        assert services[name]["network_mode"] == "host"
    assert services["database"]["environment"]["POSTGRES_USER"] == "callcenter"
    assert services["database"]["environment"]["POSTGRES_DB"] == "callcenter"


def test_what_is_named_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("callcenter", "asterisk"):
        assert (DEPLOY / services[name]["build"] / "Dockerfile").is_file()
    for service in services.values():
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert {one for one in mounted(service) if not one.startswith("$")} <= set(compose["volumes"])
    assert mounted(services["asterisk"])["${SITE:-../site}/asterisk"] == "/etc/callcenter/asterisk"


def test_agents_are_the_same_everywhere(settings: Settings) -> None:
    """In callcenter's settings, as phones of Asterisk, and for when callcenter is away."""
    ids = [agent.id for agent in settings.agents]
    dialplan = (DEPLOY / "asterisk" / "extensions.conf").read_text(encoding="utf-8")
    assert f"\nCALLCENTER_AGENTS={','.join(ids)}\n" in dialplan
    phones = (DEPLOY / "asterisk" / "pjsip.conf").read_text(encoding="utf-8")
    for agent in settings.agents:
        assert agent.phone == f"sip:{agent.id}@hotline"
        assert f"\n[{agent.id}](phone)\n" in phones


def started(tmp_path: Path, pjsip: str) -> subprocess.CompletedProcess[str]:
    """start.sh with folders of its own and a stand-in for Asterisk."""
    site, etc, bin_folder = tmp_path / "site", tmp_path / "etc", tmp_path / "bin"
    for folder in (site, etc, bin_folder):
        folder.mkdir()
    for file in (DEPLOY / "asterisk").glob("*.conf"):
        shutil.copyfile(file, site / file.name)
    (site / "pjsip.conf").write_text(pjsip, encoding="utf-8")
    (tmp_path / "secret").write_text("of-the-secret\n", encoding="utf-8")
    for name in ("asterisk", "chown"):
        (bin_folder / name).write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    text = START.read_text(encoding="utf-8").replace("/etc/callcenter/asterisk", str(site))
    text = text.replace("/run/secrets/asterisk-password", str(tmp_path / "secret")).replace("/etc/asterisk", str(etc))
    (tmp_path / "start.sh").write_text(text, encoding="utf-8")
    environment = {"PATH": f"{bin_folder}:/usr/bin:/bin"}
    return subprocess.run(
        ["/bin/sh", str(tmp_path / "start.sh")], capture_output=True, text=True, env=environment, check=False
    )


def test_asterisk_does_not_start_with_the_passwords_of_the_template(tmp_path: Path) -> None:
    ended = started(tmp_path, (DEPLOY / "asterisk" / "pjsip.conf").read_text(encoding="utf-8"))
    assert ended.returncode == 1
    assert "give the phones and trunks above passwords of their own" in ended.stderr
    assert "asterisk -f" not in ended.stdout


def test_asterisk_starts_with_our_files_and_the_secret(tmp_path: Path) -> None:
    phones = (DEPLOY / "asterisk" / "pjsip.conf").read_text(encoding="utf-8").replace("CHANGE-ME", "7f3a")
    ended = started(tmp_path, phones)
    assert ended.returncode == 0, ended.stderr
    assert "asterisk -f -U asterisk" in ended.stdout
    assert "\npassword = of-the-secret\n" in (tmp_path / "etc" / "ari.conf").read_text(encoding="utf-8")
    assert (tmp_path / "etc" / "extensions.conf").read_text(encoding="utf-8").startswith("; The dialplan")


def test_the_example_settings_of_systemd_are_valid() -> None:
    """With the database and the Asterisk that stand there as comments, but for its password's file."""
    text = (DEPLOY / "callcenter.example.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^# (\[\[asterisk\]\]|\[database\]|(?:name|url|user|from_number|prompts_dir) = )", r"\1", text)
    text = text.replace('# password_file = "/etc/callcenter/asterisk-password"', 'password = "secret"')
    settings = Settings.model_validate(tomllib.loads(text))
    assert [server.name for server in settings.asterisk] == ["main"]
