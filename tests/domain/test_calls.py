"""A call's events fold to one state, in whatever order and however often they came."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.calls import CallEvent, EventKind, LegOutcome, OutboundOutcome
from callcenter.domain.folding import fold
from callcenter.domain.moments import Clock, Moment, Span
from callcenter.domain.rings import Disposition, RingRule, Verdict

RULE = RingRule()
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def event(kind: EventKind, second: float, leg: str | None = None, **data: Any) -> CallEvent:
    at = Moment.exactly(START + timedelta(seconds=second), Clock.PROVIDER)
    name = f"{leg or 'call'}:{kind}:{data.get('recording_id', '')}"
    return CallEvent(event_id=name, provider="twilio", call_id="c1", kind=kind, at=at, leg_id=leg, data=data)


def leg(name: str, agent: str, rings_at: float, **ends: Any) -> list[CallEvent]:
    first = [
        event(EventKind.LEG_INITIATED, rings_at - 0.5, name, agent=agent),
        event(EventKind.LEG_RINGING, rings_at, name, agent=agent),
    ]
    answered = ends.pop("answered_at", None)
    if answered is not None:
        first.append(event(EventKind.LEG_ANSWERED, answered, name, agent=agent, **ends.pop("answer_data", {})))
    return [*first, event(EventKind.LEG_ENDED, ends.pop("ended_at"), name, agent=agent, **ends)]


STARTED = event(EventKind.CALL_STARTED, 0, direction="inbound", **{"from": "+8613812346207", "to": "+862112345678"})
ANSWERED_CALL = [
    STARTED,
    *leg("l1", "hewen", 4, ended_at=24, reason="no_answer"),
    *leg("l2", "chenmin", 25, answered_at=28, ended_at=90, reason="completed"),
    event(EventKind.RECORDING_READY, 92, recording_id="r1", url="https://x/r1", channels=2, seconds=62.0),
    event(EventKind.CALL_ENDED, 90, reason="completed"),
]


def test_answered_call_counts_all_the_ringing_that_was_heard() -> None:
    state = fold(ANSWERED_CALL, RULE)
    assert state.disposition is Disposition.ANSWERED
    assert state.answered_by == "chenmin"
    assert state.ring is not None
    assert state.ring.low_ms == 23_000
    assert state.rings == (5, 5)
    assert state.verdict is Verdict.LATE
    assert state.answer_speed is not None
    assert state.answer_speed.low_ms == 24_500
    assert [part.outcome for part in state.legs] == [LegOutcome.RANG_OUT, LegOutcome.ANSWERED]
    assert state.legs[1].verdict is Verdict.WITHIN
    assert state.recordings[0].seconds == 62.0


def test_a_wait_ends_with_the_answer_voice_mail_or_the_hang_up() -> None:
    assert (state := fold(ANSWERED_CALL, RULE)).wait == state.answer_speed
    rung_out = [one for one in ANSWERED_CALL if one.leg_id != "l2" and one.kind is not EventKind.RECORDING_READY]
    left = fold(rung_out, RULE).wait
    assert left is not None
    assert left.low_ms == 86_500
    mailed = fold([*rung_out, event(EventKind.VOICE_MAIL_STARTED, 26)], RULE).wait
    assert mailed is not None
    assert mailed.low_ms == 22_500
    assert fold([one for one in rung_out if one.leg_id is None], RULE).wait is None


@settings(max_examples=200)
@given(order=st.permutations(ANSWERED_CALL), again=st.lists(st.sampled_from(ANSWERED_CALL), max_size=6))
def test_any_order_with_duplicates_folds_to_the_same_state(order: list[CallEvent], again: list[CallEvent]) -> None:
    assert fold([*order, *again], RULE) == fold(ANSWERED_CALL, RULE)


@given(st.lists(st.sampled_from(ANSWERED_CALL), min_size=1))
def test_any_part_of_a_call_folds_without_an_error(some: list[CallEvent]) -> None:
    state = fold(some, RULE)
    assert state.call_id == "c1"
    assert fold(list(reversed(some)), RULE) == state


@pytest.mark.parametrize(
    ("code", "rang", "outcome"),
    [
        (603, True, LegOutcome.REFUSED),
        (603, False, LegOutcome.REFUSED),
        (486, True, LegOutcome.REFUSED),
        (486, False, LegOutcome.BUSY),
        (None, True, LegOutcome.BUSY),
    ],
)
def test_refusal_only_where_the_signalling_proves_it(code: int | None, rang: bool, outcome: LegOutcome) -> None:
    events = leg("l1", "hewen", 4, ended_at=9, reason="busy", sip_code=code)
    if not rang:
        events = [part for part in events if part.kind is not EventKind.LEG_RINGING]
    assert fold([STARTED, *events], RULE).legs[0].outcome is outcome


def test_outside_number_has_answered_only_after_the_key() -> None:
    picked_up = leg(
        "l1", "lijia", 4, answered_at=6, answer_data={"needs_confirmation": True}, ended_at=20, reason="completed"
    )
    unconfirmed = fold([STARTED, *picked_up, event(EventKind.CALL_ENDED, 40, reason="completed")], RULE)
    assert unconfirmed.legs[0].outcome is LegOutcome.NOT_CONFIRMED
    assert unconfirmed.disposition is Disposition.RANG_OUT
    key = event(EventKind.LEG_CONFIRMED, 8, "l1", agent="lijia", needs_confirmation=True)
    confirmed = fold([STARTED, *picked_up, key], RULE)
    assert confirmed.disposition is Disposition.ANSWERED
    assert confirmed.ring is not None
    assert confirmed.ring.low_ms == 4000


@pytest.mark.parametrize(
    ("gone_at", "disposition"),
    [(6.0, Disposition.SHORT_ABANDONED), (11.0, Disposition.ABANDONED)],
)
def test_resident_who_hangs_up_while_ringing(gone_at: float, disposition: Disposition) -> None:
    events = leg("l1", "hewen", 4, ended_at=gone_at, reason="cancelled")
    state = fold([STARTED, *events, event(EventKind.CALL_ENDED, gone_at, reason="completed")], RULE)
    assert state.disposition is disposition


def test_voice_mail_after_everyone_rang_out() -> None:
    state = fold(
        [
            STARTED,
            *leg("l1", "hewen", 4, ended_at=24, reason="no_answer"),
            event(EventKind.VOICE_MAIL_STARTED, 25),
            event(EventKind.CALL_ENDED, 60, reason="completed"),
        ],
        RULE,
    )
    assert state.disposition is Disposition.VOICE_MAIL
    assert state.ring is not None
    assert state.ring.low_ms == 20_000


def test_left_before_any_phone_rang() -> None:
    state = fold([STARTED, event(EventKind.CALL_ENDED, 3, reason="completed")], RULE)
    assert state.disposition is Disposition.LEFT_BEFORE_RINGING


def test_watchdog_closes_only_what_the_provider_did_not() -> None:
    closed = event(EventKind.CALL_CLOSED_UNKNOWN, 900)
    assert fold([STARTED, closed], RULE).disposition is Disposition.UNKNOWN
    late_end = fold([STARTED, closed, event(EventKind.CALL_ENDED, 30, reason="completed")], RULE)
    assert not late_end.closed_unknown
    assert late_end.ended is not None
    assert late_end.ended.earliest == START + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"reason": "completed"}, OutboundOutcome.REACHED),
        ({"reason": "completed", "answered_by": "machine_start"}, OutboundOutcome.MACHINE),
        ({"reason": "busy"}, OutboundOutcome.BUSY),
        ({"reason": "no_answer"}, OutboundOutcome.NO_ANSWER),
        ({"reason": "failed", "sip_code": 404}, OutboundOutcome.WRONG_NUMBER),
        ({"reason": "failed"}, OutboundOutcome.FAILED),
    ],
)
def test_outcome_of_our_own_calls(data: dict[str, Any], outcome: OutboundOutcome) -> None:
    end = event(EventKind.CALL_ENDED, 30, direction="outbound", purpose_id="7", **data)
    state = fold([end], RULE)
    assert state.outbound_outcome is outcome
    assert state.purpose == "7"


def test_events_of_two_calls_are_not_mixed() -> None:
    other = replace(STARTED, call_id="c2", event_id="other")
    with pytest.raises(ValueError, match="several calls"):
        fold([STARTED, other], RULE)
    with pytest.raises(ValueError, match="at least one event"):
        fold([], RULE)


def test_answer_without_reported_ringing_is_not_lost_from_the_share() -> None:
    events = [part for part in ANSWERED_CALL if part.kind is not EventKind.LEG_RINGING]
    state = fold([part for part in events if part.leg_id != "l1"], RULE)
    assert state.ring is not None
    assert (state.ring.low_ms, state.ring.high_ms) == (0, 3500)
    assert state.verdict is Verdict.WITHIN


def test_two_clocks_make_a_stretch_less_certain() -> None:
    """The key press has no stamp of the provider's: it is read from our clock, which may differ from theirs."""
    picked_up = leg("l1", "lijia", 4, answered_at=6, answer_data={"needs_confirmation": True}, ended_at=60)
    ours = Moment.exactly(START + timedelta(seconds=18), Clock.OURS)
    key = replace(event(EventKind.LEG_CONFIRMED, 0, "l1", agent="lijia", needs_confirmation=True), at=ours)
    state = fold([STARTED, *picked_up, key], RULE)
    assert state.ring is not None
    assert (state.ring.low_ms, state.ring.high_ms) == (12_000, 16_000)
    assert state.verdict is Verdict.UNDECIDED


