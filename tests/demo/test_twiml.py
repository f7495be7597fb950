"""TwiML is read as strictly as the provider reads it."""

import pytest

from callcenter.demo.far_end.twiml import (
    Dial,
    Gather,
    Hangup,
    Pause,
    Record,
    Redirect,
    Reject,
    Say,
    StartStream,
    TwimlUnusable,
    read_twiml,
)


def test_a_dial_says_whom_to_ring_and_what_to_report() -> None:
    (dial,) = read_twiml(
        '<Response><Dial timeout="20" action="/next" record="record-from-answer-dual" recordingStatusCallback="/rec">'
        '<Number url="/whisper" statusCallback="/leg" statusCallbackEvent="initiated ringing">+8613900004471</Number>'
        '<Sip statusCallback="/leg">sip:hewen@pbx.example</Sip><Client>chenmin</Client></Dial></Response>'
    )
    assert isinstance(dial, Dial)
    assert [noun.address for noun in dial.nouns] == ["+8613900004471", "sip:hewen@pbx.example", "client:chenmin"]
    assert dial.nouns[0].url == "/whisper"
    assert [sorted(noun.status_events) for noun in dial.nouns] == [["initiated", "ringing"], ["completed"], []]
    assert (dial.records, dial.recording_channels, dial.timeout_seconds) == (True, 2, 20.0)


def test_a_plain_number_and_the_defaults() -> None:
    (dial,) = read_twiml("<Response><Dial>+861</Dial></Response>")
    assert isinstance(dial, Dial)
    assert (dial.nouns[0].address, dial.timeout_seconds, dial.records, dial.action) == ("+861", 30.0, False, None)


def test_the_other_verbs() -> None:
    verbs = read_twiml(
        '<Response><Gather numDigits="1" timeout="8" action="/key"><Say>按1</Say></Gather><Pause length="2"/>'
        '<Record maxLength="60" action="/done"/><Redirect>/on</Redirect><Reject reason="busy"/><Hangup/></Response>'
    )
    gather, pause, record, redirect, reject, hangup = verbs
    assert isinstance(gather, Gather)
    assert (gather.prompts, gather.num_digits, gather.timeout_seconds) == ((Say(text="按1"),), 1, 8.0)
    assert pause == Pause(seconds=2.0)
    assert isinstance(record, Record)
    assert (record.max_seconds, record.plays_beep) == (60.0, True)
    assert (redirect, reject, hangup) == (Redirect(url="/on"), Reject(reason="busy"), Hangup())


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("<html/>", "the root is <html>"),
        ("<Response><Say>x</Response>", "not XML"),
        ("<Response><Shout>x</Shout></Response>", "<Shout> is not a verb"),
        ('<Response><Say volume="9">x</Say></Response>', "<Say> has no attribute volume"),
        ("<Response><Say/></Response>", "<Say> is empty"),
        ('<Response><Dial timeout="soon">+861</Dial></Response>', "expected a number"),
        ("<Response><Dial/></Response>", "<Dial> rings nobody"),
        ("<Response><Dial><Queue>q</Queue></Dial></Response>", "<Queue> cannot stand in <Dial>"),
        ('<Response><Dial><Sip statusCallback="/l" statusCallbackEvent="answer">s</Sip></Dial></Response>', "answer"),
        ("<Response><Gather><Hangup/></Gather></Response>", "<Hangup> cannot stand in <Gather>"),
        ('<Response><Redirect method="GET">/x</Redirect></Response>', "only POSTs"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><Response/>", "document type"),
    ],
)
def test_what_the_provider_would_not_carry_out_is_refused(document: str, says: str) -> None:
    with pytest.raises(TwimlUnusable, match=says):
        read_twiml(document)


def test_a_stream_says_where_the_sound_goes_and_proves_whose_it_is() -> None:
    stream = (
        '<Stream name="live" url="wss://h.example/m" track="both_tracks"><Parameter name="token" value="t"/></Stream>'
    )
    assert read_twiml(f"<Response><Start>{stream}</Start></Response>") == (
        StartStream(url="wss://h.example/m", parameters={"token": "t"}),
    )
    for wrong in (stream.replace("wss", "https"), stream.replace("/m", "/m?x=1"), stream + stream):
        with pytest.raises(TwimlUnusable):
            read_twiml(f"<Response><Start>{wrong}</Start></Response>")
