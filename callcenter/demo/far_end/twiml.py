"""TwiML documents: what the server wants done with a call, read strictly.

Only what the product uses is understood; anything else is an error, as a typing mistake would be at the provider.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

MAX_CHARACTERS = 64 * 1024


class TwimlUnusable(Exception):
    """The document cannot be carried out; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Gather:
    """Asks for keys. Without an action the present URL is asked again, as the provider does."""

    prompts: "tuple[Say | Play | Pause, ...]"
    action: str | None
    timeout_seconds: float
    num_digits: int | None
    finish_on_key: str
    action_on_empty: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """Somebody whom Dial rings: `address` is a number, a sip: or a client: address."""

    address: str
    url: str | None
    status_callback: str | None
    status_events: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dial:
    nouns: tuple[Noun, ...]
    action: str | None
    timeout_seconds: float
    caller_id: str | None
    records: bool
    recording_callback: str | None
    recording_channels: int
    answers_on_bridge: bool
    time_limit_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    action: str | None
    max_seconds: float
    recording_callback: str | None
    plays_beep: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StartStream:
    """Start with a Stream in it: both sides' sound goes to `url` from here on, while the document goes on."""

    url: str
    parameters: Mapping[str, str]


Verb = Say | Play | Pause | Gather | Dial | Record | Redirect | Hangup | Reject | StartStream

