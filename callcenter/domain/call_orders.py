"""What a person at the console may have done to a call that goes on."""

from dataclasses import dataclass, replace
from enum import StrEnum


class OrderKind(StrEnum):
    """`consult` lets the agent speak to somebody else while the resident is held; then the resident is handed over to
    them, they are called off, or all three speak together (`join`). `transfer` passes the resident on unannounced.
    """

    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    CONSULT = "consult"
    HAND_OVER = "hand_over"
    CALL_OFF = "call_off"
    JOIN = "join"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    LISTEN = "listen"
    WHISPER = "whisper"
    STEP_IN = "step_in"
    LEAVE = "leave"


SUPERVISION = frozenset({OrderKind.LISTEN, OrderKind.WHISPER, OrderKind.STEP_IN, OrderKind.LEAVE})
"""Only a supervisor may; the phone that is rung for it is the supervisor's own."""
NAMES_SOMEBODY = frozenset({OrderKind.TRANSFER, OrderKind.CONSULT})
"""These need somebody who is rung."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """Somebody who can be rung: `id` is an agent's or department's of the settings, or the number itself."""

    id: str
    name: str
    phone: str
    must_confirm: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CallOrder:
    """`actor` is who asks (a login, or an agent at their phone). `party` is who is rung: by `NAMES_SOMEBODY` the one
    who is to speak to the resident, by `SUPERVISION` the supervisor.
    """

    kind: OrderKind
    actor: str
    party: Party | None = None


class Consulted(StrEnum):
    """How far somebody is who was called while the resident is held."""

    RINGING = "ringing"
    TALKING = "talking"


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkStanding:
    """A conversation as it stands. `with_whom` was called for it; `supervised`: a supervisor's phone is on it, how."""

    is_held: bool = False
    recording_paused: bool = False
    with_whom: str | None = None
    consulted: Consulted | None = None
    is_joined: bool = False
    supervised: OrderKind | None = None

    def possible(self) -> frozenset[OrderKind]:
        """What can be asked for as it stands."""
        recording = OrderKind.RESUME_RECORDING if self.recording_paused else OrderKind.PAUSE_RECORDING
        watching = set(SUPERVISION) - {self.supervised}
        if self.supervised is None:
            watching.discard(OrderKind.LEAVE)
        if self.is_joined:
            return frozenset({recording, *watching})
        if self.consulted is Consulted.TALKING:
            return frozenset({OrderKind.HAND_OVER, OrderKind.CALL_OFF, OrderKind.JOIN, recording, *watching})
        if self.consulted is Consulted.RINGING:
            return frozenset({OrderKind.HAND_OVER, OrderKind.CALL_OFF, recording, *watching})
        hold = OrderKind.RESUME if self.is_held else OrderKind.HOLD
        return frozenset({hold, OrderKind.TRANSFER, OrderKind.CONSULT, recording, *watching})

    def changed(self, **fields: object) -> "TalkStanding":
        return replace(self, **fields)  # type: ignore[arg-type]
