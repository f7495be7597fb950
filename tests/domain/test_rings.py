"""Within three rings, late, or not to be decided; and the share with its denominator."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.moments import Clock, Moment, Span, between, union
from callcenter.domain.rings import Disposition, RingRule, Share, Verdict

RULE = RingRule()
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def exactly(ms: int) -> Moment:
    return Moment.exactly(START + timedelta(milliseconds=ms), Clock.PROVIDER)


def cut(seconds: int) -> Moment:
    return Moment.whole_second(START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("ms", "rings", "verdict"),
    [
        (0, 1, Verdict.WITHIN),
        (4999, 1, Verdict.WITHIN),
        (5000, 2, Verdict.WITHIN),
        (14999, 3, Verdict.WITHIN),
        (15000, 4, Verdict.LATE),
        (17000, 4, Verdict.LATE),
    ],
)
def test_exact_clock_decides_to_the_millisecond(ms: int, rings: int, verdict: Verdict) -> None:
    ringing = between(exactly(0), exactly(ms))
    assert RULE.rings_heard(ringing) == (rings, rings)
    assert RULE.verdict(ringing) is verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, Verdict.WITHIN), (14, Verdict.WITHIN), (15, Verdict.UNDECIDED), (16, Verdict.LATE)]
)
def test_whole_second_clock_leaves_only_fifteen_open(seconds: int, verdict: Verdict) -> None:
    assert RULE.verdict(between(cut(0), cut(seconds))) is verdict


@given(start_ms=st.integers(0, 60_000), ring_ms=st.integers(0, 60_000))
def test_a_decided_verdict_on_cut_stamps_is_never_wrong(start_ms: int, ring_ms: int) -> None:
    ringing = between(cut(start_ms // 1000), cut((start_ms + ring_ms) // 1000))
    truth = RULE.verdict(Span(low_ms=ring_ms, high_ms=ring_ms))
    assert RULE.verdict(ringing) in (truth, Verdict.UNDECIDED)
    fewest, most = RULE.rings_heard(ringing)
    assert fewest <= ring_ms // 5000 + 1 <= most


def test_ringing_of_several_phones_is_their_union() -> None:
    both = union([(exactly(0), exactly(8000)), (exactly(2000), exactly(9000)), (exactly(12000), exactly(13000))])
    assert both == Span(low_ms=10000, high_ms=10000)


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 30_000)), min_size=1, max_size=6))
def test_union_on_cut_stamps_contains_the_truth(stretches: list[tuple[int, int]]) -> None:
    truth = union([(exactly(start), exactly(start + length)) for start, length in stretches]).low_ms
    known = union([(cut(start // 1000), cut((start + length) // 1000)) for start, length in stretches])
    assert known.low_ms <= truth <= known.high_ms


def test_abandoned_under_one_cycle_is_counted_apart() -> None:
    assert RULE.abandonment(Span(low_ms=4000, high_ms=4000)) == (Disposition.SHORT_ABANDONED, None)
    assert RULE.abandonment(Span(low_ms=7000, high_ms=7000)) == (Disposition.ABANDONED, None)
    assert RULE.abandonment(Span(low_ms=4500, high_ms=6500)) == (Disposition.ABANDONED, Verdict.UNDECIDED)


def test_share_uses_the_domain_denominator() -> None:
    share = Share.of(
        [
            (Disposition.ANSWERED, Verdict.WITHIN, 90),
            (Disposition.ANSWERED, Verdict.LATE, 4),
            (Disposition.VOICE_MAIL, None, 2),
            (Disposition.REFUSED, None, 1),
            (Disposition.RANG_OUT, None, 1),
            (Disposition.ABANDONED, None, 2),
            (Disposition.SHORT_ABANDONED, None, 50),
            (Disposition.LEFT_BEFORE_RINGING, None, 9),
            (Disposition.UNKNOWN, None, 3),
        ]
    )
    assert share.counted == 100
    assert share.low == share.high == pytest.approx(0.9)


def test_undecided_calls_make_the_share_a_band() -> None:
    share = Share.of(
        [
            (Disposition.ANSWERED, Verdict.WITHIN, 8),
            (Disposition.ANSWERED, Verdict.UNDECIDED, 1),
            (Disposition.ABANDONED, Verdict.UNDECIDED, 1),
        ]
    )
    assert share.low == pytest.approx(0.8)
    assert share.high == pytest.approx(1.0)
    assert Share.of([]).low is None
