"""One live recogniser's process as its server sees it: what it was sent, what it has answered, how far it is behind."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from callcenter.asr import live_child
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import EngineCrashed, ModelBroken
from callcenter.asr.live_side import LIVE_RATE_HZ
from callcenter.asr.live_wire import Kind, message

log = structlog.get_logger()

START_SECONDS = 60.0
HANGS_AFTER_SECONDS = 15.0
LOOK_SECONDS = 1.0
_LONGEST_LINE_BYTES = 1 << 20

Answer = dict[str, Any]


@dataclass(kw_only=True)
class _Stream:
    take: Callable[[Answer], None]
    sent_bytes: int = 0
    heard_bytes: int = 0

    @property
    def behind_ms(self) -> int:
        return (self.sent_bytes - self.heard_bytes) * 1000 // (2 * LIVE_RATE_HZ)


class LiveProcess:
    """Start it once; `run` until it has ended. Whatever it dies of, its streams are told `lost`, once each."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._streams: dict[int, _Stream] = {}
        self._number = 0
        self.is_ready = False
        self.is_retired = False
        self.calls_begun = 0

    @property
    def streams(self) -> int:
        return len(self._streams)

    @property
    def behind_ms(self) -> int:
        """How much sound of any one stream waits to be heard: the queue is one for all."""
        return max((stream.behind_ms for stream in self._streams.values()), default=0)

    async def start(self) -> None:
        """Raises ModelBroken where the engine refuses the model, EngineCrashed where it dies over it."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", live_child.__name__, live_child.arguments(self._settings)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_LINE_BYTES,
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_SECONDS)
        except TimeoutError as error:
            await self.stop()
            raise EngineCrashed(f"the live recogniser did not load within {START_SECONDS:.0f} s") from error
        except asyncio.CancelledError:
            await self.stop()
            raise
        said: Answer = json.loads(line) if line else {}
        if said.get("kind") != "ready":
            await self.stop()
            if said.get("kind") == "failed":
                raise ModelBroken(str(said["reason"]))
            raise EngineCrashed("the live recogniser died while it loaded its model")
        self.is_ready = True

    async def run(self) -> int | None:
        """Until the process has ended; its exit code. Kills it where it hears nothing for too long."""
        watching = asyncio.create_task(self._watch(), name="live recogniser watched")
        try:
            await self._read()
        finally:
            self.is_ready = False
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self.stop()
            for stream in tuple(self._streams.values()):
                stream.take({"kind": "lost"})
            self._streams.clear()
        return self._process.returncode if self._process else None

    async def stop(self) -> None:
        """Ends the process, at once."""
        process, self.is_ready = self._process, False
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def open(self, take: Callable[[Answer], None]) -> int:
        """The number of a new stream, whose answers are given to `take` on the event loop."""
        self._number += 1
        self._streams[self._number] = _Stream(take=take)
        self._send(message(Kind.OPEN, self._number))
        return self._number

    def hear(self, stream: int, pcm: bytes, *, at_ms: int, wants_partial: bool) -> None:
        found = self._streams.get(stream)
        if found is not None:
            found.sent_bytes += len(pcm)
            self._send(message(Kind.AUDIO if wants_partial else Kind.AUDIO_ONLY, stream, at_ms, pcm))

    def stream_behind_ms(self, stream: int) -> int:
        found = self._streams.get(stream)
        return found.behind_ms if found is not None else 0

    def finish(self, stream: int) -> None:
        """`finished` is answered after everything that was sent has been heard."""
        if stream in self._streams:
            self._send(message(Kind.FINISH, stream))

    def drop(self, stream: int) -> None:
        if self._streams.pop(stream, None) is not None:
            self._send(message(Kind.DROP, stream))
            self._end_if_idle()

    def retire(self) -> None:
        """Ends by itself with the last of its streams; no new one may be opened."""
        self.is_retired = True
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self.is_retired and not self._streams and self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _send(self, written: bytes) -> None:
        """Never waits: how much may stand in the pipe is bounded by who drops streams that are too far behind."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(written)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with contextlib.suppress(ConnectionError, ValueError):  # a line beyond every bound: it no longer makes sense
            while line := await self._process.stdout.readline():
                self._take(json.loads(line))

    def _take(self, said: Answer) -> None:
        stream = self._streams.get(said.get("stream", 0))
        if stream is None:
            return
        if said["kind"] == "heard":
            stream.heard_bytes += said["bytes"]
            return
        if said["kind"] == "finished":
            self._streams.pop(said["stream"], None)
        stream.take(said)
        self._end_if_idle()

    async def _watch(self) -> None:
        """A process that has sound to hear and hears none of it hangs."""
        loop = asyncio.get_running_loop()
        heard, since = self._heard(), loop.time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now_heard = self._heard()
            if now_heard != heard or not self.behind_ms:
                heard, since = now_heard, loop.time()
            elif loop.time() - since > HANGS_AFTER_SECONDS:
                log.error("live recogniser hangs; killing it", streams=len(self._streams))
                await self.stop()
                return

    def _heard(self) -> tuple[tuple[int, int], ...]:
        return tuple((number, stream.heard_bytes) for number, stream in self._streams.items())
