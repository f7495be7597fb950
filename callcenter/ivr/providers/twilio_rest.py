"""The REST side of Twilio-compatible providers: placing calls and asking after them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import aiohttp

from callcenter.config import AgentSettings, TwilioSettings
from callcenter.domain.calls import CallEvent, Direction, EventKind
from callcenter.domain.moments import Clock, Moment
from callcenter.ivr.provider import DialTarget, RingAgents, Step
from callcenter.ivr.providers.twilio import END_REASONS, call_id, phone_number
from callcenter.ivr.providers.twiml import NAME, TwimlWriter
from callcenter.ports import (
    DialRefused,
    DialUncertain,
    OutboundCall,
    ProviderUnreachable,
)

REST_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
RING_SECONDS = 30
KEY_PROMPT = "如果您以后不希望接到我们的电话，请按9。需要其他帮助请拨打客服热线。"


class TwilioRest:
    """One HTTP session to the provider. Places calls (Dialler) and asks after them (CallLookup)."""

    def __init__(
        self,
        settings: TwilioSettings,
        writer: TwimlWriter,
        session: aiohttp.ClientSession,
        *,
        agents: Sequence[AgentSettings] = (),
    ) -> None:
        self._settings = settings
        self._agents = agents
        self._writer = writer
        self._session = session
        self._headers = {
            "Authorization": aiohttp.encode_basic_auth(settings.account_sid, settings.auth_token.get_secret_value())
        }
        self._base = f"{settings.api_url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}"

    async def place_call(self, call: OutboundCall) -> str:
        """Raises DialRefused where the provider says no, DialUncertain where it may have dialled."""
        form = [
            ("To", call.to_number),
            ("From", call.from_number or self._settings.from_number),
            ("Twiml", self._twiml(call)),
            ("Timeout", str(RING_SECONDS)),
            ("MachineDetection", "Enable"),
            ("StatusCallback", self._writer.hook_url("outbound-status", purpose=call.purpose)),
            ("StatusCallbackMethod", "POST"),
            *(("StatusCallbackEvent", name) for name in ("initiated", "ringing", "answered", "completed")),
        ]
        headers = self._headers | {"I-Twilio-Idempotency-Token": call.idempotency_key}
        try:
            async with self._session.post(
                f"{self._base}/Calls.json", data=form, headers=headers, timeout=REST_TIMEOUT
            ) as response:
                return await self._placed(response)
        except aiohttp.ClientConnectorError as error:
            raise DialRefused(f"the provider cannot be reached: {error}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DialUncertain(f"no clear answer from the provider: {error!r}") from error

    def _twiml(self, call: OutboundCall) -> str:
        agent = next((one for one in self._agents if one.id == call.agent), None)
        if agent is not None:
            target = DialTarget(agent=agent.id, phone=agent.phone, must_confirm=agent.is_outside)
            ring = RingAgents(targets=(target,), ring_seconds=RING_SECONDS, attempt=0)
            return self._writer.connected(call.speech, ring)
        prompt = (call.key_prompt or KEY_PROMPT) if call.asks_key else None
        if prompt and call.kind:
            return self._writer.reminded(call.speech, prompt, purpose=call.purpose, kind=call.kind)
        return self._writer.spoken(call.speech, prompt, call.purpose, times=call.times)

    async def _placed(self, response: aiohttp.ClientResponse) -> str:
        if 400 <= response.status < 500:
            raise DialRefused(f"the provider answered {response.status}: {(await response.text())[:200]}")
        if response.status >= 500:
            raise DialUncertain(f"the provider answered {response.status}: it may have dialled")
        try:
            return call_id(str((await response.json())["sid"]))
        except (KeyError, TypeError, ValueError, aiohttp.ContentTypeError) as error:
            raise DialUncertain("the provider's answer names no call") from error

    async def redirect(self, call_id: str, steps: Sequence[Step]) -> None:
        """A call that goes on hears these steps now instead. Raises ProviderUnreachable, also where it says no."""
        sid = call_id.removeprefix(f"{NAME}:")
        form = {"Twiml": self._writer.response(steps, sid=sid)}
        try:
            async with self._session.post(
                f"{self._base}/Calls/{sid}.json", data=form, headers=self._headers, timeout=REST_TIMEOUT
            ) as response:
                if response.status >= 400:
                    said = (await response.text())[:200]
                    raise ProviderUnreachable(f"the provider answered {response.status}: {said}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ProviderUnreachable(f"no answer from the provider: {error!r}") from error

    async def events_of(self, call_id: str) -> Sequence[CallEvent] | None:
        """What the provider knows of a call, its child legs and recordings, as the events it should have sent."""
        sid = call_id.removeprefix(f"{NAME}:")
        call = await self._get(f"Calls/{sid}.json")
        if call is None:
            return None
        legs = await self._get("Calls.json", ParentCallSid=sid) or {}
        recordings = await self._get(f"Calls/{sid}/Recordings.json") or {}
        events = [_call_ended(call, call_id)]
        for leg in legs.get("calls", ()):
            events += self._leg_events(leg, call_id)
        events += [self._recording_ready(found, call_id) for found in recordings.get("recordings", ())]
        return [event for event in events if event is not None]

    async def _get(self, path: str, **query: str) -> Mapping[str, Any] | None:
        """None where the provider knows no such thing. Raises ProviderUnreachable."""
        try:
            async with self._session.get(
                f"{self._base}/{path}", params=query, headers=self._headers, timeout=REST_TIMEOUT
            ) as response:
                if response.status == 404:
                    return None
                response.raise_for_status()
                found: Mapping[str, Any] = await response.json()
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderUnreachable(f"{path}: {error!r}") from error

    def _leg_events(self, leg: Mapping[str, Any], call_id: str) -> list[CallEvent | None]:
        """A leg's end, and its answer where it talked: the provider counts `duration` from the answer on."""
        status, sid = str(leg.get("status")), str(leg["sid"])
        if status not in END_REASONS:
            return []
        ended = _moment(leg.get("end_time") or leg.get("date_updated"))
        common: dict[str, Any] = {"provider": NAME, "call_id": call_id, "leg_id": sid}
        number = self._who(str(leg.get("to") or ""))
        events: list[CallEvent | None] = [
            CallEvent(
                event_id=f"{NAME}:{sid}:ended-asked",
                kind=EventKind.LEG_ENDED,
                at=ended,
                data=number | {"reason": END_REASONS[status].value},
                **common,
            )
        ]
        talked = timedelta(seconds=int(leg.get("duration") or 0))
        if status == "completed" and talked:
            at = Moment(earliest=ended.earliest - talked, latest=ended.latest - talked, clock=Clock.PROVIDER)
            events.append(
                CallEvent(
                    event_id=f"{NAME}:{sid}:answered-asked", kind=EventKind.LEG_ANSWERED, at=at, data=number, **common
                )
            )
        return events

    def _who(self, phone: str) -> dict[str, Any]:
        """Whose phone it is: the provider knows only the number."""
        agent = next((agent for agent in self._agents if agent.phone == phone), None)
        known = {"agent": agent.id if agent else None, "needs_confirmation": bool(agent and agent.is_outside) or None}
        return {"number": phone} | {name: value for name, value in known.items() if value is not None}

    def _recording_ready(self, found: Mapping[str, Any], call: str) -> CallEvent | None:
        if found.get("status", "completed") != "completed":
            return None
        sid = str(found["sid"])
        uri = str(found.get("media_url") or found.get("uri", "")).removesuffix(".json")
        source = str(found.get("source", ""))
        seconds = found.get("duration")
        return CallEvent(
            event_id=f"{NAME}:{sid}:completed",
            provider=NAME,
            call_id=call,
            kind=EventKind.RECORDING_READY,
            at=_moment(found.get("date_updated") or found.get("date_created")),
            data={
                "recording_id": sid,
                "url": urljoin(self._settings.api_url, uri),
                "channels": int(found.get("channels") or 1),
                "seconds": float(seconds) if seconds not in (None, "") else None,
                "content": "voice_mail" if source == "RecordVerb" else "conversation",
            },
        )


def _call_ended(call: Mapping[str, Any], call_id: str) -> CallEvent | None:
    status = str(call.get("status"))
    if status not in END_REASONS:
        return None
    outbound = str(call.get("direction", "")).startswith("outbound")
    return CallEvent(
        event_id=f"{NAME}:{call['sid']}:ended-asked",
        provider=NAME,
        call_id=call_id,
        kind=EventKind.CALL_ENDED,
        at=_moment(call.get("end_time") or call.get("date_updated")),
        data={
            "reason": END_REASONS[status].value,
            "direction": (Direction.OUTBOUND if outbound else Direction.INBOUND).value,
            "from": phone_number(call.get("from")),
            "to": phone_number(call.get("to")),
            "answered_by": call.get("answered_by"),
        },
    )


def _moment(stamp: object) -> Moment:
    """An RFC 2822 stamp, cut to the second. Raises ProviderUnreachable where there is none: then nothing is known."""
    try:
        at = parsedate_to_datetime(str(stamp))
    except ValueError as error:
        raise ProviderUnreachable(f"the provider's answer has no usable time: {stamp!r}") from error
    return Moment.whole_second(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
