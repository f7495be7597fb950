"""What our own decisions make happen, as events beside the provider's."""

from collections.abc import Sequence
from datetime import datetime

from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import Step, TakeVoiceMail, Wait


def events_of_steps(steps: Sequence[Step], *, provider: str, call_id: str, now: datetime) -> list[CallEvent]:
    """Sending the caller to voice mail, and telling them their place in the line."""
    events = []
    for step in steps:
        match step:
            case TakeVoiceMail():
                name, kind, data = "voice_mail", EventKind.VOICE_MAIL_STARTED, {}
            case Wait(waits=waits, ahead=ahead):
                name, kind, data = f"queued:{waits}", EventKind.CALL_QUEUED, {"place": ahead + 1}
            case _:
                continue
        at = Moment.exactly(now)
        event_id = f"{call_id}:{name}"
        events.append(CallEvent(event_id=event_id, provider=provider, call_id=call_id, kind=kind, at=at, data=data))
    return events
