"""The ring ledger (振铃账) of one call, to scale: what the flow did, what the resident heard, each phone's ringing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.events import CallEventRow
from callcenter.domain.rings import RingRule
from callcenter.web.shapes import Burst, bursts

LEFT, RIGHT, WIDTH = 100.0, 170.0, 1240.0
LEG_TOP, LEG_STEP = 118.0, 36.0
SHORTEST_SECONDS = 20.0
TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
MOST_TICKS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowPart:
    """`kind` is notice / queue / talk / voice_mail; `seconds` None while it lasts."""

    kind: str
    x: float
    width: float
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """Where something began or ended, and the event that says so: its number in the list of events."""

    x: float
    y: float
    number: int
    event: CallEventRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LegDrawing:
    leg: CallLegRow
    y: float
    bursts: tuple[Burst, ...]
    start_x: float
    end_x: float
    doubt_px: float
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    width: float
    height: float
    ticks: tuple[tuple[float, int], ...]
    flow: tuple[FlowPart, ...]
    heard: tuple[Burst, ...]
    stretches: tuple[tuple[float, float], ...]
    limit_x: float | None
    heard_end_x: float
    legs: tuple[LegDrawing, ...]
    edges: tuple[Edge, ...]
    hang_up: Edge | None


def ledger(call: CallRow, legs: Sequence[CallLegRow], events: Sequence[CallEventRow], rule: RingRule) -> Ledger | None:
    """None where no phone rang. `events` in the order in which the page lists and numbers them."""
    rang = [(leg, _since(call, leg.ringing_at), _ring_end(call, leg)) for leg in legs if leg.ringing_at]
    if not rang:
        return None
    stretches = _union([(start, end) for _, start, end in rang])
    longest = max(SHORTEST_SECONDS, max(end for _, end in stretches))
    scale = (WIDTH - LEFT - RIGHT) / longest
    heard, limit_x = _heard(stretches, rule, scale)
    drawn = tuple(_leg(*one, rule=rule, scale=scale, row=row) for row, one in enumerate(rang))
    numbered = _numbered(events)
    return Ledger(
        width=WIDTH,
        height=LEG_TOP + LEG_STEP * len(rang) - 4,
        ticks=tuple(_ticks(scale)),
        flow=tuple(_flow(call, legs, events, scale)),
        heard=heard,
        stretches=tuple((_x(start, scale), _x(end, scale)) for start, end in stretches),
        limit_x=limit_x,
        heard_end_x=_x(stretches[-1][1], scale),
        legs=drawn,
        edges=tuple(_edges(call, drawn, numbered, scale)),
        hang_up=_hang_up(numbered),
    )


Numbered = Mapping[tuple[str | None, str], tuple[int, CallEventRow]]
"""The first event of each kind on each leg, with its number."""

FLOW_Y = 28.0
LEG_STARTS, LEG_ENDS = ("leg_ringing", "leg_initiated"), ("leg_confirmed", "leg_answered", "leg_ended")


def _numbered(events: Iterable[CallEventRow]) -> Numbered:
    found: dict[tuple[str | None, str], tuple[int, CallEventRow]] = {}
    for number, event in enumerate(events, 1):
        found.setdefault((event.leg_id, event.kind), (number, event))
    return found


def _edges(call: CallRow, legs: Iterable[LegDrawing], events: Numbered, scale: float) -> Iterable[Edge]:
    """The call's begin, each phone's first and last moment of ringing, voice mail: drawn where they were."""
    for kind in ("call_started", "voice_mail_started"):
        if (None, kind) in events:
            number, event = events[(None, kind)]
            yield Edge(x=min(_x(_since(call, event.earliest), scale), WIDTH - 60), y=FLOW_Y, number=number, event=event)
    for leg in legs:
        answered = leg.leg.answered_at is not None
        for x, kinds in ((leg.start_x, LEG_STARTS), (leg.end_x, LEG_ENDS if answered else ("leg_ended",))):
            known = next((events[leg.leg.leg_id, kind] for kind in kinds if (leg.leg.leg_id, kind) in events), None)
            if known is not None:
                yield Edge(x=x, y=leg.y - 3, number=known[0], event=known[1])


def _hang_up(events: Numbered) -> Edge | None:
    """The end of the call, which lies beyond the drawing's right edge."""
    known = events.get((None, "call_ended")) or events.get((None, "call_closed_unknown"))
    return Edge(x=WIDTH, y=FLOW_Y, number=known[0], event=known[1]) if known else None


