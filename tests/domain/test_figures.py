"""The formulas, on calls that can be counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.figures import Band, Cell, Contacts, Groups, cell_of_call, figures_of, percentile
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, Verdict

EXACT = Span(low_ms=9000, high_ms=9000)


def call(disposition: Disposition, verdict: Verdict | None = None, speed: Span | None = None) -> Cell:
    talk = Span(low_ms=60_000, high_ms=60_000) if disposition is Disposition.ANSWERED else None
    return cell_of_call(disposition, verdict, speed, talk, in_time_ms=15_000)


def test_ten_calls_by_hand() -> None:
    figures = figures_of(
        [
            *[call(Disposition.ANSWERED, Verdict.WITHIN, EXACT)] * 4,
            call(Disposition.ANSWERED, Verdict.LATE, Span(low_ms=21_000, high_ms=21_000)),
            call(Disposition.ANSWERED, Verdict.UNDECIDED, Span(low_ms=14_000, high_ms=16_000)),
            call(Disposition.VOICE_MAIL),
            call(Disposition.ABANDONED),
            call(Disposition.ABANDONED, Verdict.UNDECIDED),
            call(Disposition.SHORT_ABANDONED),
        ]
    )
    share = figures.share
    assert (share.low, share.high) == pytest.approx((4 / 9, 5 / 8))
    assert figures.connection_rate == pytest.approx(0.6)
    assert figures.service_level == Band(low=4 / 9, high=5 / 8)
    assert figures.service_level_of_answered == Band(low=4 / 6, high=5 / 6)
    assert figures.abandonment == Band(low=1 / 8, high=2 / 9)
    assert figures.speed is not None
    assert (figures.speed.mean_ms, figures.speed.median_ms, figures.speed.longest_ms) == (12_000, 9000, 21_000)
    assert figures.times.mean_talk_ms == 60_000


def test_what_nobody_measured_has_no_figure() -> None:
    figures = figures_of([call(Disposition.ANSWERED, Verdict.WITHIN, EXACT)])
    assert figures.times.mean_handling_ms(None) is None
    assert figures.times.mean_handling_ms(30_000) == 90_000
    nothing = figures_of([])
    assert nothing.speed is nothing.service_level is nothing.connection_rate is nothing.abandonment is None
    assert figures_of([call(Disposition.ANSWERED, None, None)]).service_level == Band(low=0.0, high=1.0)


def test_handling_is_talk_with_hold_and_the_work_after_it() -> None:
    """Measured work after the call counts before what the settings say; a transfer only where lines tell of it."""

    def took(talk: int, hold: int | None, wrap: int | None, moved: bool | None) -> Cell:
        spans = [None if one is None else Span(low_ms=one, high_ms=one) for one in (talk, hold, wrap)]
        kind, verdict = Disposition.ANSWERED, Verdict.WITHIN
        return cell_of_call(
            kind, verdict, EXACT, spans[0], in_time_ms=15_000, hold=spans[1], wrap_up=spans[2], transferred=moved
        )

    calls = [took(60_000, 10_000, 20_000, True), took(90_000, 0, 40_000, False), took(30_000, None, None, None)]
    times = figures_of(calls).times
    assert (times.mean_talk_ms, times.mean_hold_ms, times.mean_wrap_ms) == (60_000, 5000, 30_000)
    assert times.mean_handling_ms(None) == times.mean_handling_ms(5000) == 90_000
    assert times.transfer_rate == 0.5


def test_first_contact_is_a_band_until_the_seven_days_are_over() -> None:
    contacts = Contacts(matters=10, again=2, open_matters=3, linked=12, repeats=2, promised=4, kept=3)
    assert contacts.first_contact_resolution == Band(low=0.5, high=0.8)
    assert (contacts.repeat_share, contacts.call_backs_kept) == pytest.approx((1 / 6, 0.75))
    none = Contacts(matters=0, again=0, open_matters=0, linked=0, repeats=0, promised=0, kept=0)
    assert none.first_contact_resolution is none.repeat_share is none.call_backs_kept is None


spans = st.tuples(st.integers(0, 60_000), st.integers(0, 3000)).map(lambda p: Span(low_ms=p[0], high_ms=p[0] + p[1]))
cells = st.lists(
    st.builds(call, st.sampled_from(Disposition), st.sampled_from([None, *Verdict]), st.one_of(st.none(), spans)),
    max_size=30,
)


@given(cells)
def test_grouping_calls_makes_no_difference(calls: list[Cell]) -> None:
    """A cell of several calls, as a database groups them, gives the same figures as the calls one by one."""
    groups = Groups()
    for one in calls:
        groups.add(one)
    assert groups.figures() == figures_of(calls)


@given(cells)
def test_every_band_is_a_share_and_in_order(calls: list[Cell]) -> None:
    figures = figures_of(calls)
    for band in (figures.service_level, figures.service_level_of_answered, figures.abandonment):
        assert band is None or 0 <= band.low <= band.high <= 1


@given(st.lists(st.integers(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_nearest_rank(values: list[int], share: float) -> None:
    found = percentile([(value, 1) for value in sorted(values)], share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
