"""Twilio-compatible providers: signed form webhooks in, TwiML out (SignalWire and Telnyx TeXML speak it too).

The hooks, all POST under `/ivr/twilio/`: `voice` (a resident calls), `menu`, `dial` (the end of a round of ringing),
`queue` (a stretch of waiting in line is over),
`ticket-number` (a caller keys or says one), `arrived` (an on-call person phones in and keys it),
`leg` (progress of an agent's phone), `confirm` and `confirmed` (an outside number's key press), `voicemail`,
`recording`, `status` (end of the resident's call), `outbound-status` and `outbound-key` (our own calls), `fallback`.
What we must know again when the provider comes back stands in the query of the URLs that we give it; they are signed.
"""

import base64
import functools
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hmac import compare_digest
from typing import Any

from multidict import MultiDictProxy
from twilio.request_validator import (
    HMAC_SHA1,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from yarl import URL

from callcenter.config import TwilioSettings
from callcenter.domain.calls import CallEvent, Direction, EndReason, EventKind
from callcenter.domain.moments import Clock, Moment
from callcenter.ivr.provider import (
    KEEP_PLACE_KEY,
    QUEUE,
    AgentPickedUp,
    AgentPressed,
    ArrivalPressed,
    BadSignature,
    DialEnded,
    EndpointClosed,
    Incoming,
    MalformedWebhook,
    MenuEnded,
    OnCallPressed,
    Reply,
    ResidentPressed,
    Step,
    TicketNumberGiven,
    Trouble,
    UnknownHook,
    VoiceMailEnded,
    WaitEnded,
    Webhook,
    WebhookRequest,
)
from callcenter.ivr.providers.twiml import NAME, TwimlWriter
from callcenter.ports import ON_CALL, REMINDER

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

TELLING = frozenset({"leg", "recording", "status", "outbound-status"})
"""Hooks that only tell us something; at all others somebody on the line waits for what comes next."""

LEG_KINDS = {
    "queued": EventKind.LEG_INITIATED,
    "initiated": EventKind.LEG_INITIATED,
    "ringing": EventKind.LEG_RINGING,
    "in-progress": EventKind.LEG_ANSWERED,
    "answered": EventKind.LEG_ANSWERED,
}
OUTBOUND_KINDS = {
    "queued": EventKind.CALL_STARTED,
    "initiated": EventKind.CALL_STARTED,
    "ringing": EventKind.CALL_RINGING,
    "in-progress": EventKind.CALL_ANSWERED,
    "answered": EventKind.CALL_ANSWERED,
}
END_REASONS = {
    "completed": EndReason.COMPLETED,
    "busy": EndReason.BUSY,
    "no-answer": EndReason.NO_ANSWER,
    "canceled": EndReason.CANCELLED,
    "failed": EndReason.FAILED,
}


def signature_is_valid(
    validator: RequestValidator,
    *,
    url: str,
    pairs: MultiDictProxy[str] | None,
    body: bytes,
    signature: str,
    algorithm: str | None = None,
) -> bool:
    """Checked over the public URL (with and without its port) and the sorted pairs, or the body's SHA-256 (JSON).

    `pairs` is None for a JSON body, which counts only where the URL carries its hash. Rule: the vendor's "Validating
    requests". What fits as it nearly always does is told at once, anything else by the vendor's own library.
    """
    if pairs is None:
        hashed = "bodySHA256=" in url
        return hashed and bool(validator.validate(url, body.decode("utf-8", "replace"), signature, algorithm))
    if algorithm in (None, HMAC_SHA1):
        usual = usual_signature(validator.token, url, pairs)
        if compare_digest(usual, signature.encode("utf-8", "replace")):
            return True
    return bool(validator.validate(url, pairs, signature, algorithm))


def usual_signature(token: bytes, url: str, pairs: MultiDictProxy[str]) -> bytes:
    """HMAC-SHA1 in base64 over the URL as it stands and the sorted pairs, each once, as the vendor does it."""
    signed = url + "".join([name + value for name, value in sorted(set(pairs.items()))])
    return base64.b64encode(hmac.digest(token, signed.encode("utf-8"), "sha1"))


@functools.lru_cache(maxsize=64)
def _pairs(body: bytes) -> MultiDictProxy[str]:
    """Raises MalformedWebhook. Remembered from the check of the signature to the reading a moment later."""
    try:
        return URL.build(query_string=body.decode("ascii"), encoded=True).query
    except ValueError as error:
        raise MalformedWebhook(f"the body is not a form ({FORM}): {error}") from error


@functools.lru_cache(maxsize=64)
def _stamp(written: str) -> datetime:
    """RFC 2822, whole seconds: many callbacks carry the same one. Raises ValueError."""
    at = parsedate_to_datetime(written)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Form:
    """A verified request's fields, read with errors that name them."""

    request: WebhookRequest
    fields: MultiDictProxy[str]

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise MalformedWebhook(f"{self.request.hook}: the field {name} is missing")
        return value

    def get(self, name: str) -> str | None:
        value = self.fields.get(name)
        return value.replace("\x00", "").strip()[:2048] if value else None

    def query(self, name: str) -> str:
        value = self.request.query.get(name)
        if not value:
            raise MalformedWebhook(f"{self.request.hook}: the query parameter {name} is missing")
        return value

    def number(self, name: str, convert: Callable[[str], Any]) -> Any:
        value = self.get(name)
        if value is None:
            return None
        try:
            return convert(value)
        except ValueError as error:
            raise MalformedWebhook(f"{self.request.hook}: {name}={value[:40]!r} is not a number that can be") from error


class TwilioProvider:
    """Reads the vendor's webhooks; answers in TwiML."""

    name = NAME

    def __init__(self, settings: TwilioSettings, writer: TwimlWriter) -> None:
        self._settings = settings
        self._token = settings.auth_token.get_secret_value()
        self._validator = RequestValidator(self._token)
        self._writer = writer
        self._readers: dict[str, Callable[[_Form], Webhook]] = {
            "voice": self._voice,
            "menu": self._menu,
            "ticket-number": self._ticket_number,
            "dial": self._dial,
            "queue": self._queue,
            "leg": self._leg,
            "confirm": self._confirm,
            "confirmed": self._confirmed,
            "arrived": self._arrived,
            "voicemail": self._voice_mail,
            "recording": self._recording,
            "status": self._status,
            "outbound-status": self._outbound_status,
            "outbound-key": self._outbound_key,
            "fallback": self._fallback,
        }

    @property
    def hooks(self) -> tuple[str, ...]:
        return tuple(self._readers)

    def asks(self, hook: str) -> bool:
        return hook not in TELLING

    def verify(self, request: WebhookRequest) -> None:
        if not self._token:
            raise EndpointClosed("twilio.auth_token is not set, so this endpoint is closed")
        if request.hook not in self._readers:
            raise UnknownHook(f"no such hook: {request.hook[:40]!r}")
        if not request.headers.get(SIGNATURE_HEADER):
            raise BadSignature(f"the header {SIGNATURE_HEADER} is missing")
        pairs = None if request.content_type.startswith(JSON) else _pairs(request.body)
        self._verify(request, pairs)

    def read(self, request: WebhookRequest) -> Webhook:
        if request.content_type.startswith(JSON):
            raise MalformedWebhook(f"{request.hook}: send the fields as a form ({FORM}), not as JSON")
        form = _Form(request, _pairs(request.body))
        if self._settings.account_sid and form.get("AccountSid") not in (None, self._settings.account_sid):
            raise MalformedWebhook(f"{request.hook}: AccountSid is not the one in twilio.account_sid")
        return self._readers[request.hook](form)

    def _verify(self, request: WebhookRequest, pairs: MultiDictProxy[str] | None) -> None:
        signature = request.headers.get(SIGNATURE_HEADER, "")
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER))
        valid = signature_is_valid(
            self._validator,
            url=request.url,
            pairs=pairs,
            body=request.body,
            signature=signature,
            algorithm=algorithm,
        )
        if not valid:
            raise BadSignature("the signature does not fit: check twilio.auth_token and server.public_url")

    def reply(self, steps: Sequence[Step], *, call_id: str) -> Reply:
        return Reply(content_type="text/xml", body=self._writer.response(steps, sid=call_id.removeprefix(f"{NAME}:")))

    # What happened

    def _event(
        self, form: _Form, kind: EventKind, key: str, *, call: str, leg: str | None = None, **data: Any
    ) -> CallEvent:
        return CallEvent(
            event_id=f"{NAME}:{key}",
            provider=NAME,
            call_id=call_id(call),
            kind=kind,
            at=self._moment(form),
            leg_id=leg,
            data={name: value for name, value in data.items() if value is not None},
        )

    def _moment(self, form: _Form) -> Moment:
        stamp = form.get("Timestamp")
        if stamp is None:
            return Moment.exactly(form.request.received_at, Clock.OURS)
        try:
            at = _stamp(stamp)
        except ValueError as error:
            raise MalformedWebhook(f"{form.request.hook}: Timestamp={stamp[:40]!r} is not an RFC 2822 date") from error
        return Moment.whole_second(at) if self._settings.whole_seconds else Moment.exactly(at, Clock.PROVIDER)

    def _voice(self, form: _Form) -> Webhook:
        sid = form.need("CallSid")
        event = self._event(
            form,
            EventKind.CALL_STARTED,
            f"{sid}:started",
            call=sid,
            direction=Direction.INBOUND.value,
            **{"from": phone_number(form.get("From")), "to": phone_number(form.get("To"))},
        )
        return Webhook(call_id=event.call_id, events=(event,), question=Incoming(from_number=event.data.get("from")))

    def _arrived(self, form: _Form) -> Webhook:
        sid, digits = form.need("CallSid"), form.get("Digits") or ""
        events = self._key_events(form, sid, "arrived", digits)
        return Webhook(call_id=call_id(sid), events=events, question=ArrivalPressed(digits=digits))

    def _menu(self, form: _Form) -> Webhook:
        sid, digits = form.need("CallSid"), form.get("Digits") or ""
        if form.get("CallStatus") in END_REASONS:
            return Webhook(call_id=call_id(sid), events=(), question=None)
        events = self._key_events(form, sid, "menu", digits)
        question = MenuEnded(digits=digits, from_number=phone_number(form.get("From")))
        return Webhook(call_id=call_id(sid), events=events, question=question)

    def _queue(self, form: _Form) -> Webhook:
        """A stretch of waiting in line is over, or ended by a key."""
        sid, digits, waits = form.need("CallSid"), form.get("Digits") or "", form.query("waits")
        if form.get("CallStatus") in END_REASONS:
            return Webhook(call_id=call_id(sid), events=(), question=None)
        if not waits.isascii() or not waits.isdigit() or len(waits) > 3:
            raise MalformedWebhook(f"queue: waits={waits[:20]!r} is not a number of at most three digits")
        events = self._key_events(form, sid, QUEUE, digits if digits == KEEP_PLACE_KEY else "")
        return Webhook(call_id=call_id(sid), events=events, question=WaitEnded(digits=digits, waits=int(waits)))

    def _ticket_number(self, form: _Form) -> Webhook:
        """What was said is not kept: its recording begins with the conversation."""
        sid, digits, speech = form.need("CallSid"), form.get("Digits") or "", form.get("SpeechResult") or ""
        if form.get("CallStatus") in END_REASONS:
            return Webhook(call_id=call_id(sid), events=(), question=None)
        again = form.request.query.get("again") == "1"
        events = self._key_events(form, sid, "ticket_number_again" if again else "ticket_number", digits)
        question = TicketNumberGiven(digits=digits, speech=speech, again=again)
        return Webhook(call_id=call_id(sid), events=events, question=question)

    def _key_events(self, form: _Form, sid: str, purpose: str, digits: str) -> tuple[CallEvent, ...]:
        if not digits:
            return ()
        event = self._event(
            form, EventKind.KEY_PRESSED, f"{sid}:key:{purpose}", call=sid, purpose=purpose, digits=digits[:32]
        )
        return (event,)

    def _dial(self, form: _Form) -> Webhook:
        """The end of a round of ringing; where the resident hung up meanwhile, nobody waits for the next one."""
        sid, status = form.need("CallSid"), form.need("DialCallStatus")
        if form.get("CallStatus") in END_REASONS:
            return Webhook(call_id=call_id(sid), events=(), question=None)
        attempt = form.query("attempt")
        if not attempt.isascii() or not attempt.isdigit() or len(attempt) > 6:
            raise MalformedWebhook(f"dial: attempt={attempt[:20]!r} is not a number of at most six digits")
        bridged = (form.get("DialBridged") or "true").lower() != "false"
        answered = bridged and status in ("completed", "answered")
        passed_on = form.request.query.get("passed_on") == "1"
        question = DialEnded(attempt=int(attempt), answered=answered, passed_on=passed_on and not answered)
        return Webhook(call_id=call_id(sid), events=(), question=question)

    def _leg(self, form: _Form) -> Webhook:
        leg, parent = form.need("CallSid"), form.get("ParentCallSid") or form.query("call")
        status = form.need("CallStatus")
        data: dict[str, Any] = {
            "agent": form.request.query.get("agent"),
            "number": form.get("To"),
            "needs_confirmation": True if form.request.query.get("confirm") else None,
        }
        if status in LEG_KINDS:
            kind = LEG_KINDS[status]
        elif status in END_REASONS:
            kind = EventKind.LEG_ENDED
            data |= {"reason": END_REASONS[status].value, "sip_code": form.number("SipResponseCode", int)}
        else:
            raise MalformedWebhook(f"leg: CallStatus={status[:40]!r} is not known")
        event = self._event(form, kind, f"{leg}:{kind.value}", call=parent, leg=leg, **data)
        return Webhook(call_id=event.call_id, events=(event,), question=None)

    def _confirm(self, form: _Form) -> Webhook:
        parent, agent = form.get("ParentCallSid") or form.query("call"), form.query("agent")
        return Webhook(call_id=call_id(parent), events=(), question=AgentPickedUp(agent=agent))

    def _confirmed(self, form: _Form) -> Webhook:
        leg, agent = form.need("CallSid"), form.query("agent")
        parent = form.get("ParentCallSid") or form.query("call")
        digits = form.get("Digits") or ""
        question = AgentPressed(agent=agent, digits=digits)
        if digits != "1":
            return Webhook(call_id=call_id(parent), events=(), question=question)
        event = self._event(
            form,
            EventKind.LEG_CONFIRMED,
            f"{leg}:confirmed",
            call=parent,
            leg=leg,
            agent=agent,
            needs_confirmation=True,
        )
        return Webhook(call_id=event.call_id, events=(event,), question=question)

    def _voice_mail(self, form: _Form) -> Webhook:
        sid = form.need("CallSid")
        return Webhook(call_id=call_id(sid), events=(), question=VoiceMailEnded())

    def _recording(self, form: _Form) -> Webhook:
        sid, recording = form.need("CallSid"), form.need("RecordingSid")
        status = form.get("RecordingStatus") or "completed"
        if status not in ("completed", "failed", "absent"):
            return Webhook(call_id=call_id(sid), events=(), question=None)
        ready = status == "completed"
        event = self._event(
            form,
            EventKind.RECORDING_READY if ready else EventKind.RECORDING_FAILED,
            f"{recording}:{status}",
            call=sid,
            recording_id=recording,
            url=form.need("RecordingUrl") if ready else form.get("RecordingUrl") or "",
            channels=form.number("RecordingChannels", _channels) or 1,
            seconds=form.number("RecordingDuration", _seconds),
            content=form.request.query.get("content", "conversation"),
        )
        return Webhook(call_id=event.call_id, events=(event,), question=None)

    def _status(self, form: _Form) -> Webhook:
        sid, status = form.need("CallSid"), form.need("CallStatus")
        if status not in END_REASONS:
            return Webhook(call_id=call_id(sid), events=(), question=None)
        event = self._event(
            form,
            EventKind.CALL_ENDED,
            f"{sid}:ended",
            call=sid,
            reason=END_REASONS[status].value,
            **{"from": phone_number(form.get("From")), "to": phone_number(form.get("To"))},
        )
        return Webhook(call_id=event.call_id, events=(event,), question=None)

    def _outbound_status(self, form: _Form) -> Webhook:
        sid, status = form.need("CallSid"), form.need("CallStatus")
        data: dict[str, Any] = {
            "direction": Direction.OUTBOUND.value,
            "purpose_id": _purpose(form),
            "from": phone_number(form.get("From")),
            "to": phone_number(form.get("To")),
            "answered_by": form.get("AnsweredBy"),
        }
        if status in OUTBOUND_KINDS:
            kind = OUTBOUND_KINDS[status]
        elif status in END_REASONS:
            kind = EventKind.CALL_ENDED
            data |= {"reason": END_REASONS[status].value, "sip_code": form.number("SipResponseCode", int)}
        else:
            raise MalformedWebhook(f"outbound-status: CallStatus={status[:40]!r} is not known")
        event = self._event(form, kind, f"{sid}:{kind.value}", call=sid, **data)
        return Webhook(call_id=event.call_id, events=(event,), question=None)

    def _outbound_key(self, form: _Form) -> Webhook:
        sid, digits = form.need("CallSid"), form.get("Digits") or ""
        purpose, asked = _purpose(form), form.request.query.get("asked", "answer")
        events = self._key_events(form, sid, asked, digits)
        if purpose.startswith(ON_CALL):
            return Webhook(call_id=call_id(sid), events=events, question=OnCallPressed(digits=digits))
        kind = form.request.query.get("kind", "")
        question = ResidentPressed(digits=digits, purpose=purpose, kind=kind, asked=asked)
        return Webhook(call_id=call_id(sid), events=events, question=question)

    def _fallback(self, form: _Form) -> Webhook:
        sid = form.need("CallSid")
        return Webhook(call_id=call_id(sid), events=self._voice(form).events, question=Trouble())


def _channels(value: str) -> int:
    """Raises ValueError."""
    channels = int(value[:9])
    if not 1 <= channels <= 8:
        raise ValueError(value)
    return channels


def _seconds(value: str) -> float:
    """Raises ValueError."""
    seconds = float(value)
    if not 0 <= seconds < 10**6:
        raise ValueError(value)
    return seconds


def _purpose(form: _Form) -> str:
    """What a call of ours was made for. Calls placed before this version carry `reminder` alone."""
    old = form.request.query.get("reminder")
    return f"{REMINDER}{old}" if old else form.query("purpose")


def call_id(sid: str) -> str:
    return f"{NAME}:{sid}"


def phone_number(value: str | None) -> str | None:
    """A caller's number, or None where it is withheld (anonymous, unknown, restricted ...)."""
    if not value:
        return None
    cleaned = value.removeprefix("sip:").split("@")[0].strip()
    digits = cleaned.lstrip("+")
    return cleaned if digits.isascii() and digits.isdigit() and digits != "266696687" else None
