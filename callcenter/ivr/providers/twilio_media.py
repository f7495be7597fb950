"""Live sound of Twilio-compatible providers (Media Streams): JSON messages over a signed websocket.

`connected`, then `start` with the call and our own token, then `media` every 20 ms and track (base64 of mu-law, 8 kHz,
`timestamp` in ms), `dtmf` and `mark`, at last `stop`. Numbers come as strings. The caller's track is `inbound`.
"""

import hashlib
import hmac
import json
from typing import Any

from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from callcenter.config import TwilioSettings
from callcenter.domain.transcript import Side
from callcenter.ivr.media import BadMessage, Frame, StreamEvent, StreamStarted, StreamStopped
from callcenter.ivr.provider import BadSignature, EndpointClosed, WebhookRequest
from callcenter.ivr.providers.twilio import call_id
from callcenter.ivr.providers.twiml import NAME

TOKEN = "token"  # noqa: S105 - the name of the parameter
_SIDES = {"inbound": Side.RESIDENT, "outbound": Side.AGENT}
_NEEDS_NOTHING = frozenset({"connected", "dtmf", "mark"})
_LONGEST_MS = 24 * 3600 * 1000


def stream_token(auth_token: str, sid: str) -> str:
    """Proves to us that we ourselves asked for this call's stream: the address alone is the same for all calls."""
    return hmac.new(auth_token.encode(), f"media:{sid}".encode(), hashlib.sha256).hexdigest()


class TwilioMedia:
    """Reads the vendor's messages. Both must hold: the vendor's signature on the opening request, our token."""

    name = NAME

    def __init__(self, settings: TwilioSettings) -> None:
        self._token = settings.auth_token.get_secret_value()
        self._validator = RequestValidator(self._token)

    def verify(self, request: WebhookRequest) -> None:
        """Raises EndpointClosed, BadSignature. The vendor signs the wss address, by some paths with a slash behind."""
        if not self._token:
            raise EndpointClosed("twilio.auth_token is not set, so this endpoint is closed")
        signature = request.headers.get(SIGNATURE_HEADER)
        if not signature:
            raise BadSignature(f"the header {SIGNATURE_HEADER} is missing")
        if not any(self._validator.validate(url, {}, signature) for url in (request.url, f"{request.url}/")):
            raise BadSignature("the signature does not fit: check twilio.auth_token and server.public_url")

    def read(self, message: str) -> StreamEvent | None:
        said = _object(message)
        match said.get("event"):
            case "media":
                return _frame(_part(said, "media"))
            case "start":
                return self._start(_part(said, "start"))
            case "stop":
                return StreamStopped()
            case event if event in _NEEDS_NOTHING:
                return None
            case _:
                raise BadMessage("an event that there is not")

    def _start(self, start: dict[str, Any]) -> StreamStarted:
        sid, stream = start.get("callSid"), start.get("streamSid")
        given = _part(start, "customParameters").get(TOKEN)
        if not (isinstance(sid, str) and isinstance(stream, str) and isinstance(given, str)):
            raise BadSignature("the start has no callSid, streamSid or token")
        if not hmac.compare_digest(given.encode(), stream_token(self._token, sid).encode()):
            raise BadSignature("the token does not fit the call")
        media = start.get("mediaFormat")
        if isinstance(media, dict) and media.get("encoding", "audio/x-mulaw") != "audio/x-mulaw":
            raise BadMessage("another coding than audio/x-mulaw")
        return StreamStarted(stream_id=stream[:200], call_id=call_id(sid[:200]))


def _object(message: str) -> dict[str, Any]:
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        raise BadMessage("a text that is not JSON") from None
    if not isinstance(said, dict):
        raise BadMessage("JSON that is no object")
    return said


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    part = said.get(name)
    if not isinstance(part, dict):
        raise BadMessage(f"an event without its {name}")
    return part


def _frame(media: dict[str, Any]) -> Frame:
    side, payload = _SIDES.get(str(media.get("track"))), media.get("payload")
    stamp = str(media.get("timestamp", ""))
    if side is None or not isinstance(payload, str) or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 10):
        raise BadMessage("sound without a track, a timestamp or a payload")
    at_ms = int(stamp)
    if at_ms > _LONGEST_MS:
        raise BadMessage("a timestamp beyond a day")
    return Frame(side=side, at_ms=at_ms, payload=payload)
