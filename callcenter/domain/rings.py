"""The three-ring rule (三声内接听).

A ring is one full cycle of the ringing tone: in mainland China 1 s on and 4 s off. A call answered
after `t` seconds of ringing was heard to ring `floor(t / cycle) + 1` times, so it was answered within
three rings exactly when `t < 3 x cycle`. All figures are settings; these are the defaults.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from callcenter.domain.moments import Span


class Verdict(StrEnum):
    """Whether an answer came within the rings promised."""

    WITHIN = "within"
    LATE = "late"
    UNDECIDED = "undecided"


class Disposition(StrEnum):
    """How the company answered an inbound call, or did not. OUTBOUND: our own call, on which nobody waited for us."""

    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    VOICE_MAIL = "voice_mail"
    RANG_OUT = "rang_out"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    LEFT_BEFORE_RINGING = "left_before_ringing"
    UNKNOWN = "unknown"
    OUTBOUND = "outbound"


@dataclass(frozen=True, kw_only=True, slots=True)
class RingRule:
    """One cycle of the ringing tone in milliseconds, and how many cycles are promised."""

    cycle_ms: int = 5000
    rings: int = 3

    @property
    def limit_ms(self) -> int:
        return self.cycle_ms * self.rings

    @property
    def version(self) -> str:
        """The rule as it is kept beside what was judged by it: 3x5000."""
        return f"{self.rings}x{self.cycle_ms}"

    @classmethod
    def of_version(cls, version: str) -> "RingRule | None":
        """None where it is not known which rule it was."""
        rings, _, cycle_ms = version.partition("x")
        known = rings.isascii() and rings.isdigit() and cycle_ms.isascii() and cycle_ms.isdigit()
        return cls(rings=int(rings), cycle_ms=int(cycle_ms)) if known else None

    def verdict(self, ringing: Span) -> Verdict:
        if ringing.surely_below(self.limit_ms):
            return Verdict.WITHIN
        if ringing.surely_at_least(self.limit_ms):
            return Verdict.LATE
        return Verdict.UNDECIDED

    def rings_heard(self, ringing: Span) -> tuple[int, int]:
        """Fewest and most rings that can have been heard in this much ringing."""
        fewest = ringing.low_ms // self.cycle_ms + 1
        if ringing.is_exact:
            return fewest, fewest
        return fewest, max(fewest, -(-ringing.high_ms // self.cycle_ms))

    def abandonment(self, ringing: Span) -> tuple[Disposition, Verdict | None]:
        """A caller who left under one cycle is counted apart; one who may or may not have is undecided."""
        if ringing.surely_below(self.cycle_ms):
            return Disposition.SHORT_ABANDONED, None
        if ringing.surely_at_least(self.cycle_ms):
            return Disposition.ABANDONED, None
        return Disposition.ABANDONED, Verdict.UNDECIDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a rule makes of a call's ringing."""

    disposition: Disposition
    verdict: Verdict | None
    rings: tuple[int, int] | None


def judged_again(disposition: Disposition, ring: Span | None, rule: RingRule) -> Judgement:
    """A finished call under another rule, as folding its events would judge it. `ring`: what the resident heard."""
    if ring is None:
        return Judgement(disposition=disposition, verdict=None, rings=None)
    verdict: Verdict | None = None
    if disposition is Disposition.ANSWERED:
        verdict = rule.verdict(ring)
    elif disposition in (Disposition.ABANDONED, Disposition.SHORT_ABANDONED):
        disposition, verdict = rule.abandonment(ring)
    return Judgement(disposition=disposition, verdict=verdict, rings=rule.rings_heard(ring))


MISSED = frozenset({Disposition.RANG_OUT, Disposition.REFUSED, Disposition.VOICE_MAIL, Disposition.ABANDONED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """The within-three-rings share as a band: equal ends when nothing is undecided; None when nothing counts.

    within / (within + late + rang out + refused + voice mail + abandoned after a full cycle or more).
    """

    within: int
    late: int
    missed: int
    undecided_answered: int
    undecided_abandoned: int

    @property
    def counted(self) -> int:
        """Calls in the denominator, undecided ones included."""
        return self.within + self.late + self.missed + self.undecided_answered + self.undecided_abandoned

    @property
    def low(self) -> float | None:
        return self.within / self.counted if self.counted else None

    @property
    def high(self) -> float | None:
        counted = self.counted - self.undecided_abandoned
        if not counted:
            return None if not self.counted else 1.0
        return (self.within + self.undecided_answered) / counted

    @property
    def undecided(self) -> int:
        return self.undecided_answered + self.undecided_abandoned

    @classmethod
    def of(cls, outcomes: Iterable[tuple[Disposition, Verdict | None, int]]) -> "Share":
        """From (disposition, verdict, how many calls) rows."""
        tally = {"within": 0, "late": 0, "missed": 0, "undecided_answered": 0, "undecided_abandoned": 0}
        for disposition, verdict, count in outcomes:
            place = _place(disposition, verdict)
            if place:
                tally[place] += count
        return cls(**tally)


def standing(disposition: Disposition, verdict: Verdict | None) -> str | None:
    """Where a call stands in lists and charts: within, undecided, late, missed, or (not counted) nowhere."""
    place = _place(disposition, verdict)
    return "undecided" if place and place.startswith("undecided") else place


def _place(disposition: Disposition, verdict: Verdict | None) -> str | None:
    if disposition is Disposition.ANSWERED:
        if verdict is Verdict.UNDECIDED:
            return "undecided_answered"
        return verdict.value if verdict else None
    if disposition is Disposition.ABANDONED and verdict is Verdict.UNDECIDED:
        return "undecided_abandoned"
    return "missed" if disposition in MISSED else None