def test_our_voice_mail_moment_never_shortens_what_the_provider_measured() -> None:
    early = replace(event(EventKind.VOICE_MAIL_STARTED, 0), at=Moment.exactly(START + timedelta(seconds=2), Clock.OURS))
    events = [STARTED, *leg("l1", "hewen", 4, ended_at=24, reason="no_answer"), early]
    state = fold([*events, event(EventKind.CALL_ENDED, 60, reason="completed")], RULE)
    assert state.disposition is Disposition.VOICE_MAIL
    assert state.ring is not None
    assert state.ring.low_ms == 20_000


def test_voice_mail_known_by_its_recording_alone() -> None:
    message = event(
        EventKind.RECORDING_READY, 62, recording_id="r1", url="https://x/r1", channels=1, content="voice_mail"
    )
    state = fold([STARTED, message, event(EventKind.CALL_ENDED, 60, reason="completed")], RULE)
    assert state.disposition is Disposition.VOICE_MAIL


def test_call_closed_as_unknown_does_not_ring_for_hours() -> None:
    ringing = leg("l1", "hewen", 4, ended_at=0)[:2]
    state = fold([STARTED, *ringing, event(EventKind.CALL_CLOSED_UNKNOWN, 9995)], RULE)
    assert state.disposition is Disposition.UNKNOWN
    assert state.legs[0].outcome is LegOutcome.CANCELLED
    assert state.ring is None


