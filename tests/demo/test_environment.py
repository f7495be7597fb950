"""What a demonstration makes for itself before it begins."""

import socket
from pathlib import Path

import pytest

from callcenter.config import load_settings
from callcenter.demo.environment import NotReady, agent_addresses, new_environment, write_settings
from callcenter.demo.run import run_demo


def test_the_settings_are_the_products_own(tmp_path: Path) -> None:
    environment = new_environment(tmp_path / "data", 0)
    write_settings(environment, simulator_port=4711)
    settings = load_settings(environment.settings_file)
    assert settings.twilio.api_url == "http://127.0.0.1:4711"
    assert settings.twilio.recording_hosts == ("127.0.0.1:4711",)
    assert settings.server.public_url == f"http://127.0.0.1:{environment.port}"
    assert {agent.phone: agent.id for agent in settings.agents} == agent_addresses()
    assert settings.clock_file == environment.clock_file
    assert environment.settings_file.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = run_demo(once=True, calls=None, as_json=False, port=port, data_dir=tmp_path / "data")
    assert code == 2
    assert f"port {port}: taken" in capsys.readouterr().err


def test_a_folder_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(NotReady, match="not an empty folder"):
        new_environment(tmp_path, 0)


def test_a_wrong_call_is_reported_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "calls" / "01"
    folder.mkdir(parents=True)
    (folder / "call.toml").write_text('title = "x"\n')
    code = run_demo(once=True, calls=tmp_path / "calls", as_json=False, port=0, data_dir=tmp_path / "data")
    assert code == 2
    assert "call.toml: caller: missing" in capsys.readouterr().err
