"""Where the marks of a drawing stand: ring strips, the hourly chart, the band. Numbers only; templates draw them.

A ring is drawn to scale: one fifth of the cycle sounding, the rest silent, with a line where the promised rings end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.domain.rings import RingRule

SOUNDING_SHARE = 0.2
STRIP_PX_PER_SECOND = 3.6
STRIP_LONGEST_SECONDS = 45.0
MARK_PX = 12.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Burst:
    """One sounding of the bell; `over` once the promised rings are used up."""

    x: float
    width: float
    over: bool
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """A ring strip: `mark` is ok / late / bad / und and stands at the end of the ringing."""

    width: float
    bursts: tuple[Burst, ...]
    rest_x: float
    limit_x: float
    mark: str
    mark_x: float
    cut: bool


def strip(ring_ms: int, rule: RingRule, mark: str, *, snug: bool = False) -> Strip:
    """The ringing that a resident heard, on a fixed scale so that lists can be compared by eye.

    `snug` leaves out the empty rest of the scale, for a strip that stands alone in a line.
    """
    scale = STRIP_PX_PER_SECOND
    longest = max(STRIP_LONGEST_SECONDS, rule.limit_ms / 1000 + 10)
    seconds = min(ring_ms / 1000, longest)
    end = round(seconds * scale, 1)
    return Strip(
        width=round((max(seconds, rule.limit_ms / 1000) if snug else longest) * scale + MARK_PX, 1),
        bursts=tuple(bursts(seconds, rule, scale=scale)),
        rest_x=end,
        limit_x=round(rule.limit_ms / 1000 * scale, 1),
        mark=mark,
        mark_x=round(max(end, MARK_PX / 2) + MARK_PX / 2, 1),
        cut=ring_ms / 1000 > longest,
    )


def bursts(seconds: float, rule: RingRule, *, scale: float, start_x: float = 0.0) -> list[Burst]:
    """The soundings within so many seconds of ringing."""
    cycle = rule.cycle_ms / 1000
    drawn = []
    number = 0
    while number * cycle < seconds:
        begins = number * cycle
        length = min(cycle * SOUNDING_SHARE, seconds - begins)
        drawn.append(
            Burst(
                x=round(start_x + begins * scale, 1),
                width=round(max(length * scale, 1.0), 1),
                over=begins * 1000 >= rule.limit_ms,
                number=number + 1,
            )
        )
        number += 1
    return drawn


def mark_of(disposition: str, verdict: str | None) -> str:
    """● in time, ▲ late, ◐ undecided, × missed."""
    if verdict == "undecided":
        return "und"
    if disposition == "answered":
        return {"within": "ok", "late": "late"}.get(verdict or "", "und")
    return "bad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """A count axis with round steps; `top` is where the highest line stands."""

    step: int
    top: int

    @property
    def lines(self) -> range:
        return range(0, self.top + 1, self.step)


def scale_for(highest: int) -> Scale:
    step = next(one for one in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if highest <= one * 5)
    return Scale(step=step, top=max(step, -(-highest // step) * step))


def stacked(
    counts: Sequence[tuple[str, int]], *, scale: Scale, x: float, width: float, floor: float, height: float
) -> list[Bar]:
    """One column: its parts from the floor up, a hair apart so that they can be told apart without colour."""
    bars = []
    below = 0
    per_count = height / scale.top
    for kind, count in counts:
        if not count:
            continue
        top = floor - (below + count) * per_count
        bars.append(
            Bar(
                kind=kind,
                x=round(x, 1),
                y=round(top, 1),
                width=round(width, 1),
                height=round(max(count * per_count - 0.75, 1.2), 2),
            )
        )
        below += count
    return bars


@dataclass(frozen=True, kw_only=True, slots=True)
class BandDrawing:
    """The share as a bar whose hatched end is what is undecided; the axis begins below the share."""

    axis_from: float
    width: float
    inside: float
    undecided: float
    goal: float


def band(low: float, high: float, goal: float, *, width: float = 600.0) -> BandDrawing:
    """The axis starts at a round share under both the figure and its goal, so that the difference can be seen."""
    lowest = min(low, goal)
    axis_from = next(start for start in (0.88, 0.8, 0.6, 0.4, 0.0) if lowest >= start + 0.02 or start == 0.0)
    per_share = width / (1 - axis_from)
    return BandDrawing(
        axis_from=axis_from,
        width=width,
        inside=round((low - axis_from) * per_share, 1),
        undecided=round((high - low) * per_share, 1),
        goal=round((goal - axis_from) * per_share, 1),
    )
