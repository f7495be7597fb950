"""The spool on a disk that comes and goes."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callcenter.services.spool import Spool, SpoolCounts, SpoolFull, spool_counts


def test_a_disk_that_is_away_at_the_start_is_used_once_it_is_there(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_text("not mounted yet")
    spool = Spool(disk / "spool.sqlite")
    spool.open()
    with pytest.raises(SpoolFull, match="disk"):
        spool.append([{"number": 1}])
    disk.unlink()
    spool.append([{"number": 1}])
    assert spool_counts(disk / "spool.sqlite") == SpoolCounts(waiting=1)
    spool.close()
    assert spool_counts(disk / "spool.sqlite") == SpoolCounts(waiting=1)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert spool_counts(tmp_path / "spool.sqlite") == SpoolCounts()
    assert not list(tmp_path.iterdir())


def test_closing_waits_for_a_thread_that_still_reads(tmp_path: Path) -> None:
    """SQLite crashed the whole process when its connection was closed under a reading thread."""
    spool = Spool(tmp_path / "spool.sqlite")
    with ThreadPoolExecutor(4) as threads:
        for _ in range(60):
            spool.open()
            spool.append([dict.fromkeys(("earliest", "latest", "received_at"), "2026-11-24T10:00:00+08:00")] * 20)
            reading = [threads.submit(spool.oldest, 5000) for _ in range(3)]
            spool.close()
            for one in reading:
                with contextlib.suppress(SpoolFull):
                    one.result()
