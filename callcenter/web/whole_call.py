"""One call from its first event to the end of the work after it, to scale: notice, ringing, talk, hold, wrap-up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.events import CallEventRow
from callcenter.domain.calls import EventKind
from callcenter.web.ledger import LEFT, WIDTH, Edge

SHORTEST_SECONDS = 20.0
NARROWEST = 1.0
TICKS = (5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
MOST_TICKS = 9
EDGE_Y = 54.0
EDGES = (
    EventKind.CALL_STARTED,
    EventKind.CALL_ANSWERED,
    EventKind.LEG_ANSWERED,
    EventKind.VOICE_MAIL_STARTED,
    EventKind.CALL_HELD,
    EventKind.CALL_RESUMED,
    EventKind.CALL_TRANSFERRED,
    EventKind.CALL_ENDED,
    EventKind.WRAP_UP_ENDED,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """`kind` is notice / wait / talk / hold / voice_mail / wrap_up."""

    kind: str
    x: float
    width: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeCall:
    """`ticks`: where a round number of seconds stands. `edges`: the events at which a stretch begins or ends."""

    ticks: tuple[tuple[float, int], ...]
    stretches: tuple[Stretch, ...]
    edges: tuple[Edge, ...]


def whole_call(call: CallRow, legs: Sequence[CallLegRow], events: Sequence[CallEventRow]) -> WholeCall | None:
    """None while the call goes on. `events` in the order in which the page lists and numbers them."""
    if call.ended_at is None:
        return None
    parts = list(_parts(call, legs, events, call.ended_at))
    last = max([call.ended_at, *(end for _, _, end in parts)])
    scale = (WIDTH - LEFT - 20) / max(SHORTEST_SECONDS, _seconds(call.started_at, last))
    return WholeCall(
        ticks=tuple(_ticks(scale)),
        stretches=tuple(
            Stretch(
                kind=kind,
                x=_x(call, start, scale),
                width=max(NARROWEST, round(_seconds(start, end) * scale - 1, 1)),
                seconds=_seconds(start, end),
            )
            for kind, start, end in parts
        ),
        edges=tuple(_edges(call, events, scale)),
    )


def _parts(
    call: CallRow, legs: Sequence[CallLegRow], events: Sequence[CallEventRow], ended: datetime
) -> Iterable[tuple[str, datetime, datetime]]:
    """Each stretch that lasted, in the order of their beginnings; a hold lies over the talk."""
    offered = min((at for leg in legs if (at := leg.initiated_at or leg.ringing_at)), default=None)
    mail = next((one.earliest for one in events if one.kind == EventKind.VOICE_MAIL_STARTED), None)
    answered = call.answered_at if call.answered_by or call.direction == "outbound" else None
    taken = answered or mail
    done = next((one.earliest for one in events if one.kind == EventKind.WRAP_UP_ENDED), None)
    parts = [
        ("notice", call.started_at, min(offered or taken or ended, ended)),
        ("wait", offered, min(taken or ended, ended)),
        ("talk" if answered else "voice_mail", taken, ended),
        *(("hold", begin, end) for begin, end in _holds(events, ended)),
        ("wrap_up", ended, done),
    ]
    return ((kind, begin, end) for kind, begin, end in parts if begin and end and begin < end)


def _holds(events: Iterable[CallEventRow], ended: datetime) -> Iterable[tuple[datetime, datetime]]:
    since: datetime | None = None
    for event in sorted(events, key=lambda one: one.earliest):
        if event.kind == EventKind.CALL_HELD:
            since = since or event.earliest
        elif event.kind == EventKind.CALL_RESUMED and since:
            yield since, event.earliest
            since = None
    if since:
        yield since, ended


def _edges(call: CallRow, events: Iterable[CallEventRow], scale: float) -> Iterable[Edge]:
    for number, event in enumerate(events, 1):
        if event.kind in EDGES:
            yield Edge(x=_x(call, event.earliest, scale), y=EDGE_Y, number=number, event=event)


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _x(call: CallRow, at: datetime, scale: float) -> float:
    return round(LEFT + _seconds(call.started_at, at) * scale, 1)


def _ticks(scale: float) -> Iterable[tuple[float, int]]:
    shown = (WIDTH - LEFT) / scale
    step = next((one for one in TICKS if shown / one <= MOST_TICKS), TICKS[-1])
    return ((round(LEFT + at * scale, 1), at) for at in range(0, int(shown) + 1, step))
