"""The whole call as it is drawn: each stretch to scale, with the event at each of its ends."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.events import CallEventRow
from callcenter.domain.calls import EventKind
from callcenter.web.complaints import spark
from callcenter.web.whole_call import whole_call

BEGAN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def event(kind: EventKind, seconds: float) -> CallEventRow:
    return CallEventRow(kind=kind.value, earliest=at(seconds), latest=at(seconds), leg_id=None)


def call(*, ended: float | None, answered: float | None = None) -> CallRow:
    return CallRow(
        direction="inbound",
        started_at=BEGAN,
        answered_at=at(answered) if answered is not None else None,
        answered_by="li" if answered is not None else None,
        ended_at=at(ended) if ended is not None else None,
    )


LEG = CallLegRow(leg_id="l1", initiated_at=at(4), ringing_at=at(5))
TALKED = [
    event(EventKind.CALL_STARTED, 0),
    event(EventKind.LEG_ANSWERED, 14),
    event(EventKind.CALL_HELD, 30),
    event(EventKind.CALL_RESUMED, 50),
    event(EventKind.CALL_HELD, 70),
    event(EventKind.CALL_ENDED, 94),
    event(EventKind.WRAP_UP_ENDED, 114),
]


def test_every_stretch_is_to_scale() -> None:
    drawn = whole_call(call(ended=94, answered=14), [LEG], TALKED)
    assert drawn is not None
    assert [(one.kind, one.seconds) for one in drawn.stretches] == [
        ("notice", 4),
        ("wait", 10),
        ("talk", 80),
        ("hold", 20),
        ("hold", 24),  # never taken up again: until the end of the call
        ("wrap_up", 20),
    ]
    widths = {one.kind: (one.width + 1) / one.seconds for one in drawn.stretches}
    assert list(widths.values()) == [pytest.approx(widths["talk"], rel=0.02)] * len(widths)
    assert [edge.number for edge in drawn.edges] == [1, 2, 3, 4, 5, 6, 7]
    assert [edge.x for edge in drawn.edges] == sorted(edge.x for edge in drawn.edges)


def test_a_message_follows_the_wait() -> None:
    drawn = whole_call(call(ended=60), [LEG], [event(EventKind.VOICE_MAIL_STARTED, 35)])
    assert drawn is not None
    assert [(one.kind, one.seconds) for one in drawn.stretches] == [("notice", 4), ("wait", 31), ("voice_mail", 25)]


def test_a_call_that_rang_nobody_is_its_notice_alone_and_one_that_goes_on_is_not_drawn() -> None:
    drawn = whole_call(call(ended=6), [], [])
    assert drawn is not None
    assert [(one.kind, one.seconds) for one in drawn.stretches] == [("notice", 6)]
    assert whole_call(call(ended=None, answered=9), [LEG], []) is None


def test_small_columns_fill_the_height_of_the_highest() -> None:
    drawn = spark([0, 3, 6])
    assert drawn.columns == "M5 20v-10.0h4V20zM10 20v-20.0h4V20z"
    assert (drawn.width, drawn.counts, spark([0, 0]).columns) == (15, "0 3 6", "")
