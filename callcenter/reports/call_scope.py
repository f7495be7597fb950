"""Which calls a figure is about: a stretch of time, perhaps one number, and what became of the call.

Every figure of the answering page has its entry in `WHICH`, so that it opens down to the calls that it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, select, true
from sqlalchemy.orm import aliased

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.tickets import TicketCallRow
from callcenter.domain.calls import FALLBACK_AGENT, Direction, LegOutcome
from callcenter.domain.counted_calls import COUNTED_LEGS
from callcenter.domain.rings import MISSED, Disposition, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Inbound calls that began in [start, end); `number`: only those to this number of ours."""

    start: datetime
    end: datetime
    number: str | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        conditions = [
            CallRow.direction == Direction.INBOUND.value,
            CallRow.started_at >= self.start,
            CallRow.started_at < self.end,
        ]
        if self.number is not None:
            conditions.append(CallRow.to_number == self.number)
        return and_(*conditions)

    def within(self, start: datetime, end: datetime) -> "Scope":
        return replace(self, start=start, end=end)


def middle_of(low: Any, high: Any) -> Any:
    """The middle of a span's two columns in whole milliseconds."""
    return (low + high) // 2


def surely_below(low: Any, high: Any, limit_ms: int) -> ColumnElement[bool]:
    """As `Span.surely_below` has it."""
    return case((low == high, low < limit_ms), else_=high <= limit_ms)


def _was(*dispositions: Disposition) -> ColumnElement[bool]:
    return CallRow.disposition.in_([one.value for one in dispositions])


def _judged(verdict: Verdict) -> ColumnElement[bool]:
    return CallRow.verdict == verdict.value


_ANSWERED = _was(Disposition.ANSWERED)
_UNDECIDED = and_(_was(Disposition.ANSWERED, Disposition.ABANDONED), _judged(Verdict.UNDECIDED))
_MISSED = and_(_was(*MISSED), or_(CallRow.verdict.is_(None), CallRow.verdict != Verdict.UNDECIDED.value))
_WITHIN, _LATE = and_(_ANSWERED, _judged(Verdict.WITHIN)), and_(_ANSWERED, _judged(Verdict.LATE))


def _linked_as(*relations: str) -> ColumnElement[bool]:
    return exists().where(TicketCallRow.call_id == CallRow.id, TicketCallRow.relation.in_(relations))


FIRST, REPEATS = "first", ("repeat", "merged")
"""How a call belongs to its ticket: it opened it, or it was about one that was there."""


WHICH: Mapping[str, ColumnElement[bool]] = {
    "offered": CallRow.disposition != Disposition.IN_PROGRESS.value,
    "counted": or_(_WITHIN, _LATE, _UNDECIDED, _MISSED),
    "within": _WITHIN,
    "late": _LATE,
    "undecided": _UNDECIDED,
    "missed": _MISSED,
    "noted": or_(_LATE, _UNDECIDED, _MISSED),
    "connected": _ANSWERED,
    "not_connected": and_(
        CallRow.disposition != Disposition.IN_PROGRESS.value, CallRow.disposition != Disposition.ANSWERED.value
    ),
    "waited": or_(_ANSWERED, _was(*MISSED)),
    "abandoned": _was(Disposition.ABANDONED),
    "voice_mail": _was(Disposition.VOICE_MAIL),
    "rang_out": _was(Disposition.RANG_OUT),
    "refused": _was(Disposition.REFUSED),
    "short": _was(Disposition.SHORT_ABANDONED),
    "left": _was(Disposition.LEFT_BEFORE_RINGING),
    "unknown": _was(Disposition.UNKNOWN),
    "linked": _linked_as(FIRST, *REPEATS),
    "repeats": _linked_as(*REPEATS),
    "flow_out": and_(_ANSWERED, CallRow.answered_by == FALLBACK_AGENT),
    "transferred": and_(_ANSWERED, CallRow.transferred.is_(True)),
}


def slow(in_time_ms: int) -> ColumnElement[bool]:
    """Answered, but not surely within this time from the end of the menu."""
    low, high = CallRow.answer_speed_low_ms, CallRow.answer_speed_high_ms
    return and_(_ANSWERED, or_(low.is_(None), ~surely_below(low, high, in_time_ms)))


def of_agent(agent: str, outcome: LegOutcome | None = None, verdict: Verdict | None = None) -> ColumnElement[bool]:
    """The agent's own phone rang, with this outcome and verdict."""
    leg = aliased(CallLegRow)
    conditions = [
        leg.call_id == CallRow.id,
        leg.agent == agent,
        leg.outcome.in_(sorted(one.value for one in COUNTED_LEGS)),
    ]
    if outcome is not None:
        conditions.append(leg.outcome == outcome.value)
    if verdict is not None:
        conditions.append(leg.verdict == verdict.value)
    return exists().where(*conditions)


def any_agent(outcome: LegOutcome) -> ColumnElement[bool]:
    """Somebody's phone rang and ended like this."""
    return exists(select(true()).where(CallLegRow.call_id == CallRow.id, CallLegRow.outcome == outcome.value))
