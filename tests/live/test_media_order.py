"""Frames in any order: late ones in their place, lost ones as silence, doubled ones once, and never a hole."""

from hypothesis import given
from hypothesis import strategies as st

from callcenter.ivr.media_order import TrackOrder

FRAME = 160
SILENCE = b"\xff"


def frame(number: int) -> bytes:
    return bytes([number % 250]) * FRAME


def ordered(numbers: list[int]) -> tuple[TrackOrder, bytes]:
    track, heard, until_ms = TrackOrder(silence=SILENCE), b"", None
    pieces = [piece for number in numbers for piece in track.add(number * 20, frame(number))]
    for at_ms, payload in (*pieces, *track.finish()):
        assert until_ms in (None, at_ms), "pieces follow on each other"
        until_ms = at_ms + len(payload) // 8
        heard += payload
    return track, heard


def test_frames_in_order_pass_at_once() -> None:
    track = TrackOrder(silence=SILENCE)
    assert list(track.add(0, frame(0))) == [(0, frame(0))]
    assert list(track.add(20, frame(1))) == [(20, frame(1))]


def test_a_late_frame_finds_its_place() -> None:
    track, heard = ordered([0, 2, 1, 3])
    assert heard == b"".join(map(frame, range(4)))
    assert track.lost_frames == track.late_frames == 0


def test_a_lost_frame_is_silence_of_its_length() -> None:
    track, heard = ordered([0, 1, *range(4, 12)])
    assert heard == frame(0) + frame(1) + SILENCE * 2 * FRAME + b"".join(map(frame, range(4, 12)))
    assert track.lost_frames == 2


def test_a_doubled_frame_counts_once_and_one_that_comes_far_too_late_not_at_all() -> None:
    track, heard = ordered([0, 1, 1, *range(3, 12), 2])
    assert heard.count(bytes([1]) * FRAME) == 1
    assert heard[2 * FRAME : 3 * FRAME] == SILENCE * FRAME
    assert (track.lost_frames, track.late_frames) == (1, 2)


def test_stamps_that_wander_by_less_than_a_frame_make_no_gap() -> None:
    track = TrackOrder(silence=SILENCE)
    out = [piece for at_ms in (0, 21, 39, 62, 80) for piece in track.add(at_ms, frame(7))]
    assert b"".join(payload for _, payload in out) == frame(7) * 5
    assert track.lost_frames == 0


def test_an_hour_is_not_filled_with_silence() -> None:
    track = TrackOrder(silence=SILENCE)
    pieces = [*track.add(0, frame(0)), *track.add(3_600_000, frame(1))]
    assert pieces == [(0, frame(0)), (3_600_000, frame(1))]
    assert track.lost_frames == 179_999


@given(st.permutations(range(12)), st.sets(st.integers(1, 10), max_size=3))
def test_whatever_the_order_each_frame_is_in_its_place_or_silent(order: list[int], lost: set[int]) -> None:
    _, heard = ordered([0, *(number + 1 for number in order if number + 1 not in lost)])
    for number in range(len(heard) // FRAME):
        assert heard[number * FRAME : (number + 1) * FRAME] in (frame(number), SILENCE * FRAME)
