"""The demonstration as a user runs it: real processes, a real model, two short calls."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from callcenter.demo.call_script import BUILT_IN_CALLS


def run(calls: Path, data_dir: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["demo", "--once", "--json", "--port", "0", "--calls", str(calls), "--data-dir", str(data_dir)]
    return subprocess.run(
        [sys.executable, "-m", "callcenter", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    for name in ("06-short-hang-up", "12-silence"):
        shutil.copytree(BUILT_IN_CALLS / name, tmp_path / "calls" / name)
    return tmp_path / "calls"


def left_behind(data_dir: Path) -> list[int]:
    return [one.pid for one in psutil.process_iter(["cmdline"]) if str(data_dir) in " ".join(one.info["cmdline"] or ())]


def test_it_ends_well_only_if_all_came_out_as_expected(calls: Path, tmp_path: Path) -> None:
    ended = run(calls, tmp_path / "data")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert [call["disposition"] for call in document["calls"]] == ["short_abandoned", "answered"]
    assert [ticket["must_listen"] for ticket in document["tickets"]] == [True]
    assert document["differences"] == []
    assert left_behind(tmp_path / "data") == []


def test_a_difference_is_printed_and_fails(calls: Path, tmp_path: Path) -> None:
    script = calls / "06-short-hang-up" / "call.toml"
    script.write_text(script.read_text(encoding="utf-8").replace('"short_abandoned"', '"abandoned"'), encoding="utf-8")
    shutil.rmtree(calls / "12-silence")
    ended = run(calls, tmp_path / "data")
    assert ended.returncode == 1
    assert "disposition: expected abandoned, got short_abandoned" in ended.stderr
    assert left_behind(tmp_path / "data") == []
