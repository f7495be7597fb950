"""Calls, phones and promises as figures look at them, and how they are counted."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.domain.calls import LegOutcome
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, Verdict

FORMAT = 3

COUNTED_LEGS = frozenset({LegOutcome.ANSWERED, LegOutcome.REFUSED, LegOutcome.RANG_OUT, LegOutcome.NOT_CONFIRMED})
"""Legs that were cancelled, busy or unreachable are nobody's fault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting:
    """How calls are counted: whose days they are, and what is in time. `version` stands beside what was counted so."""

    zone: ZoneInfo
    in_time_ms: int

    @property
    def version(self) -> str:
        return f"{FORMAT} {self.zone.key} {self.in_time_ms}"


@dataclass(frozen=True, kw_only=True, slots=True)
class OfTicket:
    """A call's place on its ticket. `estate` is empty where nobody knows it.

    `is_matter`: it opened a ticket with something to do. `came_again`: within the days of first-contact resolution a
    second contact came about it. `is_linked`: the resident called about it; `is_repeat`: it was there before.
    """

    estate: str
    is_matter: bool
    came_again: bool
    is_linked: bool
    is_repeat: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedCall:
    """An inbound call as figures look at it. `is_young`: the days of first-contact resolution are not over."""

    call_id: str
    number: str
    agent: str
    started_at: datetime
    disposition: Disposition
    verdict: Verdict | None
    rings: tuple[int, int] | None
    speed: Span | None
    wait: Span | None
    talk: Span | None
    hold: Span | None
    wrap_up: Span | None
    transferred: bool | None
    is_young: bool
    ticket: OfTicket | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedLeg:
    """One agent's phone on a call to `number`."""

    number: str
    agent: str
    outcome: LegOutcome
    verdict: Verdict | None
    ring: Span | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedPromise:
    """A call-back that was due, promised by `agent` on a call to `number`; `is_kept`: made by the time promised."""

    number: str
    estate: str
    agent: str
    is_kept: bool
