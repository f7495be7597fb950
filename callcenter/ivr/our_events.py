"""What our own decisions make happen, as events beside the provider's."""

from collections.abc import Sequence
from datetime import datetime

from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import Step, TakeVoiceMail


def events_of_steps(steps: Sequence[Step], *, provider: str, call_id: str, now: datetime) -> list[CallEvent]:
    """Sending the caller to voice mail."""
    if not any(isinstance(step, TakeVoiceMail) for step in steps):
        return []
    return [
        CallEvent(
            event_id=f"{call_id}:voice_mail",
            provider=provider,
            call_id=call_id,
            kind=EventKind.VOICE_MAIL_STARTED,
            at=Moment.exactly(now),
        )
    ]
