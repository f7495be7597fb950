"""The edge where live sound comes in: `GET /ivr/{provider}/media`, a websocket for each call that is heard live.

Nothing that goes wrong here reaches the caller: the provider goes on with the call, whose recording is transcribed as
ever. A stream that breaks the rules (says nothing, says too much, is not signed, belongs to no call) is closed.
"""

import asyncio
import base64
import binascii
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from callcenter.domain.transcript import Side
from callcenter.ivr.media_order import TrackOrder
from callcenter.ivr.mu_law import SILENCE, decoded
from callcenter.ivr.provider import WebhookRefused, WebhookRequest
from callcenter.ports import Clock, LiveAudio, LiveEar, LiveListener, LiveRefused, StreamReport

log = structlog.get_logger()

LARGEST_MESSAGE_BYTES = 64 * 1024
START_SECONDS = 10.0
STALL_SECONDS = 30.0
AHEAD_MS = 5000
"""Sound may come so much earlier than it can have been spoken: what the network held back for a while."""
MOST_BAD_MESSAGES = 50
PIECE_BYTES = 800
"""100 ms of one side: what is handed on at a time. Less costs more, more shows words later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStarted:
    stream_id: str
    call_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One side's sound as it was sent: `payload` is base64 of mu-law, 8 kHz, `at_ms` since the stream began."""

    side: Side
    at_ms: int
    payload: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStopped:
    pass


StreamEvent = StreamStarted | Frame | StreamStopped


class BadMessage(Exception):
    """One message that cannot be read, or that says something impossible."""


class MediaStreams(Protocol):
    """A provider's way to send live sound. One file a provider under `ivr/providers/`."""

    name: str

    def verify(self, request: WebhookRequest) -> None:
        """The websocket's opening request. Raises WebhookRefused."""
        ...

    def read(self, message: str) -> StreamEvent | None:
        """None for messages that need no answer. Raises BadMessage; WebhookRefused where a start is not signed."""
        ...


class StreamRefused(Exception):
    """The stream is closed; the message says why."""


class MediaEdge:
    """One for all providers."""

    def __init__(
        self, *, providers: Mapping[str, MediaStreams], listener: LiveListener, clock: Clock, public_url: str
    ) -> None:
        self._providers = providers
        self._listener = listener
        self._clock = clock
        self._public_url = public_url
        self._open: set[_Stream] = set()

    def add_routes(self, app: web.Application) -> None:
        for provider in self._providers.values():
            app.router.add_get(f"/ivr/{provider.name}/media", functools.partial(self._handle, provider))
        app.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        for stream in tuple(self._open):
            await stream.close("server_stopped")

    async def _handle(self, provider: MediaStreams, request: web.Request) -> web.StreamResponse:
        asked = WebhookRequest(
            hook="media",
            url=self._public_url.replace("http", "ws", 1) + request.raw_path,
            query=request.query,
            headers=request.headers,
            content_type="",
            body=b"",
            received_at=self._clock.now(),
        )
        try:
            provider.verify(asked)
        except WebhookRefused as refused:
            log.warning("live stream refused", provider=provider.name, reason=str(refused), status=refused.status)
            return web.Response(status=refused.status, text=str(refused))
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        stream = _Stream(provider, socket, self._listener, self._clock)
        self._open.add(stream)
        try:
            await stream.run()
        finally:
            self._open.discard(stream)
        return socket


