"""What is written down about calls that people did something to, and about residents who waited."""

from datetime import timedelta

import numpy as np
import pytest

from callcenter.domain.transcript import Side
from tests.asterisk.fidelity import anchor, fidelity
from tests.asterisk.hotline import Ears, Written
from tests.asterisk.play import CALLS, SPEECH, Played, samples_of

RATE = 8000


def spoken(name: str) -> np.ndarray:
    return samples_of(CALLS / f"{SPEECH[name]}.wav")[:, 0]


def kinds(call: Written, *wanted: str) -> list[str]:
    return [event.kind for event in call.events if event.kind in wanted]


def seconds_in(call: Written, kind: str) -> list[float]:
    """When such events happened, counted from the first answer, with which the recording begins."""
    answered = next(event for event in call.events if event.kind == "leg_answered").earliest
    return [(event.earliest - answered) / timedelta(seconds=1) for event in call.events if event.kind == kind]


def short(outcomes: dict[str, str]) -> dict[str, str]:
    return {agent.partition("-")[2]: outcome for agent, outcome in outcomes.items()}


def test_passed_on_to_a_colleague_who_was_asked_first(story: Played) -> None:
    """The resident is held while the two agents speak, and is never heard by nobody."""
    assert story.notes == {
        "held": {"hewen"},
        "taken back": {"resident", "hewen"},
        "asked first": {"hewen", "zhao"},
        "handed over": {"resident", "zhao"},
        "nobody to join": "not_possible",
    }
    call = story.call
    assert kinds(call, "call_held", "call_resumed") == ["call_held", "call_resumed"] * 2
    assert (call.call.disposition, call.call.transferred, call.call.hung_up_by) == ("answered", True, "resident")
    assert call.call.hold_low_ms > 2000
    assert short(call.outcomes()) == {"hewen": "answered", "zhao": "answered"}
    assert str(call.call.answered_by).endswith("-hewen")
    assert story.phones["hewen"].time_of("BYE", "received") < story.phones["caller"].time_of("BYE")
    assert story.phones["zhao"].time_of("BYE", "received") > story.phones["caller"].time_of("BYE")
    recorded = samples_of(story.recordings["conversation-0"])[:, 1]
    assert fidelity(recorded[-3 * RATE :], spoken("message")).correlation >= 0.99


def test_a_transfer_that_nobody_answers_comes_back(story: Played) -> None:
    """A phone that cannot be rung changes nothing; one that rings out gives the resident back to who passed on."""
    call = story.call
    assert story.notes["not registered"] == "unreachable"
    legs = [(str(leg.agent).partition("-")[2], leg.outcome) for leg in call.legs]
    assert legs == [("hewen", "answered"), ("off", "unreachable"), ("zhao", "rang_out"), ("hewen", "answered")]
    assert (call.call.disposition, call.call.transferred, call.call.hung_up_by) == ("answered", True, "resident")
    assert call.call.ring_low_ms < 3000, "what the colleagues' phones rang was not waiting to be answered"
    assert [one.content for one in call.recordings] == ["conversation"]