def test_hold_transfer_and_the_work_after_a_call() -> None:
    """Two holds, the second to the end of the call; done with it 40 s later, by our own clock."""
    events = [
        *ANSWERED_CALL,
        event(EventKind.CALL_HELD, 40),
        event(EventKind.CALL_RESUMED, 52),
        replace(event(EventKind.CALL_HELD, 85), event_id="second hold"),
        event(EventKind.CALL_TRANSFERRED, 84, to="+8657100000009"),
        replace(event(EventKind.WRAP_UP_ENDED, 0), at=Moment.exactly(START + timedelta(seconds=130), Clock.OURS)),
    ]
    for ordered in (events, events[::-1]):
        state = fold(ordered, RULE)
        assert state.hold == Span(low_ms=17_000, high_ms=17_000)
        assert state.wrap_up == Span(low_ms=38_000, high_ms=42_000), "two clocks"
        assert state.transferred is True
        assert state.talk == Span(low_ms=62_000, high_ms=62_000), "hold included"


def test_a_line_that_tells_nothing_of_hold_and_transfer_leaves_them_unknown() -> None:
    silent = fold(ANSWERED_CALL, RULE)
    assert silent.hold is silent.wrap_up is silent.transferred is None
    tells = [replace(STARTED, data={**STARTED.data, "tells": ["hold", "transfer"]}), *ANSWERED_CALL[1:]]
    told = fold(tells, RULE)
    assert (told.hold, told.transferred, told.wrap_up) == (Span(low_ms=0, high_ms=0), False, None)
    nobody = fold([tells[0], event(EventKind.CALL_ENDED, 9)], RULE)
    assert nobody.hold is nobody.transferred is None, "nobody took the call"
