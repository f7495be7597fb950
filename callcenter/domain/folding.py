"""A call as its events tell it: events in any order, repeated or late, fold to the same state."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from callcenter.domain.calls import (
    HOLD,
    TRANSFER,
    CallEvent,
    CallState,
    Direction,
    EndReason,
    EventKind,
    LegOutcome,
    LegState,
    OutboundOutcome,
    RecordingNotice,
)
from callcenter.domain.moments import Moment, Span, between, somewhere_between, union
from callcenter.domain.rings import Disposition, RingRule, Verdict

VOICE_MAIL = "voice_mail"


def fold(events: Iterable[CallEvent], rule: RingRule) -> CallState:
    """The state of one call. Order and repetition of `events` make no difference.

    Raises ValueError where there is no event, or where the events belong to several calls.
    """
    ordered = _in_order(events)
    first: dict[EventKind, CallEvent] = {}
    for event in ordered:
        if event.leg_id is None:
            first.setdefault(event.kind, event)
    started = first.get(EventKind.CALL_STARTED)
    ended = _final(ordered)
    legs = _legs(ordered, rule, ended)
    direction = Direction(_first_value(ordered, "direction") or Direction.INBOUND)
    recordings = _recordings(ordered)
    answering = _answering(direction, legs, first, ended, recordings, rule)
    after = _after_answer(ordered, ended, was_answered=answering["disposition"] is Disposition.ANSWERED)
    return CallState(
        call_id=ordered[0].call_id,
        provider=ordered[0].provider,
        direction=direction,
        from_number=_first_value(ordered, "from"),
        to_number=_first_value(ordered, "to"),
        purpose=_first_value(ordered, "purpose_id"),
        started=(started or ordered[0]).at,
        ended=ended.at if ended else None,
        outbound_outcome=_outbound_outcome(first, ended) if direction is Direction.OUTBOUND else None,
        legs=legs,
        keys=tuple((str(e.data["purpose"]), str(e.data["digits"])) for e in ordered if e.kind is EventKind.KEY_PRESSED),
        recordings=recordings,
        closed_unknown=EventKind.CALL_CLOSED_UNKNOWN in first and EventKind.CALL_ENDED not in first,
        hung_up_by=ended.data.get("hung_up_by") if ended else None,
        **answering,
        **after,
    )


def _in_order(events: Iterable[CallEvent]) -> list[CallEvent]:
    by_id: dict[str, CallEvent] = {}
    for event in events:
        known = by_id.get(event.event_id)
        if known is None or _key(event) < _key(known):
            by_id[event.event_id] = event
    if not by_id:
        raise ValueError("a call has at least one event")
    if len({event.call_id for event in by_id.values()}) > 1:
        raise ValueError("the events belong to several calls")
    return sorted(by_id.values(), key=_key)


_RANK = {kind: rank for rank, kind in enumerate(EventKind)}


def _key(event: CallEvent) -> tuple[datetime, int, str, datetime]:
    return event.at.earliest, _RANK[event.kind], event.event_id, event.at.latest


def _first_value(ordered: list[CallEvent], name: str) -> str | None:
    """The first value of `name` that the resident's leg gave, call_started before all others."""
    ranked = sorted(ordered, key=lambda event: event.kind is not EventKind.CALL_STARTED)
    return next((str(e.data[name]) for e in ranked if e.leg_id is None and e.data.get(name)), None)


def _final(ordered: list[CallEvent]) -> CallEvent | None:
    """The provider's own end of the call; a watchdog's closing only where there is none."""
    for kind in (EventKind.CALL_ENDED, EventKind.CALL_CLOSED_UNKNOWN):
        found = [event for event in ordered if event.kind is kind and event.leg_id is None]
        if found:
            return found[0]
    return None


def _legs(ordered: list[CallEvent], rule: RingRule, ended: CallEvent | None) -> tuple[LegState, ...]:
    by_leg: dict[str, list[CallEvent]] = {}
    for event in ordered:
        if event.leg_id is not None:
            by_leg.setdefault(event.leg_id, []).append(event)
    legs = [_leg(leg_id, events, rule, ended) for leg_id, events in by_leg.items()]
    return tuple(sorted(legs, key=lambda leg: (_begin(leg), leg.leg_id)))


def _begin(leg: LegState) -> float:
    moments = [m.earliest.timestamp() for m in (leg.initiated, leg.ringing, leg.answered, leg.ended) if m]
    return min(moments, default=0.0)