def _since(call: CallRow, at: datetime | None) -> float:
    return max(0.0, (at - call.started_at).total_seconds()) if at else 0.0


def _ring_end(call: CallRow, leg: CallLegRow) -> float:
    """Where the phone stopped ringing; the measured length wins over stamps cut to the second."""
    start = _since(call, leg.ringing_at)
    if leg.ring_low_ms is not None and leg.ring_high_ms is not None:
        return start + (leg.ring_low_ms + leg.ring_high_ms) / 2000
    return max(start, _since(call, leg.answered_at or leg.ended_at or call.answered_at or call.ended_at))


def _union(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1] + 0.05:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _x(seconds: float, scale: float) -> float:
    return round(LEFT + seconds * scale, 1)


def _heard(
    stretches: Sequence[tuple[float, float]], rule: RingRule, scale: float
) -> tuple[tuple[Burst, ...], float | None]:
    """The bell as the resident counted it, over all phones; and where the promised rings were used up."""
    drawn: list[Burst] = []
    limit_x: float | None = None
    before, limit, cycle = 0.0, rule.limit_ms / 1000, rule.cycle_ms / 1000
    for start, end in stretches:
        length = end - start
        for one in bursts(before + length, rule, scale=scale):
            began = (one.number - 1) * cycle
            if before <= began:
                drawn.append(
                    Burst(x=_x(start + began - before, scale), width=one.width, over=one.over, number=one.number)
                )
        if limit_x is None and before <= limit <= before + length:
            limit_x = _x(start + limit - before, scale)
        before += length
    if limit_x is None and before < limit:
        reached = _x(stretches[-1][1] + limit - before, scale)
        limit_x = reached if reached < WIDTH - 10 else None
    return tuple(drawn), limit_x


def _ticks(scale: float) -> Iterable[tuple[float, int]]:
    shown = (WIDTH - LEFT) / scale
    step = next((one for one in TICKS if shown / one <= MOST_TICKS), TICKS[-1])
    return ((_x(at, scale), at) for at in range(0, int(shown) + 1, step))


def _flow(
    call: CallRow, legs: Sequence[CallLegRow], events: Iterable[CallEventRow], scale: float
) -> Iterable[FlowPart]:
    offered = min((_since(call, at) for leg in legs if (at := leg.initiated_at or leg.ringing_at)), default=0.0)
    ringing = min((_since(call, leg.ringing_at) for leg in legs if leg.ringing_at), default=offered)
    if offered > 0.2:
        yield _part("notice", 0.0, offered, scale)
    if ringing - offered > 0.2:
        yield _part("queue", offered, ringing, scale)
    mail = next((event.earliest for event in events if event.kind == "voice_mail_started"), None)
    begins = call.answered_at if call.answered_by else mail
    if begins is None:
        return
    start = _since(call, begins)
    seconds = (call.ended_at - begins).total_seconds() if call.ended_at else None
    x = min(_x(start, scale), WIDTH - 60)
    yield FlowPart(kind="talk" if call.answered_by else "voice_mail", x=x, width=WIDTH - x, seconds=seconds)


def _part(kind: str, start: float, end: float, scale: float) -> FlowPart:
    width = max(1.0, round((end - start) * scale - 1, 1))
    return FlowPart(kind=kind, x=_x(start, scale), width=width, seconds=end - start)


def _leg(leg: CallLegRow, start: float, end: float, *, rule: RingRule, scale: float, row: int) -> LegDrawing:
    kinds = {"answered": "ok", "refused": "bad", "rang_out": "bad", "not_confirmed": "bad"}
    kind = kinds.get(leg.outcome, "t")
    if leg.outcome == "answered" and leg.verdict in ("late", "undecided"):
        kind = "late" if leg.verdict == "late" else "t"
    doubt = (leg.ring_high_ms or 0) - (leg.ring_low_ms or 0)
    return LegDrawing(
        leg=leg,
        y=LEG_TOP + LEG_STEP * row,
        bursts=tuple(bursts(end - start, rule, scale=scale, start_x=_x(start, scale))),
        start_x=_x(start, scale),
        end_x=_x(end, scale),
        doubt_px=round(doubt / 1000 * scale, 1),
        kind=kind,
    )
