"""Complaint frequencies in words and drawings: what has changed beyond chance, and the seven days as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from callcenter.domain.tickets import Place
from callcenter.domain.trends import RateChange
from callcenter.reports.complaints import ComplaintReport, Trend
from callcenter.web import shapes
from callcenter.web.visit import Visit

LEFT, WIDTH, FLOOR, HEIGHT = 28.0, 712.0, 150.0, 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockColumn:
    """Seven days: where they stand, and how many complaints there were."""

    x: float
    left: float
    width: float
    bars: tuple[shapes.Bar, ...]
    total: int
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockChart:
    columns: tuple[BlockColumn, ...]
    scale: shapes.Scale

    def y(self, line: int) -> float:
        return round(FLOOR - line / self.scale.top * HEIGHT, 1)


def block_chart(found: ComplaintReport, visit: Visit) -> BlockChart:
    scale = shapes.scale_for(max((one.total for one in found.blocks), default=0))
    step = WIDTH / max(1, len(found.blocks))
    width = min(step * 0.7, 48.0)
    columns = []
    for number, one in enumerate(found.blocks):
        at = LEFT + number * step
        bars = shapes.stacked(
            [("count", one.total)], scale=scale, x=at + (step - width) / 2, width=width, floor=FLOOR, height=HEIGHT
        )
        columns.append(
            BlockColumn(
                x=round(at + step / 2, 1),
                left=round(at, 1),
                width=round(step, 1),
                bars=tuple(bars),
                total=one.total,
                label=f"{visit.formats.local(one.start):%m-%d}",
            )
        )
    return BlockChart(columns=tuple(columns), scale=scale)


SPARK_WIDTH, SPARK_HEIGHT, SPARK_STEP = 4, 20, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Spark:
    """The seven days of one kind or building as small columns, the oldest first; the highest fills the height.

    `columns`: the outline of all of them, as a path of SVG.
    """

    width: int
    columns: str
    counts: str


def spark(counts: Sequence[int]) -> Spark:
    per_count = SPARK_HEIGHT / max(1, *counts)
    columns = [
        f"M{number * SPARK_STEP} {SPARK_HEIGHT}v-{count * per_count:.1f}h{SPARK_WIDTH}V{SPARK_HEIGHT}z"
        for number, count in enumerate(counts)
        if count
    ]
    return Spark(width=len(counts) * SPARK_STEP, columns="".join(columns), counts=" ".join(map(str, counts)))


def ratio_words(change: RateChange, visit: Visit) -> str:
    """×1.8 (1.1–3.0), with the interval that chance leaves open."""
    if change.ratio is None:
        return visit.catalog.gettext("此前没有") if change.now else "–"
    high = "∞" if change.high == inf else f"{change.high:.1f}"
    return f"×{change.ratio:.1f} ({change.low:.1f}–{high})"


def chance_words(trend: Trend[Any]) -> str:
    return "<0.001" if trend.q < 0.001 else f"{trend.q:.3f}"


def building_words(place: Place, visit: Visit) -> str:
    return place.written() or visit.catalog.gettext("没有说哪一栋")
