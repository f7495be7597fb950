"""Messages to a recogniser: whole however the pipe cuts them, and joined where several of a stream wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.asr.live_wire import BrokenWire, Kind, MessageReader, held_back, joined, message

SENT = [
    (Kind.OPEN, 1, 0, b""),
    (Kind.AUDIO, 1, 100, b"abcd"),
    (Kind.AUDIO_ONLY, 1, 200, b"ef"),
    (Kind.FINISH, 1, 0, b""),
]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_messages_are_whole_however_the_pipe_cuts_them(cuts: list[int]) -> None:
    written, reader, found = b"".join(message(*one) for one in SENT), MessageReader(), []
    for length in (*cuts, len(written)):
        found += reader.feed(written[:length])
        written = written[length:]
    assert found == SENT


def test_sound_that_waits_is_joined_and_each_stream_keeps_its_order() -> None:
    other = (Kind.AUDIO, 2, 5, b"xy")
    assert list(joined([*SENT[:2], other, *SENT[2:], (Kind.AUDIO, 2, 7, b"z")])) == [
        SENT[0],
        (Kind.AUDIO_ONLY, 1, 100, b"abcdef"),
        SENT[3],
        (Kind.AUDIO, 2, 5, b"xyz"),
    ]


@pytest.mark.parametrize("bad", [b"\xff" * 40, message(Kind.AUDIO, 1)[:13] + b"\xff\xff\xff\xff"])
def test_what_is_no_message_is_refused(bad: bytes) -> None:
    with pytest.raises(BrokenWire):
        MessageReader().feed(bad)


def test_what_waited_long_is_heard_in_steps_of_two_seconds() -> None:
    found = list(joined([(Kind.AUDIO, 1, 100, bytes(40_000)), (Kind.AUDIO, 1, 2600, bytes(40_000))]))
    assert [(at_ms, len(pcm)) for _, _, at_ms, pcm in found] == [(100, 32_000), (2100, 32_000), (4100, 16_000)]


def test_short_pieces_wait_only_while_more_waits_and_a_streams_order_stays() -> None:
    short, long = (Kind.AUDIO, 1, 0, bytes(1600)), (Kind.AUDIO, 2, 0, bytes(3200))
    end = (Kind.FINISH, 3, 0, b"")
    assert held_back([short, long, end], more_waits=False) == ([short, long, end], [])
    now, held = held_back([short, long, end], more_waits=True)
    assert (now, held) == ([long, end], [short])
    more = (Kind.AUDIO, 1, 100, bytes(1600))
    assert held_back(joined([*held, more, (Kind.FINISH, 1, 0, b"")]), more_waits=True) == (
        [(Kind.AUDIO, 1, 0, bytes(3200)), (Kind.FINISH, 1, 0, b"")],
        [],
    )


def test_an_end_never_overtakes_the_sound_before_it() -> None:
    """A held piece and the end of its stream in one read: both now, in their order."""
    short, end = (Kind.AUDIO, 1, 0, bytes(1600)), (Kind.FINISH, 1, 0, b"")
    assert held_back(joined([short, end]), more_waits=True) == ([short, end], [])
