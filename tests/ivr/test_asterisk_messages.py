"""What Asterisk sends, and what is made of it. The samples were taken from a real one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.domain.calls import EndReason
from callcenter.ivr.providers.asterisk.causes import Ending, unanswered
from callcenter.ivr.providers.asterisk.hangup_log import read_entry
from callcenter.ivr.providers.asterisk.messages import Unreadable, read_event
from callcenter.ivr.providers.asterisk.names import call_id, leg_channel, leg_name, server_and_channel

SAMPLES = Path(__file__).parent.parent / "samples" / "asterisk" / "events.jsonl"


def test_every_event_of_a_real_call_can_be_read() -> None:
    events = [read_event(json.loads(line)) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    assert {event.type for event in events} >= {
        *("StasisStart", "ChannelStateChange", "Dial", "ChannelEnteredBridge", "PlaybackStarted", "PlaybackFinished"),
        *("ChannelHangupRequest", "ChannelLeftBridge", "StasisEnd", "ChannelDestroyed"),
    }
    assert all(event.at.tzinfo is UTC for event in events)
    assert all(event.channel_id for event in events if not event.type.startswith("Bridge"))


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ([], "without a type"),
        ({"type": "StasisStart"}, "StasisStart"),
        ({"type": "ChannelDestroyed", "timestamp": "yesterday"}, "ChannelDestroyed"),
        ({"type": "StasisStart", "timestamp": "2026-11-22T08:30:41.294+0000", "channel": {"id": "1"}}, "name"),
        ({"type": "Dial", "timestamp": "2026-11-22T08:30:41.294+0000", "channel": "1"}, "Dial"),
    ],
)
def test_what_cannot_be_read_is_named(said: object, names: str) -> None:
    with pytest.raises(Unreadable, match=names):
        read_event(said)


@pytest.mark.parametrize(
    ("cause", "tech_cause", "rang", "ending"),
    [
        (17, 486, False, Ending(reason=EndReason.BUSY, sip_code=486)),
        (17, 486, True, Ending(reason=EndReason.BUSY, sip_code=486)),
        (21, 603, True, Ending(reason=EndReason.BUSY, sip_code=603)),
        (1, 404, False, Ending(reason=EndReason.FAILED, sip_code=404)),
        (19, 480, True, Ending(reason=EndReason.NO_ANSWER, sip_code=480)),
        (19, 480, False, Ending(reason=EndReason.FAILED, sip_code=480)),
        (34, 503, False, Ending(reason=EndReason.FAILED, sip_code=503)),
        (19, None, True, Ending(reason=EndReason.NO_ANSWER)),
        (127, 487, True, Ending(reason=EndReason.NO_ANSWER, sip_code=487)),
        (127, 487, False, Ending(reason=EndReason.CANCELLED, sip_code=487)),
        (26, 487, True, Ending(reason=EndReason.CANCELLED, sip_code=487)),
        (17, None, False, Ending(reason=EndReason.BUSY, sip_code=486)),
        (None, None, False, Ending(reason=EndReason.FAILED)),
    ],
)
def test_an_end_is_judged_by_both_causes_and_the_ringing(
    cause: int | None, tech_cause: int | None, rang: bool, ending: Ending
) -> None:
    assert unanswered(cause, tech_cause, rang=rang) == ending


def test_names_can_be_read_back() -> None:
    leg = leg_channel("cc-1795337364.2", 12, "he-wen_2")
    found = leg_name(leg)
    assert found is not None
    assert (found.call, found.attempt, found.agent) == ("cc-1795337364.2", 12, "he-wen_2")
    assert leg_name("1795337364.2") is None
    assert server_and_channel(call_id("main", "1795337364.2")) == ("main", "1795337364.2")
    with pytest.raises(ValueError, match="no call of an Asterisk"):
        server_and_channel("twilio:x:CA1")


def test_an_entry_of_the_hang_up_log() -> None:
    off = "off:1795338448.200:::1795338448.201:CHANUNAVAIL:20"
    hewen = "hewen:1795338448.300:5:1795338451.305:1795338463.390:ANSWER:16"
    call = "began=1795338447.100&ended=1795338463.400&from=+8613812346207&to=1000&handled=0&source=resident"
    entry = read_entry("1795338447.24", f"{call}&mail=&legs={off},{hewen}")
    assert (entry.from_number, entry.to_number, entry.handled, entry.hung_up_by) == (
        *("+8613812346207", "1000", False),
        "resident",
    )
    first, second = entry.legs
    assert (first.ring_ms, first.answered, first.status) == (None, None, "CHANUNAVAIL")
    assert second.answered == datetime.fromtimestamp(1795338451.305, UTC)
    assert second.over - second.dialled == timedelta(seconds=15, milliseconds=90)
    assert entry.mail_from is None


@pytest.mark.parametrize("written", ["", "began=1795338447.1", "began=x&ended=1", "began=1&ended=2&legs=a:b"])
def test_an_entry_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_entry("1", written)
