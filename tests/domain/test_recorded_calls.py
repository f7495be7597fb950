"""Real calls' events, recorded from the provider simulator: any order with repeats folds to the same state."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.domain.calls import CallEvent, EventKind, LegOutcome
from callcenter.domain.folding import fold
from callcenter.domain.moments import Clock, Moment
from callcenter.domain.rings import Disposition, RingRule, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "events"
RULE = RingRule()


def recorded(name: str) -> list[CallEvent]:
    return [_event(row) for row in json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))]


def _event(row: dict[str, Any]) -> CallEvent:
    earliest, latest = (datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("earliest", "latest"))
    return CallEvent(
        event_id=row["event_id"],
        provider=row["provider"],
        call_id=row["call_id"],
        kind=EventKind(row["kind"]),
        at=Moment(earliest=earliest, latest=latest, clock=Clock(row["clock"])),
        leg_id=row["leg_id"],
        data=row["data"],
    )


@pytest.mark.parametrize("name", ["mobile-agent", "voice-mail", "abandoned"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_order_with_repeats_folds_to_one_state(name: str, data: st.DataObject) -> None:
    events = recorded(name)
    shuffled = data.draw(st.permutations(events))
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    places = data.draw(st.lists(st.integers(0, len(events)), min_size=len(again), max_size=len(again)))
    for place, event in zip(places, again, strict=True):
        shuffled.insert(place, event)
    assert fold(shuffled, RULE) == fold(events, RULE)


def test_agent_on_a_mobile_counts_from_the_key() -> None:
    state = fold(recorded("mobile-agent"), RULE)
    assert state.disposition is Disposition.ANSWERED
    assert state.verdict is Verdict.LATE
    assert state.answered_by == "lijia"
    assert [leg.outcome for leg in state.legs] == [LegOutcome.RANG_OUT, LegOutcome.BUSY, LegOutcome.ANSWERED]


def test_voice_mail_after_three_phones() -> None:
    state = fold(recorded("voice-mail"), RULE)
    assert state.disposition is Disposition.VOICE_MAIL
    assert [notice.content for notice in state.recordings] == ["voice_mail"]
    assert state.verdict is None


def test_abandoned_after_a_full_ring() -> None:
    state = fold(recorded("abandoned"), RULE)
    assert state.disposition is Disposition.ABANDONED
    assert state.answered_by is None
