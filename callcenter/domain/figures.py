"""The figures of a hotline, by their standard names: each has one formula, and it stands here.

They are computed from cells: calls that are alike in everything that a figure looks at, and how many of them there are.
A single call is a cell of one; a database groups a million calls into some hundred cells. Where a clock leaves open on
which side of a limit a call lies, the figure is a band. A figure whose parts nobody recorded is not computed at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil

from callcenter.domain.moments import Span
from callcenter.domain.rings import MISSED, Disposition, Share, Verdict

TENTH_MS = 100
"""Medians and percentiles are taken over tenths of a second, rounded down; sums and limits are exact."""

APART = frozenset({Disposition.SHORT_ABANDONED, Disposition.LEFT_BEFORE_RINGING, Disposition.UNKNOWN})
"""Counted as offered, and in no share but the connection rate: who left in the menu or within one ring was not kept
waiting by us, and of a call without an end nobody knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """`calls` calls alike. Speeds are milliseconds from the end of the menu to the answer (queue and ringing), the
    middle of what is known: `speed_tenths` in tenths of a second rounded down, `speed_ms` their sum.

    `surely_in_time` and `perhaps_in_time` count the answers within the time promised; `talk_ms` is the sum of `talks`,
    hold included. `holds`, `wraps` and `transfers_told` count the calls of which the line or the agent told how long
    they were held, how long the work after them took, and whether they were passed on (`transferred`).
    """

    disposition: Disposition
    verdict: Verdict | None = None
    calls: int = 1
    speed_tenths: int | None = None
    speed_ms: int = 0
    longest_ms: int = 0
    surely_in_time: int = 0
    perhaps_in_time: int = 0
    talks: int = 0
    talk_ms: int = 0
    holds: int = 0
    hold_ms: int = 0
    wraps: int = 0
    wrap_ms: int = 0
    transfers_told: int = 0
    transferred: int = 0


