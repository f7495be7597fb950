"""What the services need from the world outside, as Protocols: only where things really change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from callcenter.domain.call_orders import CallOrder, OrderKind, TalkStanding
from callcenter.domain.calls import CallEvent
from callcenter.domain.transcript import Side


class Clock(Protocol):
    """The time of day. Everything that needs the present asks this, so that tests and the demo can set it."""

    def now(self) -> datetime:
        """The present, timezone-aware, UTC."""
        ...


REMINDER = "reminder:"
ON_CALL = "on_call:"


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundCall:
    """A call that we want placed: `speech` is spoken, then a key is asked for where `asks_key` is set.

    `idempotency_key` is the same for every try at the same attempt: the provider must not dial twice for it.
    `purpose` comes back with every event of the call: reminder:7, on_call:3. `key_prompt` replaces the prompt for
    residents; `times` above 1 says text and prompt so often, and a key ends them at any moment. `kind` names the
    reminder's kind, whose keys are then asked for; `from_number` is the trunk's own, empty: the provider's. `agent`:
    this agent of the settings ordered the call and speaks on it; `speech` is all that is played to the resident then.
    """

    idempotency_key: str
    purpose: str
    to_number: str
    speech: str
    asks_key: bool = False
    key_prompt: str | None = None
    times: int = 1
    kind: str = ""
    from_number: str = ""
    agent: str = ""

    @property
    def reminder_id(self) -> int:
        """The reminder that it is made for. Raises ValueError for a call with another purpose."""
        return int(self.purpose.removeprefix(REMINDER))


class DialRefused(Exception):
    """The provider answered and did not place the call: nobody's phone rang."""


class DialUncertain(Exception):
    """No clear answer came from the provider: the phone may have rung. Never redial blindly."""


class Dialler(Protocol):
    """Places calls: to residents, and to on-call people in an emergency."""

    async def place_call(self, call: OutboundCall) -> str:
        """The call id under which its events will come back. Raises DialRefused or DialUncertain."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What one of our own people is told. `urgent` ones may be shown as alarms."""

    title: str
    body: str
    urgent: bool = False


class NotTold(Exception):
    """The message did not get through; says why, and never names an address: those are secrets."""


class Notifier(Protocol):
    """Tells our own people, each over their channels."""

    async def tell(self, person: str, channel: int, notice: Notice) -> None:
        """`channel` counts the person's channels from 0. Raises NotTold."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownCaller:
    """What decides who is rung for a caller: the agent who owns their open ticket, and their estate."""

    owner: str | None = None
    estate: str | None = None


class KnownCallers(Protocol):
    """Knows callers by their number, in memory: a caller never waits for it."""

    def of(self, from_number: str | None) -> KnownCaller | None:
        """None for a number that nothing is known of."""
        ...


class ProgressUnknown(Exception):
    """The tickets cannot be looked at now."""


class ProgressLookup(Protocol):
    """Knows how a caller's tickets stand."""

    async def heard_by(self, from_number: str | None) -> str | None:
        """What the caller hears about their open tickets, None where there is none. Raises ProgressUnknown."""
        ...

    async def heard_about(self, ticket_number: str) -> str | None:
        """What anybody may hear about this ticket, None where there is no such ticket. Raises ProgressUnknown."""
        ...


class IncidentLookup(Protocol):
    """Knows what is known already where a caller lives."""

    async def heard_on_arrival(self, from_number: str | None) -> str | None:
        """What the caller hears before anything is asked, None where nothing is known. Raises ProgressUnknown."""
        ...


class ProviderUnreachable(Exception):
    """The provider's REST interface did not answer."""


class CallLookup(Protocol):
    """Asks a provider what became of a call whose final event never came."""

    async def events_of(self, call_id: str) -> Sequence[CallEvent] | None:
        """What the provider knows now (call, child legs, recordings); None when it knows no such call.

        A call that still goes on has no `call_ended` among them. Raises ProviderUnreachable.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedRecording:
    """A recording on our disk."""

    path: Path
    size_bytes: int


class RecordingRejected(Exception):
    """The recording cannot be had, ever: another host, too large, not audio. The message says which."""


class RecordingUnavailable(Exception):
    """The recording cannot be had now; trying again later may help."""


class RecordingFetcher(Protocol):
    """Brings a provider's recording to our disk."""

    async def fetch(self, *, provider: str, url: str, channels: int, target: Path) -> FetchedRecording:
        """Downloads to `target`, resuming a part already there. Raises RecordingRejected, RecordingUnavailable."""
        ...


class TextToSpeech(Protocol):
    """Speaks a text as a WAV file."""

    async def speak(self, text: str, *, language: str = "zh") -> Path:
        """Where the audio lies."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveAudio:
    """A piece of one side of a call that still goes on: 16-bit little-endian mono samples at 8 kHz.

    `at_ms` is the stream's time at the first sample; pieces of a side follow on each other without a gap.
    """

    side: Side
    at_ms: int
    pcm: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamReport:
    """What a stream was like when it ended. `whole`: the provider itself said that it is over.

    `closed_for`: why we closed it ourselves; what was heard then is not the call.
    """

    whole: bool
    closed_for: str | None = None
    lost_frames: int = 0
    late_frames: int = 0
    bad_messages: int = 0


class LiveRefused(Exception):
    """This call is not transcribed while it goes on; the message is the reason in one word or a few."""


class LiveEar(Protocol):
    """Hears one call while it goes on."""

    @property
    def is_lost(self) -> bool:
        """Nobody listens any more: the rest of the sound need not be sent."""
        ...

    def hear(self, audio: LiveAudio) -> None:
        """Never waits and never raises."""
        ...

    async def end(self, report: StreamReport) -> None:
        """The stream is over; returns when all that was said is on its way into a ticket."""
        ...


class LiveListener(Protocol):
    """Takes calls to hear, whichever provider's; at most one stream a call."""

    async def begin(self, call_id: str, *, provider: str, stream_id: str) -> LiveEar:
        """Raises LiveRefused: unknown_call, second_stream, busy, no_recogniser, other_language."""
        ...


class OrderRefused(Exception):
    """A call cannot be dealt with so; `why` in a word: no_such_call, not_talking, not_possible, not_offered, failed."""

    def __init__(self, why: str, message: str = "") -> None:
        super().__init__(message or why)
        self.why = why


class CallControl(Protocol):
    """What people do to calls that go on, at one provider."""

    @property
    def offers(self) -> frozenset[OrderKind]:
        """What this provider can do at all."""
        ...

    def standing(self, call_id: str) -> TalkStanding | None:
        """None where nobody talks on such a call now, as far as we know."""
        ...

    async def carry_out(self, call_id: str, order: CallOrder) -> None:
        """Returns when it was begun: what comes of it is told by the call's events. Raises OrderRefused."""
        ...
