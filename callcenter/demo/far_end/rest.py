"""The provider's REST interface, as far as the product uses it: calls, their recordings, the sound."""

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.outbound import Order, play_outbound
from callcenter.demo.far_end.people import Phones
from callcenter.demo.far_end.resources import API_VERSION, ProviderCall, Recording
from callcenter.demo.sound import mixed_down

MAX_TWIML_CHARACTERS = 4000
EXCHANGE = web.AppKey("exchange", Exchange)
PHONES = web.AppKey("phones", Phones)
PLACED = web.AppKey("placed", dict[str, ProviderCall])
TASKS = web.AppKey("tasks", set[asyncio.Task[None]])
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|sip:[^@\s]+@\S+|client:\S+")
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})

routes = web.RouteTableDef()
_ACCOUNT = f"/{API_VERSION}/Accounts/{{account}}"


class Refused(Exception):
    """An error answer in the provider's form."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@web.middleware
async def provider_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Checks the account, and puts refusals into the provider's JSON."""
    try:
        _check_account(request)
        return await handler(request)
    except Refused as refused:
        more = f"https://www.twilio.com/docs/errors/{refused.code}"
        body = {"code": refused.code, "message": refused.message, "more_info": more, "status": refused.status}
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if refused.status == 401 else None
        return web.json_response(body, status=refused.status, headers=headers)


def _check_account(request: web.Request) -> None:
    account = request.app[EXCHANGE].account
    expected = f"{account.sid}:{account.auth_token}".encode()
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(given, validate=True)
    except binascii.Error:
        decoded = b""
    if kind.lower() != "basic" or not hmac.compare_digest(decoded, expected):
        raise Refused(401, 20003, "Authenticate")
    if request.match_info.get("account", account.sid) != account.sid:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")


@routes.post(f"{_ACCOUNT}/Calls.json")
async def create_call(request: web.Request) -> web.Response:
    """The same idempotency token gives the same call, and nobody's phone rings twice."""
    exchange, placed = request.app[EXCHANGE], request.app[PLACED]
    form = await request.post()
    token = request.headers.get("I-Twilio-Idempotency-Token")
    if token and token in placed:
        return web.json_response(placed[token].as_json(), status=201)
    to, from_number = _field(form, "To"), _field(form, "From")
    order = _order(form)
    if not _NUMBER.fullmatch(to):
        raise Refused(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if from_number != exchange.account.number:
        raise Refused(400, 21210, f"The source phone number provided, {from_number}, is not yet verified")
    call = exchange.new_call(direction="outbound-api", from_number=from_number, to=to, at=exchange.clock.now())
    call.status = "queued"
    if token:
        placed[token] = call
    task = asyncio.create_task(_play(exchange, call, order, request.app[PHONES]))
    request.app[TASKS].add(task)
    task.add_done_callback(request.app[TASKS].discard)
    return web.json_response(call.as_json(), status=201)


async def _play(exchange: Exchange, call: ProviderCall, order: Order, phones: Phones) -> None:
    try:
        await play_outbound(exchange, call, order, phones.resident(call.to))
    except Exception as error:
        exchange.journal.problems.append(f"call to {call.to}: the far end itself failed: {error!r}")
        raise


def _field(form: Any, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, 21201 if name == "To" else 21603, f"No '{name}' number is specified")
    return value


def _order(form: Any) -> Order:
    twiml, url = form.get("Twiml"), form.get("Url")
    if not twiml and not url:
        raise Refused(400, 21205, "Url parameter is required")
    if twiml and len(twiml) > MAX_TWIML_CHARACTERS:
        raise Refused(400, 21605, "Maximum Twiml length is 4000 characters")
    events = frozenset(" ".join(form.getall("StatusCallbackEvent", ["completed"])).split())
    if events - _EVENTS:
        raise Refused(400, 21626, f"Invalid StatusCallbackEvents: {sorted(events - _EVENTS)}")
    return Order(
        twiml=None if url else twiml,
        url=url or None,
        status_callback=form.get("StatusCallback"),
        status_events=events,
        timeout_seconds=float(form.get("Timeout", 60)),
        detects_machines=form.get("MachineDetection") in ("Enable", "DetectMessageEnd"),
    )


@routes.get(f"{_ACCOUNT}/Calls.json")
async def list_calls(request: web.Request) -> web.Response:
    wanted = {
        "parent_sid": request.query.get("ParentCallSid"),
        "to": request.query.get("To"),
        "from_number": request.query.get("From"),
        "status": request.query.get("Status"),
    }
    asked = {name: value for name, value in wanted.items() if value}
    calls = request.app[EXCHANGE].calls.values()
    found = [call for call in calls if all(getattr(call, name) == value for name, value in asked.items())]
    return _page(request, "calls", [call.as_json() for call in reversed(found)])


@routes.get(f"{_ACCOUNT}/Calls/{{sid}}.json")
async def get_call(request: web.Request) -> web.Response:
    return web.json_response(_call(request).as_json())


@routes.get(f"{_ACCOUNT}/Calls/{{sid}}/Recordings.json")
async def list_recordings(request: web.Request) -> web.Response:
    return _page(request, "recordings", [recording.as_json() for recording in _call(request).recordings])


@routes.get(f"{_ACCOUNT}/Recordings.json")
async def list_all_recordings(request: web.Request) -> web.Response:
    call_sid = request.query.get("CallSid")
    kept = request.app[EXCHANGE].recordings.values()
    return _page(request, "recordings", [one.as_json() for one in kept if call_sid in (None, one.call_sid)])


@routes.get(f"{_ACCOUNT}/Recordings/{{sid}}.json")
async def get_recording(request: web.Request) -> web.Response:
    return web.json_response(_recording(request).as_json())


@routes.get(f"{_ACCOUNT}/Recordings/{{sid}}.wav")
@routes.get(f"{_ACCOUNT}/Recordings/{{sid:RE[0-9a-f]+}}")
async def download(request: web.Request) -> web.Response:
    """The sound, whole or from an offset on."""
    recording = _recording(request)
    channels = request.query.get("RequestedChannels", str(recording.channels))
    if channels == "2" and recording.channels == 1:
        raise Refused(400, 16113, "Cannot download a dual-channel presentation of a mono recording")
    body = mixed_down(recording.wav) if channels == "1" else recording.wav
    return _ranged(request, body)


def _ranged(request: web.Request, body: bytes) -> web.Response:
    headers = {"Accept-Ranges": "bytes"}
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(None)
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=body, content_type="audio/x-wav", headers=headers)
    start, stop, _ = wanted.indices(len(body))
    if start >= stop:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
    return web.Response(status=206, body=body[start:stop], content_type="audio/x-wav", headers=headers)


def _call(request: web.Request) -> ProviderCall:
    call = request.app[EXCHANGE].calls.get(request.match_info["sid"])
    if call is None:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return call


def _recording(request: web.Request) -> Recording:
    recording = request.app[EXCHANGE].recordings.get(request.match_info["sid"])
    if recording is None:
        raise Refused(404, 20404, f"The requested resource {request.path} was not found")
    return recording


def _page(request: web.Request, name: str, rows: list[dict[str, Any]]) -> web.Response:
    page = {
        name: rows,
        "page": 0,
        "page_size": int(request.query.get("PageSize", "50")),
        "start": 0,
        "end": max(0, len(rows) - 1),
        "uri": str(request.rel_url),
        "first_page_uri": str(request.rel_url),
        "next_page_uri": None,
        "previous_page_uri": None,
    }
    return web.json_response(page)