def _leg(leg_id: str, events: list[CallEvent], rule: RingRule, call_ended: CallEvent | None) -> LegState:
    first: dict[EventKind, CallEvent] = {}
    for event in events:
        first.setdefault(event.kind, event)
    picked_up, confirmed = first.get(EventKind.LEG_ANSWERED), first.get(EventKind.LEG_CONFIRMED)
    needs_key = any(event.data.get("needs_confirmation") for event in events)
    answer = (confirmed or (None if needs_key else picked_up)) if (confirmed or picked_up) else None
    end = first.get(EventKind.LEG_ENDED)
    over = end or (call_ended if call_ended and call_ended.kind is EventKind.CALL_ENDED else None)
    ringing = _ringing(first, answer)
    ring_end = answer or over
    ring = between(ringing, ring_end.at) if ringing and ring_end else None
    return LegState(
        leg_id=leg_id,
        agent=next((str(e.data["agent"]) for e in events if e.data.get("agent")), None),
        number=next((str(e.data["number"]) for e in events if e.data.get("number")), None),
        outcome=_leg_outcome(answer, picked_up, first.get(EventKind.LEG_RINGING), end, call_ended),
        initiated=_at(first.get(EventKind.LEG_INITIATED)),
        ringing=ringing,
        answered=_at(answer),
        ended=_at(over),
        ring=ring,
        rings=rule.rings_heard(ring) if ring else None,
        verdict=rule.verdict(ring) if ring and answer else None,
    )


def _ringing(first: Mapping[EventKind, CallEvent], answer: CallEvent | None) -> Moment | None:
    """When the phone began to ring; where that was not reported, somewhere between its dialling and its answer."""
    reported = first.get(EventKind.LEG_RINGING)
    if reported is not None or answer is None:
        return _at(reported)
    return somewhere_between((first.get(EventKind.LEG_INITIATED) or answer).at, answer.at)


def _at(event: CallEvent | None) -> Moment | None:
    return event.at if event else None


def _leg_outcome(
    answer: CallEvent | None,
    picked_up: CallEvent | None,
    ringing: CallEvent | None,
    end: CallEvent | None,
    call_ended: CallEvent | None,
) -> LegOutcome:
    if answer:
        return LegOutcome.ANSWERED
    if end is None and call_ended is None:
        return LegOutcome.RINGING
    if picked_up:
        return LegOutcome.NOT_CONFIRMED
    if end is None:
        return LegOutcome.CANCELLED
    return _unanswered(end, rang=ringing is not None)


def _unanswered(end: CallEvent, *, rang: bool) -> LegOutcome:
    """Refused only where the signalling proves it: a decline (603), or busy (486) from a phone that was ringing."""
    reason, sip_code = end.data.get("reason"), end.data.get("sip_code")
    if sip_code == 603 or (sip_code == 486 and rang):
        return LegOutcome.REFUSED
    if reason == EndReason.BUSY:
        return LegOutcome.BUSY
    if reason == EndReason.NO_ANSWER:
        return LegOutcome.RANG_OUT
    if reason == EndReason.FAILED:
        return LegOutcome.UNREACHABLE
    return LegOutcome.CANCELLED


def _answering(
    direction: Direction,
    legs: tuple[LegState, ...],
    first: Mapping[EventKind, CallEvent],
    ended: CallEvent | None,
    recordings: tuple[RecordingNotice, ...],
    rule: RingRule,
) -> dict[str, Any]:
    """The answering side of the state: who answered, what the caller heard ringing, and the verdict."""
    answering = min((leg for leg in legs if leg.answered), key=lambda leg: _moment_key(leg.answered), default=None)
    answered = answering.answered if answering else _at(first.get(EventKind.CALL_ANSWERED))
    voice_mail = _at(first.get(EventKind.VOICE_MAIL_STARTED))
    ring = _heard_ringing(legs, answering.answered if answering else None, open_until=voice_mail)
    disposition, verdict = _disposition(
        legs,
        first,
        ended,
        answering,
        ring,
        rule,
        left_voice_mail=any(notice.content == VOICE_MAIL for notice in recordings),
    )
    if direction is Direction.OUTBOUND:
        disposition, verdict, ring = Disposition.OUTBOUND, None, None
    offered = min(
        (leg.initiated or leg.ringing for leg in legs if leg.initiated or leg.ringing), key=_moment_key, default=None
    )
    speed = between(offered, answering.answered) if offered and answering and answering.answered else None
    left = min((at for at in (voice_mail, _at(ended)) if at), key=_moment_key, default=None)
    return {
        "answered": answered,
        "answered_by": answering.agent if answering else None,
        "ring": ring,
        "rings": rule.rings_heard(ring) if ring else None,
        "verdict": verdict,
        "disposition": disposition,
        "answer_speed": speed,
        "wait": speed if answering else between(offered, left) if offered and left else None,
        "talk": between(answered, ended.at) if answered and ended else None,
    }


def _after_answer(ordered: list[CallEvent], ended: CallEvent | None, *, was_answered: bool) -> dict[str, Any]:
    """Hold, transfer and the work after the call. Silence means none only where the line tells of such things."""
    if not was_answered:
        return {"hold": None, "wrap_up": None, "transferred": None}
    kinds = {event.kind for event in ordered}
    tells = {str(told) for event in ordered for told in event.data.get("tells") or ()}
    holds = union(_held(ordered, ended)) if EventKind.CALL_HELD in kinds or HOLD in tells else None
    done = next((event.at for event in ordered if event.kind is EventKind.WRAP_UP_ENDED), None)
    was_transferred = EventKind.CALL_TRANSFERRED in kinds
    return {
        "hold": holds if ended else None,
        "wrap_up": between(ended.at, done) if ended and done else None,
        "transferred": was_transferred if was_transferred or TRANSFER in tells else None,
    }


