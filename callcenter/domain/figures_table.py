"""Figures as a row of plain values, for files: the same names in CSV, JSON and the monthly ledger.

Times are milliseconds, shares lie between 0 and 1, and every share with undecided calls is two columns. The share
within three rings stands beside the speed of answer, as on every page.
"""

from typing import TypeAlias

from callcenter.domain.figures import Band, Figures
from callcenter.domain.rings import Disposition

Row: TypeAlias = dict[str, int | float | None]
DIGITS = 6


def figures_row(figures: Figures) -> Row:
    share, speed = figures.share, figures.speed
    row: Row = {
        "offered": figures.offered,
        "connected": figures.connected,
        "connection_rate": _rounded(figures.connection_rate),
        "within_three_rings": share.within,
        "late": share.late,
        "missed": share.missed,
        "undecided": share.undecided,
        "share_low": _rounded(share.low),
        "share_high": _rounded(share.high),
        "mean_speed_of_answer_ms": speed.mean_ms if speed else None,
        "median_speed_of_answer_ms": speed.median_ms if speed else None,
        "p95_speed_of_answer_ms": speed.p95_ms if speed else None,
        "longest_speed_of_answer_ms": speed.longest_ms if speed else None,
    }
    row |= _band("service_level", figures.service_level)
    row |= _band("service_level_of_answered", figures.service_level_of_answered)
    row |= _band("abandonment", figures.abandonment)
    row |= {kind.value: figures.of(kind) for kind in Disposition if kind not in NOT_LISTED}
    return row | {"talk_ms": figures.talk_ms, "mean_talk_ms": figures.mean_talk_ms}


NOT_LISTED = frozenset({Disposition.ANSWERED, Disposition.IN_PROGRESS, Disposition.OUTBOUND})


def _band(name: str, band: Band | None) -> Row:
    return {f"{name}_low": _rounded(band.low if band else None), f"{name}_high": _rounded(band.high if band else None)}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, DIGITS)
