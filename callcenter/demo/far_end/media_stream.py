"""A call's sound sent to the server while the call goes on, as the provider's media streams do it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from twilio.request_validator import RequestValidator

from callcenter.demo.far_end.twiml import StartStream
from callcenter.demo.sound import RATE_HZ, Sound
from callcenter.ivr.mu_law import encoded

FRAME_MS = 20
Meanwhile = Callable[[], Awaitable[None]]
_FRAME_BYTES = RATE_HZ * FRAME_MS // 1000


class MediaStream:
    """One websocket of one call. Its messages count up from 1; numbers are strings, as the provider writes them."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, account_sid: str, call_sid: str, sid: str) -> None:
        self.socket = socket
        self.sid = sid
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._number = 0
        self._chunks: dict[str, int] = {}

    async def send(self, event: str, **values: Any) -> None:
        if event == "connected":
            await self.socket.send_str(json.dumps({"event": event} | values))
            return
        self._number += 1
        told = {"event": event, "sequenceNumber": str(self._number)} | values | {"streamSid": self.sid}
        await self.socket.send_str(json.dumps(told))

    async def start(self, parameters: Mapping[str, str]) -> None:
        await self.send("connected", protocol="Call", version="1.0.0")
        start = {
            "accountSid": self._account_sid,
            "streamSid": self.sid,
            "callSid": self._call_sid,
            "tracks": ["inbound", "outbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1},
            "customParameters": dict(parameters),
        }
        await self.send("start", start=start)

    async def media(self, track: str, at_ms: int, mu_law: bytes) -> None:
        self._chunks[track] = self._chunks.get(track, 0) + 1
        payload = base64.b64encode(mu_law).decode()
        media = {"track": track, "chunk": str(self._chunks[track]), "timestamp": str(at_ms), "payload": payload}
        await self.send("media", media=media)

    async def play(
        self, tracks: Mapping[str, Sound], *, pace: float = 1.0, begins_ms: int = 0, meanwhile: Meanwhile | None = None
    ) -> None:
        """Both tracks, frame by frame, `pace` times as fast as they are spoken, from that time of the stream on.

        `meanwhile` is awaited after each frame that has passed: a clock may be moved there.
        """
        loop = asyncio.get_running_loop()
        sounds = {track: encoded(sound.samples) for track, sound in tracks.items()}
        began, frames = loop.time(), max(map(len, sounds.values()), default=0) // _FRAME_BYTES
        for number in range(frames):
            await asyncio.sleep(began + (number + 1) * FRAME_MS / 1000 / pace - loop.time())
            for track, mu_law in sounds.items():
                frame = mu_law[number * _FRAME_BYTES : (number + 1) * _FRAME_BYTES]
                if frame:
                    await self.media(track, begins_ms + number * FRAME_MS, frame)
            if meanwhile is not None:
                await meanwhile()

    async def stop(self) -> None:
        await self.send("stop", stop={"accountSid": self._account_sid, "callSid": self._call_sid})


@asynccontextmanager
async def media_stream(
    session: aiohttp.ClientSession, request: StartStream, *, auth_token: str, account_sid: str, call_sid: str, sid: str
) -> AsyncIterator[MediaStream]:
    """The opening request is signed over its address. Raises aiohttp's errors where the server refuses it."""
    headers = {"X-Twilio-Signature": RequestValidator(auth_token).compute_signature(request.url, {})}
    async with session.ws_connect(request.url, headers=headers) as socket:
        stream = MediaStream(socket, account_sid=account_sid, call_sid=call_sid, sid=sid)
        await stream.start(request.parameters)
        yield stream