_METHOD = {"method"}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "Say": {"voice", "language", "loop"},
    "Play": {"loop", "digits"},
    "Pause": {"length"},
    "Gather": _METHOD
    | {"action", "timeout", "numDigits", "finishOnKey", "input", "actionOnEmptyResult", "language", "speechTimeout"},
    "Dial": _METHOD
    | {
        *("action", "timeout", "callerId", "record", "recordingStatusCallback", "recordingStatusCallbackMethod"),
        *("recordingStatusCallbackEvent", "recordingTrack", "answerOnBridge", "timeLimit", "trim", "ringTone"),
    },
    "Record": _METHOD
    | {
        *("action", "maxLength", "timeout", "finishOnKey", "playBeep", "trim", "recordingStatusCallback"),
        *("recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "transcribe"),
    },
    "Redirect": _METHOD,
    "Hangup": set(),
    "Reject": {"reason"},
    "Start": set(),
}
_STREAM_ATTRIBUTES = {"name", "url", "track"}
_NOUN_ATTRIBUTES = _METHOD | {"url", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"}
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


def read_twiml(document: str) -> tuple[Verb, ...]:
    """The verbs in their order. Raises TwimlUnusable."""
    if len(document) > MAX_CHARACTERS or "<!DOCTYPE" in document:
        raise TwimlUnusable("too long, or with a document type; the provider takes plain documents up to 64 KiB")
    try:
        root = ET.fromstring(document)  # noqa: S314 - our own server's answer, without a document type
    except ET.ParseError as error:
        raise TwimlUnusable(f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlUnusable(f"the root is <{root.tag}>, not <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ET.Element) -> Verb:
    allowed = _ATTRIBUTES.get(element.tag)
    if allowed is None:
        raise TwimlUnusable(f"<{element.tag}> is not a verb that this provider knows")
    _check_attributes(element, allowed)
    if element.tag in _PROMPTS:
        return _prompt(element)
    text = _text(element)
    match element.tag:
        case "Gather":
            return _gather(element)
        case "Dial":
            return _dial(element)
        case "Record":
            return _record(element)
        case "Start":
            return _start(element)
        case "Redirect":
            return Redirect(url=text)
        case "Reject":
            return Reject(reason=element.get("reason", "rejected"))
        case _:
            return Hangup()


_PROMPTS = ("Say", "Play", "Pause")


def _prompt(element: ET.Element) -> Say | Play | Pause:
    if element.tag not in _PROMPTS:
        raise TwimlUnusable(f"<{element.tag}> cannot stand in <Gather>")
    _check_attributes(element, _ATTRIBUTES[element.tag])
    if element.tag == "Pause":
        return Pause(seconds=_number(element, "length", 1))
    text = _text(element)
    if not text:
        raise TwimlUnusable(f"<{element.tag}> is empty")
    return Say(text=text) if element.tag == "Say" else Play(url=text)


def _gather(element: ET.Element) -> Gather:
    return Gather(
        prompts=tuple(_prompt(child) for child in element),
        action=element.get("action"),
        timeout_seconds=_number(element, "timeout", 5),
        num_digits=int(element.get("numDigits", "0")) or None,
        finish_on_key=element.get("finishOnKey", "#"),
        action_on_empty=element.get("actionOnEmptyResult") == "true",
    )


def _dial(element: ET.Element) -> Dial:
    nouns = tuple(_noun(child) for child in element) or (_plain_number(element),)
    record = element.get("record", "do-not-record")
    return Dial(
        nouns=nouns,
        action=element.get("action"),
        timeout_seconds=_number(element, "timeout", 30),
        caller_id=element.get("callerId"),
        records=record != "do-not-record",
        recording_callback=element.get("recordingStatusCallback"),
        recording_channels=2 if record.endswith("-dual") else 1,
        answers_on_bridge=element.get("answerOnBridge") == "true",
        time_limit_seconds=_number(element, "timeLimit", 14400),
    )


def _plain_number(element: ET.Element) -> Noun:
    text = _text(element)
    if not text:
        raise TwimlUnusable("<Dial> rings nobody")
    return Noun(address=text, url=None, status_callback=None, status_events=frozenset())


def _noun(element: ET.Element) -> Noun:
    if element.tag not in ("Number", "Sip", "Client"):
        raise TwimlUnusable(f"<{element.tag}> cannot stand in <Dial>")
    _check_attributes(element, _NOUN_ATTRIBUTES)
    text = _text(element)
    if not text:
        raise TwimlUnusable(f"<{element.tag}> is empty")
    events = frozenset(element.get("statusCallbackEvent", "completed").split())
    if events - _EVENTS:
        raise TwimlUnusable(f"statusCallbackEvent: no such event {sorted(events - _EVENTS)}; each is one of {_EVENTS}")
    return Noun(
        address=f"client:{text}" if element.tag == "Client" else text,
        url=element.get("url"),
        status_callback=element.get("statusCallback"),
        status_events=events if element.get("statusCallback") else frozenset(),
    )


def _record(element: ET.Element) -> Record:
    return Record(
        action=element.get("action"),
        max_seconds=_number(element, "maxLength", 3600),
        recording_callback=element.get("recordingStatusCallback"),
        plays_beep=element.get("playBeep", "true") == "true",
    )


def _start(element: ET.Element) -> StartStream:
    """As strict as the provider: a wss address without a query (ws on this machine alone), and parameters."""
    if len(element) != 1 or element[0].tag != "Stream":
        raise TwimlUnusable("<Start> holds one <Stream>")
    stream = element[0]
    _check_attributes(stream, _STREAM_ATTRIBUTES)
    url = stream.get("url", "")
    if not url.startswith(("wss://", "ws://127.0.0.1:")) or "?" in url:
        raise TwimlUnusable(f"<Stream url={url!r}>: expected a wss address without a query")
    if stream.get("track", "inbound_track") != "both_tracks":
        raise TwimlUnusable("<Stream>: this far end sends both_tracks only")
    if any(part.tag != "Parameter" or set(part.keys()) != {"name", "value"} for part in stream):
        raise TwimlUnusable("<Stream> holds parameters with name and value")
    return StartStream(url=url, parameters={part.attrib["name"]: part.attrib["value"] for part in stream})


def _check_attributes(element: ET.Element, allowed: set[str]) -> None:
    unknown = sorted(set(element.keys()) - allowed)
    if unknown:
        raise TwimlUnusable(f"<{element.tag}> has no attribute {unknown[0]}")
    if element.get("method", "POST") != "POST":
        _only_post(element)


def _only_post(element: ET.Element) -> NoReturn:
    raise TwimlUnusable(f"<{element.tag} method={element.get('method')!r}>: this far end only POSTs")


def _number(element: ET.Element, name: str, default: float) -> float:
    value = element.get(name)
    if value is None:
        return default
    try:
        return float(value)
    except ValueError as error:
        raise TwimlUnusable(f"<{element.tag} {name}={value!r}>: expected a number") from error


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()
