"""A resident phones the hotline: the events that the provider tells of it, up to an agent, voice mail or giving up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from benchmarks.follow_up.provider import HOTLINE, event
from callcenter.domain.calls import CallEvent, Direction, EndReason, EventKind
from callcenter.domain.rings import Disposition

AGENTS = ("hewen", "lijia", "chenmin", "zhaolei")

HOW_IT_ENDS = (
    (Disposition.ANSWERED, 80),
    (Disposition.VOICE_MAIL, 8),
    (Disposition.ABANDONED, 5),
    (Disposition.RANG_OUT, 2),
    (Disposition.REFUSED, 1),
    (Disposition.SHORT_ABANDONED, 2),
    (Disposition.LEFT_BEFORE_RINGING, 2),
)
SECONDS = {Disposition.ANSWERED: 95, Disposition.VOICE_MAIL: 60, Disposition.LEFT_BEFORE_RINGING: 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class CallIn:
    """One call: its events in two parts, as they come in, and what there is to hear afterwards."""

    call_id: str
    disposition: Disposition
    at: datetime
    ended_at: datetime
    begins: tuple[CallEvent, ...]
    ends: tuple[CallEvent, ...]

    @property
    def is_recorded(self) -> bool:
        return self.disposition in (Disposition.ANSWERED, Disposition.VOICE_MAIL)


def call_in(call_id: str, number: str | None, at: datetime, draw: Random) -> CallIn:
    disposition = draw.choices([one for one, _ in HOW_IT_ENDS], [share for _, share in HOW_IT_ENDS])[0]
    agent = draw.choice(AGENTS)
    length = SECONDS.get(disposition, 30)
    begins = [
        event(EventKind.CALL_STARTED, call_id, at, direction=Direction.INBOUND.value, to=HOTLINE, **{"from": number})
    ]
    ends: list[CallEvent] = []
    leg = f"{call_id}-leg"
    if disposition is not Disposition.LEFT_BEFORE_RINGING:
        begins.append(event(EventKind.LEG_INITIATED, call_id, at + timedelta(seconds=4), leg_id=leg, agent=agent))
        begins.append(event(EventKind.LEG_RINGING, call_id, at + timedelta(seconds=5), leg_id=leg, agent=agent))
        ends += _leg_ends(disposition, call_id, leg, agent, at)
    if disposition is Disposition.SHORT_ABANDONED:
        length = 7
    ended_at = at + timedelta(seconds=length)
    ends.append(
        event(EventKind.CALL_ENDED, call_id, ended_at, reason=EndReason.COMPLETED.value, to=HOTLINE, **{"from": number})
    )
    return CallIn(
        call_id=call_id,
        disposition=disposition,
        at=at,
        ended_at=ended_at,
        begins=tuple(begins),
        ends=tuple(ends),
    )


def _leg_ends(disposition: Disposition, call_id: str, leg: str, agent: str, at: datetime) -> list[CallEvent]:
    def ended(seconds: float, reason: EndReason, sip_code: int | None = None) -> CallEvent:
        end = at + timedelta(seconds=seconds)
        return event(EventKind.LEG_ENDED, call_id, end, leg_id=leg, agent=agent, reason=reason.value, sip_code=sip_code)

    match disposition:
        case Disposition.ANSWERED:
            answered = event(EventKind.LEG_ANSWERED, call_id, at + timedelta(seconds=12), leg_id=leg, agent=agent)
            return [answered, ended(95, EndReason.COMPLETED)]
        case Disposition.VOICE_MAIL:
            mail = event(EventKind.VOICE_MAIL_STARTED, call_id, at + timedelta(seconds=26))
            return [ended(25, EndReason.NO_ANSWER), mail]
        case Disposition.RANG_OUT:
            return [ended(26, EndReason.NO_ANSWER)]
        case Disposition.REFUSED:
            return [ended(14, EndReason.BUSY, 603)]
        case Disposition.SHORT_ABANDONED:
            return [ended(7, EndReason.CANCELLED)]
        case _:
            return [ended(30, EndReason.CANCELLED)]
