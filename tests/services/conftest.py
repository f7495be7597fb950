"""Rows and far ends that the services' tests share."""

import wave
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.engine import Database
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Moment
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.inbox import EventInbox
from callcenter.services.spool import Spool
from tests.conftest import SetClock

CALLS = Path(__file__).parents[2] / "callcenter" / "demo" / "calls"
AT_ZERO = SetClock().now()


def happened(
    kind: EventKind, second: float, *, call: str = "twilio:CA1", leg: str | None = None, **data: Any
) -> CallEvent:
    """An event so many seconds after ten o'clock."""
    at = Moment.exactly(AT_ZERO + timedelta(seconds=second))
    event_id = f"{call}:{leg}:{kind}:{data.get('recording_id', '')}"
    return CallEvent(event_id=event_id, provider="twilio", call_id=call, kind=kind, at=at, leg_id=leg, data=data)


def answered_call(call: str = "twilio:CA1", *, caller: str = "+8613812346207", **recording: Any) -> list[CallEvent]:
    """An answered call; with `recording` its recording too."""
    leg = f"{call}:leg"
    events = [
        happened(EventKind.CALL_STARTED, 0, call=call, direction="inbound", **{"from": caller, "to": "+862112345678"}),
        happened(EventKind.LEG_INITIATED, 3, call=call, leg=leg, agent="hewen"),
        happened(EventKind.LEG_RINGING, 4, call=call, leg=leg, agent="hewen"),
        happened(EventKind.LEG_ANSWERED, 10, call=call, leg=leg, agent="hewen"),
        happened(EventKind.LEG_ENDED, 60, call=call, leg=leg, agent="hewen", reason="completed"),
        happened(EventKind.CALL_ENDED, 60, call=call, reason="completed"),
    ]
    if recording:
        events.append(happened(EventKind.RECORDING_READY, 62, call=call, **({"channels": 2} | recording)))
    return events


def stereo_wav(target: Path, folder: str) -> Path:
    """A demo call's two sides as one stereo file."""
    with wave.open(str(CALLS / folder / "resident.wav")) as left, wave.open(str(CALLS / folder / "agent.wav")) as right:
        frames = min(left.getnframes(), right.getnframes())
        a, b = left.readframes(frames), right.readframes(frames)
        rate = left.getframerate()
    mixed = bytearray(4 * frames)
    for offset in range(2):
        mixed[offset::4] = a[offset::2]
        mixed[offset + 2 :: 4] = b[offset::2]
    with wave.open(str(target), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(mixed))
    return target


@pytest.fixture
def rules() -> FollowUpRules:
    return follow_up_rules(FollowUpSettings(), CalendarSettings(), ConsoleSettings())


@pytest.fixture
async def inbox(database: Database, tmp_path: Path) -> AsyncIterator[EventInbox]:
    opened = EventInbox(database, Spool(tmp_path / "spool.sqlite"))
    await opened.start()
    yield opened
    await opened.close()
