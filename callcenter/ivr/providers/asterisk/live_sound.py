"""Both sides of a call as they are spoken: two snoops on the resident's channel, each carried to us by a websocket.

What the resident says is one side, what the resident hears the other, so that it goes on whoever they are passed on to.
Nothing that fails here reaches the caller: the call loses its live words, and its recording is transcribed as ever.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace

import aiohttp
import structlog

from callcenter.domain.transcript import Side
from callcenter.ivr.mu_law import decoded
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriRefused
from callcenter.ivr.providers.asterisk.names import NAME, ear_channel
from callcenter.ports import LiveAudio, LiveEar, LiveListener, LiveRefused, StreamReport

log = structlog.get_logger()

FORMAT = "ulaw"
FRAME_BYTES, FRAME_MS = 160, 20
PIECE_BYTES = 800
"""100 ms of one side: what is handed on at a time."""
LATE_MS = 100
"""A frame that comes so much later than the promptest one is late; a stream so far behind at its end has lost some."""
DIRECTIONS = {Side.RESIDENT: "in", Side.AGENT: "out"}
ENTER_TRIES, ENTER_PAUSE_SECONDS = 20, 0.05


@dataclass(kw_only=True, slots=True)
class SideArrivals:
    """How one side's sound came: `late_ms` a frame is how much later it came than the promptest one did."""

    frames: int = 0
    first_at: float = 0.0
    spread: list[float] = field(default_factory=list)

    def came(self, at: float, frames: int) -> None:
        """`at` counts seconds."""
        if not self.frames:
            self.first_at = at
        self.frames += frames
        self.spread.append((at - self.first_at) * 1000 - (self.frames - 1) * FRAME_MS)

    def late_ms(self) -> list[float]:
        least = min(self.spread, default=0.0)
        return [one - least for one in self.spread]

    @property
    def lost(self) -> int:
        """Frames that should have come by the last one's time, and did not."""
        if not self.spread:
            return 0
        return max(0, round(max(0.0, self.spread[-1]) // FRAME_MS) - LATE_MS // FRAME_MS)


class LiveSound:
    """One call's. `run` lasts until it is cancelled, or nobody listens."""

    def __init__(self, ari: AriClient, listener: LiveListener, *, channel: str, call_id: str) -> None:
        self._ari = ari
        self._listener = listener
        self._channel = channel
        self._call_id = call_id
        self._ear: LiveEar | None = None
        self._made: list[str] = []
        self.is_muted = False
        self.arrivals = {side: SideArrivals() for side in DIRECTIONS}

    async def run(self) -> None:
        whole, closed_for = False, None
        try:
            self._ear = await self._listener.begin(self._call_id, provider=NAME, stream_id=f"{self._call_id}:sound")
            whole = await self._carry_both()
        except LiveRefused as refused:
            log.info("a call is not heard live", call_id=self._call_id, reason=str(refused))
        except asyncio.CancelledError:
            closed_for = "server_stopped"
            raise
        finally:
            await asyncio.shield(self._end(StreamReport(whole=whole, closed_for=closed_for)))

    async def _carry_both(self) -> bool:
        """Whether it lasted to the call's end."""
        began, lasted = time.monotonic(), True
        try:
            async with asyncio.TaskGroup() as both:
                for side in DIRECTIONS:
                    both.create_task(self._carry(side, began), name=f"sound of {self._call_id}: {side.value}")
        except* (AriError, aiohttp.ClientError, OSError) as failed:
            log.warning("live sound is lost", call_id=self._call_id, error=repr(failed.exceptions[0]))
            lasted = False
        return lasted

    async def finish(self) -> None:
        """The call is over: a media channel outlives what it hears."""
        for name in tuple(self._made):
            await self._ari.hang_up(name)

    async def _end(self, report: StreamReport) -> None:
        for name in self._made:
            try:
                await self._ari.hang_up(name)
            except AriError as error:
                log.debug("a channel of live sound is left", call_id=self._call_id, error=str(error))
        if self._ear is None:
            return
        came = self.arrivals.values()
        late = sorted(one for side in came for one in side.late_ms())
        log.info(
            "live sound has ended",
            call_id=self._call_id,
            frames=sum(side.frames for side in came),
            lost=sum(side.lost for side in came),
            late_ms_p95=round(late[len(late) * 95 // 100]) if late else None,
        )
        lost, late_frames = sum(side.lost for side in came), sum(one > LATE_MS for one in late)
        await self._ear.end(replace(report, lost_frames=lost, late_frames=late_frames))

    async def _carry(self, side: Side, began: float) -> None:
        """Until the call's sound ends. Raises AriError, aiohttp.ClientError."""
        socket = await self._tapped(side)
        ear, arrived = self._ear, self.arrivals[side]
        if ear is None:
            return
        at_ms, piece = 0, b""
        async with socket:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    continue
                now = time.monotonic()
                arrived.came(now, max(1, len(message.data) // FRAME_BYTES))
                if arrived.frames == max(1, len(message.data) // FRAME_BYTES):
                    at_ms = max(0, round((now - began) * 1000) - FRAME_MS)
                piece += message.data if not self.is_muted else b"\xff" * len(message.data)
                if len(piece) >= PIECE_BYTES:
                    ear.hear(LiveAudio(side=side, at_ms=at_ms, pcm=decoded(piece)))
                    at_ms, piece = at_ms + len(piece) // 8, b""
                if ear.is_lost:
                    return
        if piece:
            ear.hear(LiveAudio(side=side, at_ms=at_ms, pcm=decoded(piece)))

    async def _tapped(self, side: Side) -> aiohttp.ClientWebSocketResponse:
        """A snoop, a media channel, and a bridge for the two."""
        snoop, media, bridge = (ear_channel(self._channel, f"{part}-{side.value}") for part in ("tap", "way", "both"))
        await self._ari.snoop(self._channel, snoop, spy=DIRECTIONS[side], args="ear")
        self._made.append(snoop)
        query = {"external_host": "INCOMING", "transport": "websocket", "connection_type": "server"}
        query |= {"app": self._ari.settings.app, "channelId": media, "encapsulation": "none", "format": FORMAT}
        await self._ari.request("POST", "channels/externalMedia", body=None, **query)
        self._made.append(media)
        socket = await self._ari.media(await self._ari.variable(media, "MEDIA_WEBSOCKET_CONNECTION_ID"))
        for left in reversed(range(ENTER_TRIES)):
            try:
                await self._ari.bridge(bridge, (snoop, media))
            except AriRefused:
                if not left:
                    raise
                await asyncio.sleep(ENTER_PAUSE_SECONDS)
            else:
                break
        return socket
