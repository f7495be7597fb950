"""The charts of the answering page: calls by hour, by day, and at which ring they were answered. Numbers only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callcenter.reports.answering import STANDINGS, CountedCalls
from callcenter.web import shapes
from callcenter.web.asked import Asked
from callcenter.web.visit import Visit

LEFT, WIDTH, FLOOR, HEIGHT = 28.0, 712.0, 180.0, 150.0
RINGS_WIDTH, RINGS_HEIGHT = 476.0, 140.0
MOST_RINGS = 7
MARKS = {"within": "ok", "undecided": "und", "late": "late", "missed": "bad"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One hour, day, or number of rings. `at` is what `CountedCalls.at` is."""

    at: Any
    label: str
    x: float
    left: float
    width: float
    bars: tuple[shapes.Bar, ...]
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    columns: tuple[Column, ...]
    scale: shapes.Scale

    def y(self, line: int) -> float:
        """Where a line of the count axis stands."""
        return round(FLOOR - line / self.scale.top * HEIGHT, 1)


def by_hour(hours: Sequence[CountedCalls]) -> Chart:
    return _stacks(hours, [str(hour.at) if hour.at % 3 == 0 else "" for hour in hours])


def by_day(days: Sequence[CountedCalls], visit: Visit) -> Chart:
    """A week's days are named; of a month's days only every fifth is."""
    if len(days) <= 7:
        return _stacks(days, [visit.formats.weekday(day.at) for day in days])
    return _stacks(days, [str(day.at.day) if day.at.day % 5 == 0 or day.at.day == 1 else "" for day in days])


def _stacks(counted: Sequence[CountedCalls], labels: Sequence[str]) -> Chart:
    scale = shapes.scale_for(max((one.total for one in counted), default=0))
    step = WIDTH / max(1, len(counted))
    width = min(step * 0.8, 60.0)
    columns = (
        Column(
            at=one.at,
            label=label,
            x=round(LEFT + number * step + step / 2, 1),
            left=round(LEFT + number * step, 1),
            width=round(step, 1),
            total=one.total,
            bars=tuple(
                shapes.stacked(
                    [(MARKS[name], getattr(one, name)) for name in STANDINGS],
                    scale=scale,
                    x=LEFT + number * step + (step - width) / 2,
                    width=width,
                    floor=FLOOR,
                    height=HEIGHT,
                )
            ),
        )
        for number, (one, label) in enumerate(zip(counted, labels, strict=True))
    )
    return Chart(columns=tuple(columns), scale=scale)


def now_x(wanted: Asked) -> float | None:
    """Where the day has got to."""
    if not wanted.is_running:
        return None
    local = wanted.now.astimezone(wanted.period.start.tzinfo)
    return round(LEFT + (local.hour + local.minute / 60) / 24 * WIDTH, 1)


def totals(hours: Iterable[CountedCalls]) -> dict[str, int]:
    kept = list(hours)
    return {name: sum(getattr(hour, name) for hour in kept) for name in STANDINGS}


def by_rings(counted: Mapping[tuple[int, int], int], missed: int, limit: int, visit: Visit) -> list[Column]:
    """At which ring calls were answered; what may be one of two stands between them; what nobody answered is last."""
    exact: dict[int, int] = {}
    open_ones = 0
    for (low, high), count in counted.items():
        if low == high or high <= limit or low > limit:
            exact[min(low, MOST_RINGS)] = exact.get(min(low, MOST_RINGS), 0) + count
        else:
            open_ones += count
    say = visit.catalog.gettext
    kinds: list[tuple[str, str, int]] = [("ok", str(ring), exact.get(ring, 0)) for ring in range(1, limit + 1)]
    kinds.append(("und", say("%(low)s或%(high)s", low=limit, high=limit + 1), open_ones))
    kinds += [
        ("late", str(ring) if ring < MOST_RINGS else f"≥{ring}", exact.get(ring, 0))
        for ring in range(limit + 1, MOST_RINGS + 1)
    ]
    kinds.append(("bad", say("未接"), missed))
    return _distribution(kinds)


def _distribution(kinds: list[tuple[str, str, int]]) -> list[Column]:
    highest = max((count for _, _, count in kinds), default=0) or 1
    scale = shapes.Scale(step=highest, top=highest)
    step = RINGS_WIDTH / len(kinds)
    width = step * 0.77
    return [
        Column(
            at=None,
            label=label,
            x=round(number * step + step / 2, 1),
            left=round(number * step, 1),
            width=width,
            total=count,
            bars=tuple(
                shapes.stacked(
                    ((kind, count),),
                    scale=scale,
                    x=number * step + (step - width) / 2,
                    width=width,
                    floor=FLOOR,
                    height=RINGS_HEIGHT,
                )
            ),
        )
        for number, (kind, label, count) in enumerate(kinds)
    ]
