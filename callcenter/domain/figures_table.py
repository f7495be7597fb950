"""Figures as a row of plain values, for files: the same names in CSV, JSON and the monthly ledger.

Times are milliseconds, shares lie between 0 and 1, and every share with undecided calls is two columns. The share
within three rings stands beside the speed of answer, as on every page.
"""

from typing import TypeAlias

from callcenter.domain.figures import Band, CallTimes, Contacts, Figures
from callcenter.domain.rings import Disposition

Row: TypeAlias = dict[str, int | float | None]
DIGITS = 6


def figures_row(figures: Figures) -> Row:
    share, speed = figures.share, figures.speed
    row: Row = {
        "offered": figures.offered,
        "connected": figures.connected,
        "connection_rate": rounded(figures.connection_rate),
        "within_three_rings": share.within,
        "late": share.late,
        "missed": share.missed,
        "undecided": share.undecided,
        "share_low": rounded(share.low),
        "share_high": rounded(share.high),
        "mean_speed_of_answer_ms": speed.mean_ms if speed else None,
        "median_speed_of_answer_ms": speed.median_ms if speed else None,
        "p95_speed_of_answer_ms": speed.p95_ms if speed else None,
        "longest_speed_of_answer_ms": speed.longest_ms if speed else None,
    }
    row |= _band("service_level", figures.service_level)
    row |= _band("service_level_of_answered", figures.service_level_of_answered)
    row |= _band("abandonment", figures.abandonment)
    row |= {kind.value: figures.of(kind) for kind in Disposition if kind not in NOT_LISTED}
    return row | times_row(figures.times)


def times_row(times: CallTimes) -> Row:
    return {
        "talk_ms": times.talk_ms,
        "mean_talk_ms": times.mean_talk_ms,
        "mean_hold_ms": times.mean_hold_ms,
        "mean_wrap_up_ms": times.mean_wrap_ms,
        "mean_handling_ms": times.mean_handling_ms(None),
        "transfer_rate": rounded(times.transfer_rate),
    }


def contacts_row(contacts: Contacts) -> Row:
    row: Row = {"matters": contacts.matters, "again_within_7_days": contacts.again, "open": contacts.open_matters}
    row |= _band("first_contact_resolution", contacts.first_contact_resolution)
    return row | {
        "calls_of_tickets": contacts.linked,
        "repeat_calls": contacts.repeats,
        "repeat_share": rounded(contacts.repeat_share),
        "call_backs_promised": contacts.promised,
        "call_backs_kept": contacts.kept,
        "call_backs_kept_share": rounded(contacts.call_backs_kept),
    }


NOT_LISTED = frozenset({Disposition.ANSWERED, Disposition.IN_PROGRESS, Disposition.OUTBOUND})


def _band(name: str, band: Band | None) -> Row:
    return {f"{name}_low": rounded(band.low if band else None), f"{name}_high": rounded(band.high if band else None)}


def rounded(share: float | None) -> float | None:
    return None if share is None else round(share, DIGITS)
