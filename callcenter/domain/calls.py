"""What happens on a call (its events), and what the call is (its state, its legs, its recordings)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from callcenter.domain.moments import Moment, Span
from callcenter.domain.rings import Disposition, Verdict

FALLBACK_AGENT = "fallback"
"""Stands as the agent of the fallback number's phone: who is connected there has flowed out of the hotline."""


class Direction(StrEnum):
    """IMPORTED: a recording from before our time, of which no event tells; it counts in no figure."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    IMPORTED = "imported"


class EventKind(StrEnum):
    """What happened. `leg_*` speaks of an agent's phone, `call_*` of the resident's side of the call.

    `data` carries, by kind: call_started {direction, from, to, purpose?, tells?}, where `tells` lists what this line
    reports beyond ringing and answers (hold, transfer); key_pressed {digits, purpose}; call_transferred {to?, by?,
    announced?}; call_joined {to, by}: a third person speaks with the resident and the agent; call_queued {place}: the
    resident heard their place; recording_paused, recording_resumed {by}; supervised {how, by};
    leg_* {agent, number, needs_confirmation?}; leg_ended {reason, sip_code?}; call_ended {reason, answered_by?,
    hung_up_by?}; recording_* {recording_id, url, channels, seconds, content}; wrap_up_ended {agent}: our own console
    says that the work after the call is done; call_closed_unasked {}.
    """

    CALL_STARTED = "call_started"
    CALL_RINGING = "call_ringing"
    CALL_ANSWERED = "call_answered"
    KEY_PRESSED = "key_pressed"
    LEG_INITIATED = "leg_initiated"
    LEG_RINGING = "leg_ringing"
    LEG_ANSWERED = "leg_answered"
    LEG_CONFIRMED = "leg_confirmed"
    LEG_ENDED = "leg_ended"
    CALL_HELD = "call_held"
    CALL_RESUMED = "call_resumed"
    CALL_TRANSFERRED = "call_transferred"
    VOICE_MAIL_STARTED = "voice_mail_started"
    RECORDING_READY = "recording_ready"
    RECORDING_FAILED = "recording_failed"
    CALL_ENDED = "call_ended"
    CALL_CLOSED_UNKNOWN = "call_closed_unknown"
    WRAP_UP_ENDED = "wrap_up_ended"
    CALL_JOINED = "call_joined"
    RECORDING_PAUSED = "recording_paused"
    RECORDING_RESUMED = "recording_resumed"
    SUPERVISED = "supervised"
    CALL_QUEUED = "call_queued"


HOLD, TRANSFER = "hold", "transfer"
"""What a line may tell of: see `EventKind`."""


class EndReason(StrEnum):
    """Why a leg or a call ended, as the signalling says."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEvent:
    """One thing that happened to a call. `event_id` is unique: the same id twice is the same event."""

    event_id: str
    provider: str
    call_id: str
    kind: EventKind
    at: Moment
    leg_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class LegOutcome(StrEnum):
    """How an agent's phone was answered, or not."""

    RINGING = "ringing"
    ANSWERED = "answered"
    REFUSED = "refused"
    RANG_OUT = "rang_out"
    NOT_CONFIRMED = "not_confirmed"
    BUSY = "busy"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


class OutboundOutcome(StrEnum):
    """How a call of ours to a resident ended."""

    UNDER_WAY = "under_way"
    REACHED = "reached"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class LegState:
    """One agent's phone on one call."""

    leg_id: str
    agent: str | None
    number: str | None
    outcome: LegOutcome
    initiated: Moment | None
    ringing: Moment | None
    answered: Moment | None
    ended: Moment | None
    ring: Span | None
    rings: tuple[int, int] | None
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingNotice:
    """A recording that the provider says is ready (or failed)."""

    recording_id: str
    url: str
    channels: int
    seconds: float | None
    content: str
    failed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CallState:
    """The whole call, derived from its events by `folding.fold`.

    `hold`: how long the resident was held in all; `wrap_up`: the work after the call; `transferred`: passed on to
    another phone. Each None where nobody told.
    """

    call_id: str
    provider: str
    direction: Direction
    from_number: str | None
    to_number: str | None
    purpose: str | None
    started: Moment
    answered: Moment | None
    ended: Moment | None
    disposition: Disposition
    outbound_outcome: OutboundOutcome | None
    answered_by: str | None
    ring: Span | None
    rings: tuple[int, int] | None
    verdict: Verdict | None
    answer_speed: Span | None
    wait: Span | None
    talk: Span | None
    hold: Span | None
    wrap_up: Span | None
    transferred: bool | None
    legs: tuple[LegState, ...]
    keys: tuple[tuple[str, str], ...]
    recordings: tuple[RecordingNotice, ...]
    closed_unknown: bool
    hung_up_by: str | None

    @property
    def is_over(self) -> bool:
        return self.ended is not None
