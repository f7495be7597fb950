"""All calls are played at once, on a real Asterisk with SIPp's phones; the tests then look at what was written down."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo.telephony.exchange import asterisk_command
from tests.asterisk.play import Played, play_all

WANTED = os.environ.get("CALLCENTER_REQUIRE_ASTERISK") == "1"


def _missing() -> list[str]:
    found = {"asterisk": asterisk_command(), "sipp": shutil.which("sipp")}
    return [name for name, path in found.items() if path is None]


@pytest.fixture(scope="session")
def real_telephony() -> None:
    missing = _missing()
    if missing and not WANTED:
        pytest.skip(f"{' and '.join(missing)} not installed; tests/asterisk/get-asterisk.sh and Debian's sip-tester")
    assert not missing, f"{' and '.join(missing)} not installed, but CALLCENTER_REQUIRE_ASTERISK is set"
    answered = subprocess.run(["sipp", "-v"], capture_output=True, check=False)
    assert b"RTPSTREAM" in answered.stdout + answered.stderr or b"PCAP" in answered.stdout + answered.stderr


@pytest.fixture(scope="session")
def played(
    real_telephony: None,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> dict[str, Played]:
    items = [item for item in request.session.items if "played" in getattr(item, "fixturenames", ())]
    wanted = {scenario_of(item) for item in items}
    return asyncio.run(play_all(tmp_path_factory.mktemp("telephony"), sqlite_template, wanted))


def scenario_of(item: Any) -> str:
    """Named by a parameter of the test, or by the test itself."""
    named = getattr(item, "callspec", None)
    return str(named.params["name"]) if named else str(item.originalname).removeprefix("test_")


@pytest.fixture
def story(played: dict[str, Played], request: pytest.FixtureRequest) -> Played:
    """The calls of the scenario that has the test's name."""
    found = played[scenario_of(request.node)]
    if found.failure is not None:
        raise found.failure
    return found