def cell_of_call(
    disposition: Disposition,
    verdict: Verdict | None,
    speed: Span | None,
    talk: Span | None,
    *,
    in_time_ms: int,
    hold: Span | None = None,
    wrap_up: Span | None = None,
    transferred: bool | None = None,
) -> Cell:
    """One call as a cell of one."""
    if disposition is not Disposition.ANSWERED:
        return Cell(disposition=disposition, verdict=verdict)
    return Cell(
        disposition=disposition,
        verdict=verdict,
        speed_tenths=speed.middle_ms // TENTH_MS if speed else None,
        speed_ms=speed.middle_ms if speed else 0,
        longest_ms=speed.middle_ms if speed else 0,
        surely_in_time=int(speed is not None and speed.surely_below(in_time_ms)),
        perhaps_in_time=int(speed is None or not speed.surely_at_least(in_time_ms)),
        talks=int(talk is not None),
        talk_ms=talk.middle_ms if talk else 0,
        holds=int(hold is not None),
        hold_ms=hold.middle_ms if hold else 0,
        wraps=int(wrap_up is not None),
        wrap_ms=wrap_up.middle_ms if wrap_up else 0,
        transfers_told=int(transferred is not None),
        transferred=int(transferred or False),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """A share between 0 and 1 as far as it is known: `low` equals `high` when nothing is open."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """Speed of answer of the calls that were answered, in milliseconds. `mean_ms` is the ASA."""

    calls: int
    mean_ms: int
    median_ms: int
    p95_ms: int
    longest_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CallTimes:
    """The time that answered calls take: each sum in milliseconds with the number of calls that it is known of."""

    talks: int = 0
    talk_ms: int = 0
    holds: int = 0
    hold_ms: int = 0
    wraps: int = 0
    wrap_ms: int = 0
    transfers_told: int = 0
    transferred: int = 0

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> "CallTimes":
        kept = list(cells)
        return cls(**{name: sum(getattr(cell, name) for cell in kept) for name in cls.__dataclass_fields__})

    @property
    def mean_talk_ms(self) -> int | None:
        """From the answer to the end of the call, hold included."""
        return _mean(self.talk_ms, self.talks)

    @property
    def mean_hold_ms(self) -> int | None:
        """Of all calls on lines that tell of hold, also those that were not held."""
        return _mean(self.hold_ms, self.holds)

    @property
    def mean_wrap_ms(self) -> int | None:
        """From the end of the call until the agent said that the work after it was done."""
        return _mean(self.wrap_ms, self.wraps)

    def mean_handling_ms(self, after_call_ms: int | None) -> int | None:
        """AHT: talk (with hold) and the work after the call, as measured; `after_call_ms` where it never was.

        None where nobody knows how long that work takes.
        """
        after = self.mean_wrap_ms if self.wraps else after_call_ms
        return None if self.mean_talk_ms is None or after is None else self.mean_talk_ms + after

    @property
    def transfer_rate(self) -> float | None:
        """Passed on to another phone / answered, on lines that tell of it."""
        return self.transferred / self.transfers_told if self.transfers_told else None


def _mean(total_ms: int, count: int) -> int | None:
    return round(total_ms / count) if count else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The figures of some calls. Shares are None where there is nothing to count."""

    by_disposition: Mapping[Disposition, int]
    share: Share
    speed: Speed | None
    surely_in_time: int
    perhaps_in_time: int
    times: "CallTimes"
    unmeasured: int = field(default=0)

    def of(self, *dispositions: Disposition) -> int:
        return sum(self.by_disposition.get(one, 0) for one in dispositions)

    @property
    def offered(self) -> int:
        """Every inbound call that was answered or is over."""
        return sum(count for kind, count in self.by_disposition.items() if kind is not Disposition.IN_PROGRESS)

    @property
    def connected(self) -> int:
        return self.of(Disposition.ANSWERED)

    @property
    def waited_for_us(self) -> int:
        """Answered, or left to voice mail, a phone that rang out or was refused, or an abandoned call."""
        return self.connected + self.of(*MISSED)

    @property
    def connection_rate(self) -> float | None:
        """Connected / offered (接通率); GB/T 33358 wants 95 % over 24 h."""
        return self.connected / self.offered if self.offered else None

    @property
    def service_level(self) -> Band | None:
        """Answered in time / all that waited for us (服务水平，含放弃)."""
        return _band(
            self.surely_in_time,
            self.waited_for_us,
            self.perhaps_in_time,
            self.waited_for_us - self.share.undecided_abandoned,
        )

    @property
    def service_level_of_answered(self) -> Band | None:
        """Answered in time / answered (服务水平，不含放弃)."""
        return _band(self.surely_in_time, self.connected, self.perhaps_in_time, self.connected)

    @property
    def abandonment(self) -> Band | None:
        """Abandoned after a full ring or more / all that waited for us; short ones are apart."""
        abandoned, perhaps = self.of(Disposition.ABANDONED), self.share.undecided_abandoned
        return _band(abandoned - perhaps, self.waited_for_us - perhaps, abandoned, self.waited_for_us)


def _band(low_part: int, low_whole: int, high_part: int, high_whole: int) -> Band | None:
    """From the least and the greatest fraction that are possible; an end without calls is as wide as it can be."""
    if low_whole <= 0 and high_whole <= 0:
        return None
    low = low_part / low_whole if low_whole > 0 else 0.0
    high = high_part / high_whole if high_whole > 0 else 1.0
    return Band(low=low, high=max(low, high))


class Groups:
    """Cells added one by one and kept as few: those alike are joined, so that a million calls stay some hundred."""

    def __init__(self) -> None:
        self._cells: dict[tuple[Disposition, Verdict | None, int | None], Cell] = {}

    def add(self, cell: Cell) -> None:
        key = (cell.disposition, cell.verdict, cell.speed_tenths)
        known = self._cells.get(key)
        self._cells[key] = cell if known is None else _joined(known, cell)

    def figures(self) -> "Figures":
        return figures_of(self._cells.values())


def _joined(one: Cell, other: Cell) -> Cell:
    """Two cells of the same disposition, verdict and speed as one."""
    return replace(
        one,
        calls=one.calls + other.calls,
        speed_ms=one.speed_ms + other.speed_ms,
        longest_ms=max(one.longest_ms, other.longest_ms),
        surely_in_time=one.surely_in_time + other.surely_in_time,
        perhaps_in_time=one.perhaps_in_time + other.perhaps_in_time,
        talks=one.talks + other.talks,
        talk_ms=one.talk_ms + other.talk_ms,
        holds=one.holds + other.holds,
        hold_ms=one.hold_ms + other.hold_ms,
        wraps=one.wraps + other.wraps,
        wrap_ms=one.wrap_ms + other.wrap_ms,
        transfers_told=one.transfers_told + other.transfers_told,
        transferred=one.transferred + other.transferred,
    )


def figures_of(cells: Iterable[Cell], *, speeds: Mapping[int, int] | None = None) -> Figures:
    """The figures of all the calls in these cells; one definition for every page, export and test.

    `speeds`: how many answers took how many tenths of a second, where the cells do not say it themselves.
    """
    kept = list(cells)
    by_disposition: dict[Disposition, int] = {}
    for cell in kept:
        by_disposition[cell.disposition] = by_disposition.get(cell.disposition, 0) + cell.calls
    answered = [cell for cell in kept if cell.disposition is Disposition.ANSWERED]
    speed = _speed(answered, _speeds(answered) if speeds is None else speeds)
    return Figures(
        by_disposition=by_disposition,
        share=Share.of((cell.disposition, cell.verdict, cell.calls) for cell in kept),
        speed=speed,
        surely_in_time=sum(cell.surely_in_time for cell in answered),
        perhaps_in_time=sum(cell.perhaps_in_time for cell in answered),
        times=CallTimes.of(answered),
        unmeasured=sum(cell.calls for cell in answered) - (speed.calls if speed else 0),
    )


def _speeds(answered: Iterable[Cell]) -> dict[int, int]:
    speeds: dict[int, int] = {}
    for cell in answered:
        if cell.speed_tenths is not None:
            speeds[cell.speed_tenths] = speeds.get(cell.speed_tenths, 0) + cell.calls
    return speeds


def _speed(answered: Iterable[Cell], speeds: Mapping[int, int]) -> Speed | None:
    kept, calls = list(answered), sum(speeds.values())
    if not calls:
        return None
    by_tenths = sorted(speeds.items())
    return Speed(
        calls=calls,
        mean_ms=round(sum(cell.speed_ms for cell in kept) / calls),
        median_ms=percentile(by_tenths, 0.5) * TENTH_MS,
        p95_ms=percentile(by_tenths, 0.95) * TENTH_MS,
        longest_ms=max(cell.longest_ms for cell in kept),
    )


def percentile(counted: Iterable[tuple[int, int]], share: float) -> int:
    """The nearest-rank percentile of (value, how many) pairs in ascending order. Raises ValueError without any."""
    pairs = list(counted)
    rank = max(1, ceil(share * sum(count for _, count in pairs)))
    for value, count in pairs:
        rank -= count
        if rank <= 0:
            return value
    raise ValueError("no values to take a percentile of")


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentFigures:
    """One agent's own phone, each time that it rang; legs that were cancelled are nobody's fault and not counted.

    `mean_ring_ms` is None where there was nothing to measure; `times` and `contacts` are of the calls that the
    agent took.
    """

    agent: str
    within: int = 0
    undecided: int = 0
    late: int = 0
    refused: int = 0
    rang_out: int = 0
    not_confirmed: int = 0
    mean_ring_ms: int | None = None
    times: CallTimes = CallTimes()
    contacts: "Contacts | None" = None

    @property
    def answered(self) -> int:
        return self.within + self.undecided + self.late

    @property
    def rang(self) -> int:
        return self.answered + self.refused + self.rang_out + self.not_confirmed

    @property
    def share(self) -> Band | None:
        return _band(self.within, self.rang, self.within + self.undecided, self.rang)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts:
    """How often a matter was settled with one contact, and whether we called back when we said.

    `matters`: tickets that residents' calls opened; `again`: a second contact about the same thing came within seven
    days; `open_matters`: none yet, but the seven days are not over. `linked`: calls that belong to a ticket, of which
    `repeats` were about one that was there. `promised`: call-backs that were due; `kept`: made by the time promised.
    """

    matters: int
    again: int
    open_matters: int
    linked: int
    repeats: int
    promised: int
    kept: int

    @classmethod
    def none(cls) -> "Contacts":
        return cls(matters=0, again=0, open_matters=0, linked=0, repeats=0, promised=0, kept=0)

    @property
    def first_contact_resolution(self) -> Band | None:
        settled = self.matters - self.again
        return _band(settled - self.open_matters, self.matters, settled, self.matters)

    @property
    def repeat_share(self) -> float | None:
        return self.repeats / self.linked if self.linked else None

    @property
    def call_backs_kept(self) -> float | None:
        return self.kept / self.promised if self.promised else None