class _Stream:
    """One websocket, from its first message to its last."""

    def __init__(
        self, provider: MediaStreams, socket: web.WebSocketResponse, listener: LiveListener, clock: Clock
    ) -> None:
        self._provider = provider
        self._socket = socket
        self._listener = listener
        self._clock = clock
        self._began_at = clock.now()
        self._sides: dict[Side, _SideIn] = {}
        self._messages = 0
        self._bad_messages = 0
        self._call_id: str | None = None
        self._closed_for: str | None = None

    async def close(self, reason: str) -> None:
        """The server stops while the call goes on."""
        self._closed_for = reason
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def run(self) -> None:
        ear: LiveEar | None = None
        whole = False
        try:
            ear = await self._started()
            whole = await self._heard(ear)
        except StreamRefused as refused:
            self._closed_for = str(refused)
            log.warning("live stream closed", call_id=self._call_id, reason=self._closed_for)
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(refused).encode()[:100])
        finally:
            if ear is not None:
                for side in self._sides.values():
                    side.finish()
                await asyncio.shield(ear.end(self._report(whole=whole)))
        if not self._socket.closed:
            await self._socket.close()

    def _report(self, *, whole: bool) -> StreamReport:
        return StreamReport(
            whole=whole,
            closed_for=self._closed_for,
            lost_frames=sum(side.order.lost_frames for side in self._sides.values()),
            late_frames=sum(side.order.late_frames for side in self._sides.values()),
            bad_messages=self._bad_messages,
        )

    async def _started(self) -> LiveEar:
        """Raises StreamRefused."""
        try:
            async with asyncio.timeout(START_SECONDS):
                started = await self._next()
                while not isinstance(started, StreamStarted):
                    if not isinstance(started, Frame):
                        raise StreamRefused("ended before it began")
                    self._count_bad("sound before the start")
                    started = await self._next()
        except TimeoutError:
            raise StreamRefused(f"no start within {START_SECONDS:.0f} s") from None
        self._call_id, self._began_at = started.call_id, self._clock.now()
        try:
            ear = await self._listener.begin(started.call_id, provider=self._provider.name, stream_id=started.stream_id)
        except LiveRefused as refused:
            raise StreamRefused(str(refused)) from None
        self._sides = {side: _SideIn(side, ear) for side in (Side.RESIDENT, Side.AGENT)}
        return ear

    async def _heard(self, ear: LiveEar) -> bool:
        """Whether the provider itself ended the stream. Raises StreamRefused."""
        watching = asyncio.create_task(self._close_when_stalled(), name="live stream watched")
        try:
            while not ear.is_lost:
                match await self._next():
                    case Frame() as frame:
                        self._take(frame)
                    case StreamStarted():
                        self._count_bad("a second start")
                    case StreamStopped():
                        return True
                    case None:
                        return False
            return False
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _close_when_stalled(self) -> None:
        """One timer a stream: a deadline for each of its fifty messages a second would cost as much as reading them."""
        seen = -1
        while seen != self._messages:
            seen = self._messages
            await asyncio.sleep(STALL_SECONDS)
        self._closed_for = f"nothing came for {STALL_SECONDS:.0f} s"
        log.warning("live stream closed", call_id=self._call_id, reason=self._closed_for)
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=self._closed_for.encode())

    def _take(self, frame: Frame) -> None:
        elapsed_ms = (self._clock.now() - self._began_at).total_seconds() * 1000
        if frame.at_ms > elapsed_ms + AHEAD_MS:
            raise StreamRefused("faster than anybody speaks")
        try:
            payload = base64.b64decode(frame.payload, validate=True)
        except (binascii.Error, ValueError):
            self._count_bad("sound that is not base64")
            return
        self._sides[frame.side].take(frame.at_ms, payload)

    async def _next(self) -> StreamEvent | None:
        """None where the connection is over. Raises StreamRefused."""
        while True:
            message = await self._socket.receive()
            self._messages += 1
            if message.type is WSMsgType.BINARY:
                self._count_bad("a binary message")
                continue
            if message.type is not WSMsgType.TEXT:
                return None
            try:
                event = self._provider.read(message.data)
            except BadMessage as error:
                self._count_bad(str(error))
                continue
            except WebhookRefused as refused:
                raise StreamRefused(str(refused)) from None
            if event is not None:
                return event

    def _count_bad(self, what: str) -> None:
        """Raises StreamRefused where there are too many."""
        self._bad_messages += 1
        if self._bad_messages > MOST_BAD_MESSAGES:
            raise StreamRefused(f"too many bad messages, the last one {what}")


class _SideIn:
    """One side's frames, in order, handed on in pieces."""

    def __init__(self, side: Side, ear: LiveEar) -> None:
        self.order = TrackOrder(silence=SILENCE)
        self._side = side
        self._ear = ear
        self._begins_ms = 0
        self._piece = b""

    def take(self, at_ms: int, payload: bytes) -> None:
        for begins_ms, ordered in self.order.add(at_ms, payload):
            self._add(begins_ms, ordered)

    def finish(self) -> None:
        for begins_ms, ordered in self.order.finish():
            self._add(begins_ms, ordered)
        self._hand_on()

    def _add(self, begins_ms: int, payload: bytes) -> None:
        if not self._piece:
            self._begins_ms = begins_ms
        self._piece += payload
        if len(self._piece) >= PIECE_BYTES:
            self._hand_on()

    def _hand_on(self) -> None:
        if self._piece:
            self._ear.hear(LiveAudio(side=self._side, at_ms=self._begins_ms, pcm=decoded(self._piece)))
            self._piece = b""
