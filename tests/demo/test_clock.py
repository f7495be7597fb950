"""The rehearsal's clock, as two processes see it."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.demo.clock import ClockFileUnusable, SharedClock

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def test_a_standing_clock_moves_only_when_it_is_advanced(tmp_path: Path) -> None:
    owner = SharedClock.create(tmp_path / "clock", START, running=False)
    other = SharedClock(tmp_path / "clock")
    assert other.now() == START
    owner.advance_to(START + timedelta(minutes=3, milliseconds=250))
    assert other.now() == START + timedelta(minutes=3, milliseconds=250)


def test_it_never_goes_back(tmp_path: Path) -> None:
    owner = SharedClock.create(tmp_path / "clock", START, running=False)
    owner.advance_to(START + timedelta(hours=1))
    owner.advance_to(START)
    assert owner.now() == START + timedelta(hours=1)


def test_a_running_clock_passes_at_the_usual_pace(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", START)
    before = clock.now()
    time.sleep(0.05)
    assert timedelta(milliseconds=45) < clock.now() - before < timedelta(seconds=5)


def test_it_stands_still_where_it_was_and_runs_on_from_there(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", START)
    clock.stand_still()
    stopped = clock.now()
    time.sleep(0.02)
    assert clock.now() == stopped
    clock.run_on()
    time.sleep(0.02)
    assert clock.now() > stopped


def test_another_process_sees_the_same_time(tmp_path: Path) -> None:
    SharedClock.create(tmp_path / "clock", START, running=False)
    code = (
        "import sys, pathlib; from callcenter.demo.clock import SharedClock;"
        " print(SharedClock(pathlib.Path(sys.argv[1])).now().isoformat())"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "clock")], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert datetime.fromisoformat(seen) == START


@pytest.mark.parametrize("content", [None, b"", b"x" * 40])
def test_a_file_that_is_no_clock_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clock"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClockFileUnusable, match=str(path)):
        SharedClock(path)


def test_a_naive_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="naive"):
        SharedClock.create(tmp_path / "clock", datetime(2026, 11, 24))