def _held(ordered: list[CallEvent], ended: CallEvent | None) -> Iterator[tuple[Moment, Moment]]:
    """Each hold to the end of it; one that was not ended lasts to the end of the call."""
    since: Moment | None = None
    for event in ordered:
        if event.kind is EventKind.CALL_HELD and since is None:
            since = event.at
        elif event.kind is EventKind.CALL_RESUMED and since is not None:
            yield since, event.at
            since = None
    if since is not None and ended is not None:
        yield since, ended.at


def _moment_key(moment: Moment | None) -> tuple[datetime, datetime]:
    if moment is None:
        raise ValueError("no moment to compare")
    return moment.earliest, moment.latest


def _heard_ringing(legs: tuple[LegState, ...], answered: Moment | None, *, open_until: Moment | None) -> Span | None:
    """All the ringing that the resident heard: the union of the legs' ringing, not their sum.

    It ends with the answer, also for phones that were hung up only a moment later; a leg whose own end was not
    reported ends where the caller was sent to voice mail. Phones that ring after it are transfers.
    """
    stretches = []
    for leg in legs:
        end = leg.answered or leg.ended or open_until
        if leg.ringing is None or end is None or (answered is not None and leg.ringing.earliest >= answered.latest):
            continue
        ends = [end] if answered is None else [end, answered]
        stretches.append((leg.ringing, min(ends, key=_moment_key)))
    return union(stretches) if stretches else None


def _disposition(
    legs: tuple[LegState, ...],
    first: Mapping[EventKind, CallEvent],
    ended: CallEvent | None,
    answering: LegState | None,
    ring: Span | None,
    rule: RingRule,
    *,
    left_voice_mail: bool,
) -> tuple[Disposition, Verdict | None]:
    if answering:
        return Disposition.ANSWERED, rule.verdict(ring) if ring else None
    if EventKind.VOICE_MAIL_STARTED in first or left_voice_mail:
        return Disposition.VOICE_MAIL, None
    if ended is None:
        return Disposition.IN_PROGRESS, None
    if ended.kind is EventKind.CALL_CLOSED_UNKNOWN:
        return Disposition.UNKNOWN, None
    outcomes = {leg.outcome for leg in legs}
    if not legs:
        return Disposition.LEFT_BEFORE_RINGING, None
    if LegOutcome.CANCELLED in outcomes:
        return rule.abandonment(ring) if ring else (Disposition.LEFT_BEFORE_RINGING, None)
    return (Disposition.REFUSED if LegOutcome.REFUSED in outcomes else Disposition.RANG_OUT), None


def _outbound_outcome(first: Mapping[EventKind, CallEvent], ended: CallEvent | None) -> OutboundOutcome:
    if ended is None:
        return OutboundOutcome.UNDER_WAY
    if ended.kind is EventKind.CALL_CLOSED_UNKNOWN:
        return OutboundOutcome.UNKNOWN
    if str(ended.data.get("answered_by", "")).startswith(("machine", "fax")):
        return OutboundOutcome.MACHINE
    reason, sip_code = ended.data.get("reason"), ended.data.get("sip_code")
    if reason == EndReason.COMPLETED:
        return OutboundOutcome.REACHED
    if sip_code == 603:
        return OutboundOutcome.REFUSED
    if sip_code in (404, 410, 484, 604):
        return OutboundOutcome.WRONG_NUMBER
    return {
        EndReason.BUSY: OutboundOutcome.BUSY,
        EndReason.NO_ANSWER: OutboundOutcome.NO_ANSWER,
        EndReason.CANCELLED: OutboundOutcome.NO_ANSWER,
    }.get(EndReason(reason) if reason else EndReason.FAILED, OutboundOutcome.FAILED)


def _recordings(ordered: list[CallEvent]) -> tuple[RecordingNotice, ...]:
    notices: dict[str, RecordingNotice] = {}
    for event in ordered:
        if event.kind not in (EventKind.RECORDING_READY, EventKind.RECORDING_FAILED):
            continue
        data, recording_id = event.data, str(event.data["recording_id"])
        ready = notices.get(recording_id)
        if ready is not None and not ready.failed:
            continue
        seconds = data.get("seconds")
        notices[recording_id] = RecordingNotice(
            recording_id=recording_id,
            url=str(data.get("url", "")),
            channels=int(data.get("channels", 1)),
            seconds=float(seconds) if seconds is not None else None,
            content=str(data.get("content", "conversation")),
            failed=event.kind is EventKind.RECORDING_FAILED,
        )
    return tuple(notices.values())
