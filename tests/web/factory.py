"""Rows as a busy Tuesday leaves them, and real WAV files, for the console's tests. Invented people throughout."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import text as sql

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_values
from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.db.tickets import (
    TicketCallRow,
    TicketDeadlineRow,
    TicketFieldRow,
    TicketHistoryRow,
    TicketRow,
)
from callcenter.db.users import UserRow
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.folding import fold
from callcenter.domain.moments import Clock, Moment
from callcenter.domain.rings import RingRule
from tests.web.sound import Said, write_wav

PASSWORD = "correct horse battery"


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)


def user(login: str, name: str, role: str, now: datetime, agent_id: str | None = None) -> UserRow:
    return UserRow(login=login, name=name, role=role, agent_id=agent_id, password_hash=_password_hash(), created_at=now)


@dataclass(frozen=True, kw_only=True)
class Ring:
    """One phone's ringing: whom, from which second of the call, for how long, and how it ended."""

    agent: str
    start: float
    seconds: float
    outcome: str = "answered"


@dataclass(frozen=True, kw_only=True)
class Story:
    """A call as it happened. `clock_whole_seconds`: the provider's stamps are cut to the second."""

    call_id: str
    at: datetime
    rings: tuple[Ring, ...] = ()
    talk_seconds: float = 60.0
    voice_mail: bool = False
    from_number: str | None = "+8613800016207"
    whole_seconds: bool = False
    said: tuple[Said, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


ENDS = {
    "answered": {"reason": "completed"},
    "refused": {"reason": "busy", "sip_code": 486},
    "rang_out": {"reason": "no_answer"},
    "cancelled": {"reason": "cancelled"},
}


def events_of(story: Story) -> list[CallEvent]:
    made: list[CallEvent] = []

    def add(kind: EventKind, seconds: float, leg: str | None = None, **data: Any) -> None:
        at = story.at + timedelta(seconds=seconds)
        moment = (
            Moment.whole_second(at.replace(microsecond=0))
            if story.whole_seconds
            else Moment.exactly(at, Clock.PROVIDER)
        )
        made.append(
            CallEvent(
                event_id=f"evt-{story.call_id}-{len(made) + 1}",
                provider="twilio",
                call_id=story.call_id,
                kind=kind,
                at=moment,
                leg_id=leg,
                data=data,
            )
        )

    add(EventKind.CALL_STARTED, 0, direction="inbound", **{"from": story.from_number, "to": "+8657100000001"})
    end = 6.0
    for number, ring in enumerate(story.rings, 1):
        leg = f"{story.call_id}-leg{number}"
        stop = ring.start + ring.seconds
        add(EventKind.LEG_INITIATED, max(0.0, ring.start - 0.8), leg, agent=ring.agent, number=f"sip:{ring.agent}@pbx")
        add(EventKind.LEG_RINGING, ring.start, leg, agent=ring.agent)
        if ring.outcome == "answered":
            add(EventKind.LEG_ANSWERED, stop, leg, agent=ring.agent)
        answered = ring.outcome == "answered"
        add(
            EventKind.LEG_ENDED,
            stop + (story.talk_seconds if answered else 0),
            leg,
            agent=ring.agent,
            **ENDS[ring.outcome],
        )
        end = max(end, stop + (story.talk_seconds if answered else 0))
    if story.voice_mail:
        add(EventKind.VOICE_MAIL_STARTED, end + 1)
        end += 1 + story.talk_seconds
    add(EventKind.CALL_ENDED, end, reason="completed", hung_up_by="resident")
    return made


def call_rows(story: Story) -> list[Any]:
    """The call, its legs and its stored events, folded by the domain's own rule."""
    events = events_of(story)
    state = fold(events, RingRule())
    assert state.ended is not None

    def ms(span: Any) -> tuple[int | None, int | None]:
        return (span.low_ms, span.high_ms) if span else (None, None)

    def at(moment: Moment | None) -> datetime | None:
        return moment.earliest if moment else None

    call = CallRow(
        id=story.call_id,
        provider="twilio",
        direction="inbound",
        from_number=story.from_number,
        to_number="+8657100000001",
        started_at=state.started.earliest,
        answered_at=at(state.answered),
        ended_at=at(state.ended),
        last_event_at=state.ended.latest,
        event_count=len(events),
        disposition=state.disposition.value,
        answered_by=state.answered_by,
        rings_low=state.rings[0] if state.rings else None,
        rings_high=state.rings[1] if state.rings else None,
        verdict=state.verdict.value if state.verdict else None,
        rule=RingRule().version,
        hung_up_by=state.hung_up_by,
    )
    call.ring_low_ms, call.ring_high_ms = ms(state.ring)
    call.answer_speed_low_ms, call.answer_speed_high_ms = ms(state.answer_speed)
    call.wait_low_ms, call.wait_high_ms = ms(state.wait)
    call.talk_low_ms, call.talk_high_ms = ms(state.talk)
    legs = []
    for leg in state.legs:
        low, high = ms(leg.ring)
        legs.append(
            CallLegRow(
                call_id=story.call_id,
                leg_id=leg.leg_id,
                agent=leg.agent,
                number=leg.number,
                outcome=leg.outcome.value,
                initiated_at=at(leg.initiated),
                ringing_at=at(leg.ringing),
                answered_at=at(leg.answered),
                ended_at=at(leg.ended),
                ring_low_ms=low,
                ring_high_ms=high,
                rings_low=leg.rings[0] if leg.rings else None,
                rings_high=leg.rings[1] if leg.rings else None,
                verdict=leg.verdict.value if leg.verdict else None,
            )
        )
    stored = [CallEventRow(**event_values(event, event.at.latest)) for event in events]
    return [call, *legs, *stored]


def recording_rows(story: Story, folder: Path, *, state: str = "transcribed") -> list[Any]:
    seconds = max((one[2] for one in story.said), default=4.0) + 1.0
    name = f"{story.call_id}.wav"
    peaks = write_wav(folder / name, story.said, seconds)
    recording = RecordingRow(
        id=f"rec-{story.call_id}",
        call_id=story.call_id,
        provider="twilio",
        url="https://api.twilio.com/x",
        content="voice_mail" if story.voice_mail else "conversation",
        channels=2,
        ready_at=story.at + timedelta(seconds=80),
        state=state,
        path=name,
        duration_ms=int(seconds * 1000),
        peaks=peaks,
        peaks_per_second=20,
        transcribed_at=story.at + timedelta(seconds=84),
        error="the recogniser gave up three times" if state == "failed" else None,
    )
    if state != "transcribed":
        return [recording]
    return [recording, *(_segment(recording, number, one) for number, one in enumerate(story.said))]


def _segment(recording: RecordingRow, number: int, said: Said) -> SegmentRow:
    side, start, end, words = said
    step = (end - start) * 1000 / max(1, len(words))
    timed = [
        [char, int(start * 1000 + i * step), int(start * 1000 + (i + 1) * step), 0.9] for i, char in enumerate(words)
    ]
    return SegmentRow(
        recording_id=recording.id,
        number=number,
        call_id=recording.call_id,
        side=side,
        start_ms=int(start * 1000),
        end_ms=int(end * 1000),
        text=words,
        words=timed,
    )


def evidence(story: Story, words: str) -> list[dict[str, Any]]:
    """Where these words were said."""
    for side, start, end, text in story.said:
        at = text.find(words)
        if at >= 0:
            step = (end - start) * 1000 / len(text)
            first = start * 1000 + at * step
            return [
                {
                    "side": side,
                    "words": words,
                    "start_ms": int(first),
                    "end_ms": int(first + len(words) * step),
                    "call_id": story.call_id,
                }
            ]
    raise AssertionError(f"nobody said {words!r}")


def field_row(ticket_id: int, name: str, heard: str, confidence: float, found: list[dict[str, Any]]) -> TicketFieldRow:
    sure = confidence >= 0.6
    return TicketFieldRow(
        ticket_id=ticket_id,
        field=name,
        state="heard" if sure else "unsure",
        heard=heard,
        value=heard if sure else None,
        confidence=confidence,
        evidence=found,
    )


def ticket(ticket_id: int, number: str, call_id: str, at: datetime, **columns: Any) -> TicketRow:
    values: dict[str, Any] = {
        "status": "open",
        "request_type": "repair",
        "category": "plumbing",
        "urgency": "normal",
        "caller_number": "+8613800016207",
        "needs_review": False,
        "must_listen": False,
    }
    return TicketRow(
        id=ticket_id, number=number, first_call_id=call_id, created_at=at, updated_at=at, **(values | columns)
    )


async def save(database: Database, *rows: Any) -> None:
    """In an order that foreign keys accept: what is named first is written first."""
    order = (UserRow, CallRow, CallLegRow, CallEventRow, RecordingRow, SegmentRow, TicketRow)
    rest = (TicketCallRow, TicketFieldRow, TicketDeadlineRow, TicketHistoryRow)
    async with database.write() as session:
        for kind in (*order, *rest):
            session.add_all(row for row in rows if isinstance(row, kind))
            await session.flush()
        if session.get_bind().dialect.name == "postgresql":  # ids were given: the next one comes after them
            await session.execute(sql("SELECT setval(pg_get_serial_sequence('tickets', 'id'), max(id)) FROM tickets"))