def test_a_department_as_the_third_and_a_supervisor(story: Played) -> None:
    assert story.notes == {
        "listening": {"resident", "hewen"},
        "whispering": {"resident", "hewen"},
        "stepped in": {"resident", "hewen", "boss"},
        "three": {"resident", "hewen", "depot"},
        "two": {"resident", "depot"},
    }
    call = story.call
    assert [event.data["how"] for event in call.events if event.kind == "supervised"] == [
        "listen",
        "whisper",
        "step_in",
    ]
    assert short(call.outcomes()) == {"hewen": "answered", "depot": "answered"}, "a supervisor is no agent of the call"
    assert kinds(call, "call_joined", "call_transferred") == ["call_joined"]
    assert call.call.hung_up_by == "resident"
    recorded = samples_of(story.recordings["conversation-0"])[:, 1]
    stepped_in = round(seconds_in(call, "supervised")[2] * RATE)
    before, after = recorded[: stepped_in - RATE // 4], recorded[stepped_in + RATE // 2 : stepped_in + 2 * RATE]
    assert fidelity(before, spoken("agent")).correlation >= 0.99, "the resident hears no whisper"
    assert fidelity(after, spoken("agent")).missing > 0.2, "the resident hears who has stepped in"


def test_the_recording_is_paused(story: Played) -> None:
    """By the phone's keys, then by the desk: silence on both sides, in its place; and no live words of it."""
    call, ears = story.call, story.notes["ears"]
    pauses = list(zip(seconds_in(call, "recording_paused"), seconds_in(call, "recording_resumed"), strict=True))
    by = [event.data["by"].partition("-")[2] for event in call.events if event.kind == "recording_paused"]
    assert by == ["hewen", ""]
    recorded = samples_of(story.recordings["conversation-0"])
    talked = story.phones["caller"].time_of("BYE") - story.phones["hewen"].time_of("SIP/2.0 200")
    assert len(recorded) / RATE == pytest.approx(talked.total_seconds(), abs=0.5)
    for begun, ended in pauses:
        assert np.abs(recorded[round((begun + 0.3) * RATE) : round((ended - 0.3) * RATE)]).max() == 0
    between = recorded[round((pauses[0][1] + 0.3) * RATE) : round((pauses[1][0] - 0.3) * RATE)]
    assert all(np.abs(between).max(axis=0) > 1000)
    for event, after in zip(
        (one for one in call.events if one.kind == "recording_paused"),
        (one for one in call.events if one.kind == "recording_resumed"),
        strict=True,
    ):
        begun, ended = event.earliest.timestamp() + 0.5, after.earliest.timestamp()
        pieces = [audio.pcm for at, audio in ears.heard if begun < at < ended]
        assert pieces, "sound comes on"
        assert not any(np.frombuffer(b"".join(pieces), "<i2")), "and holds nothing"


def late_ms(ears: Ears, side: Side) -> list[float]:
    """How much later each tenth of a second came than the promptest one."""
    found = [at * 1000 - audio.at_ms for at, audio in ears.heard if audio.side is side]
    return [one - min(found) for one in found]


def spoken_to_heard_ms(story: Played, ears: Ears) -> float:
    """From the moment at which the resident's phone sent a sample until we had it, by the phone's own log."""
    heard, said = np.frombuffer(ears.of(Side.RESIDENT), "<i2"), spoken("resident")
    first, shift = anchor(heard.astype(float), said.astype(float))
    sent = story.phones["caller"].time_of("ACK").timestamp() + (first + shift) / RATE
    counted = 0
    for at, audio in ears.heard:
        if audio.side is Side.RESIDENT:
            counted += len(audio.pcm) // 2
            if counted > first:
                return (at - sent) * 1000
    raise AssertionError("what is heard is not among what came")


def test_heard_while_it_is_spoken(story: Played) -> None:
    """Both sides as they were said; how late is printed, since it depends on what else the machine does."""
    ears = story.notes["ears"]
    for side, name in ((Side.RESIDENT, "resident"), (Side.AGENT, "agent")):
        heard = np.frombuffer(ears.of(side), "<i2")
        found = fidelity(heard[-6 * RATE :], spoken(name))
        late = sorted(late_ms(ears, side))
        print(
            side.value,
            found,
            "late ms p50, p95, max",
            *(round(late[(len(late) - 1) * p // 100]) for p in (50, 95, 100)),
        )
        assert len(heard) / RATE == pytest.approx(11, abs=2), "all but the greeting"
        assert found.correlation >= 0.99
        assert found.missing <= 0.01
    print("from spoken to heard, ms:", round(spoken_to_heard_ms(story, ears)))
    assert [report.whole for report in ears.reports] == [True]


def test_waiting_in_line_and_called_back(story: Played) -> None:
    talks, waits, back = story.calls
    assert talks.call.disposition == "answered"
    assert [event.data["place"] for event in waits.events if event.kind == "call_queued"] == [1]
    assert [tuple(key) for key in waits.call.keys] == [("queue", "1")]
    assert not waits.legs, "nobody is rung for who waits"
    reminder = story.notes["reminder"]
    assert (reminder.kind, reminder.state, reminder.to_number) == ("queue_call_back", "done", "+8613700000077")
    assert story.notes["too early"] is True, "it is owed before anybody is free"
    assert back.call.started_at >= talks.legs[0].ended_at, "and made once somebody is"
    assert (back.call.outbound_outcome, short(back.outcomes())) == ("reached", {"hewen": "answered"})
    assert [one.content for one in back.recordings] == ["conversation"]


def test_the_owner_of_the_open_ticket_is_rung_first(story: Played) -> None:
    assert short(story.call.outcomes()) == {"zhao": "answered"}


def test_an_agent_calls_from_a_ticket(story: Played) -> None:
    """The agent's phone first; the resident is rung only when somebody is there to talk."""
    home, taken, never = sorted(story.calls, key=lambda one: str(one.call.purpose))
    assert [one.call.outbound_outcome for one in (home, taken, never)] == ["reached", "busy", "no_answer"]
    assert story.phones["+home"].time_of("INVITE", "received") > story.phones["hewen"].time_of("SIP/2.0 200")
    assert not story.phones["+never"].messages()
    assert story.notes["taken up"] == {"resident", "hewen"}
    assert [one.content for one in home.recordings] == ["conversation"]
    recorded = samples_of(story.recordings["conversation-0"])
    for channel in (0, 1):
        assert fidelity(recorded[:, channel], spoken("agent")).correlation >= 0.99
    assert story.phones["zhao"].time_of("BYE", "received"), "who ordered it is not left on the line"
