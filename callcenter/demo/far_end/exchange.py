"""The provider as a whole: its account, its calls and recordings, its line to the server, what it noticed."""

import asyncio
import hashlib
import itertools
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import urljoin

from callcenter.demo.clock import SharedClock
from callcenter.demo.far_end.media_stream import MediaStream
from callcenter.demo.far_end.resources import ProviderCall, Recording
from callcenter.demo.far_end.twiml import StartStream, TwimlUnusable, Verb, read_twiml
from callcenter.demo.far_end.webhooks import ServerFailed, Webhooks


@dataclass(frozen=True, kw_only=True)
class Account:
    sid: str
    auth_token: str = field(repr=False)
    number: str
    public_url: str

    @property
    def voice_url(self) -> str:
        return f"{self.public_url}/ivr/twilio/voice"

    @property
    def fallback_url(self) -> str:
        return f"{self.public_url}/ivr/twilio/fallback"

    @property
    def status_url(self) -> str:
        return f"{self.public_url}/ivr/twilio/status"


@dataclass(kw_only=True)
class Journal:
    """What the far end noticed. A problem is what an operator would find among the provider's error logs."""

    problems: list[str] = field(default_factory=list)
    requests: int = 0
    repeated: int = 0
    reordered: int = 0
    lost: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "problems": list(self.problems),
            "requests": self.requests,
            "repeated": self.repeated,
            "reordered": self.reordered,
            "lost": self.lost,
        }


class Exchange:
    """One call is played at a time (`playing`): the calls share one clock."""

    def __init__(self, account: Account, webhooks: Webhooks, clock: SharedClock, *, seed: str = "demo") -> None:
        self.account = account
        self.clock = clock
        self.journal = Journal()
        self.calls: dict[str, ProviderCall] = {}
        self.recordings: dict[str, Recording] = {}
        self.playing = asyncio.Lock()
        self.base_url = ""
        self._webhooks = webhooks
        self._seed = seed
        self._counts: dict[str, itertools.count[int]] = {}

    def randomness(self, name: str) -> Random:
        """The same for the same call on every run."""
        return Random(f"{self._seed}/{name}")  # noqa: S311 - to repeat a rehearsal, not to keep a secret

    def new_sid(self, prefix: str) -> str:
        number = next(self._counts.setdefault(prefix, itertools.count(1)))
        digest = hashlib.sha256(f"{self._seed}/{prefix}/{number}".encode())
        return prefix + digest.hexdigest()[:32]

    def new_call(
        self, *, direction: str, from_number: str, to: str, at: datetime, parent: ProviderCall | None = None
    ) -> ProviderCall:
        call = ProviderCall(
            sid=self.new_sid("CA"),
            account_sid=self.account.sid,
            direction=direction,
            from_number=from_number,
            to=to,
            created_at=at,
            parent_sid=parent.sid if parent else None,
        )
        self.calls[call.sid] = call
        return call

    def keep_recording(
        self, call: ProviderCall, *, wav: bytes, channels: int, seconds: float, at: datetime, source: str
    ) -> Recording:
        recording = Recording(
            sid=self.new_sid("RE"),
            call_sid=call.sid,
            account_sid=self.account.sid,
            channels=channels,
            seconds=seconds,
            started_at=at,
            source=source,
            wav=wav,
        )
        self.recordings[recording.sid] = recording
        call.recordings.append(recording)
        return recording

    def recording_url(self, recording: Recording) -> str:
        return f"{self.base_url}{recording.path}"

    def media_stream(self, call: ProviderCall, request: StartStream) -> AbstractAsyncContextManager[MediaStream]:
        """The call's sound, sent while it goes on."""
        return self._webhooks.media_stream(
            request, account_sid=self.account.sid, call_sid=call.sid, sid=self.new_sid("MZ")
        )

    async def tell(self, url: str, form: Mapping[str, str], *, times: int = 1) -> None:
        """A notice whose answer does not matter, unless it is an error. The same notice may be given several times."""
        target, token = urljoin(self.account.public_url + "/", url), self.new_sid("EV")
        for _ in range(times):
            self.journal.requests += 1
            try:
                reply = await self._webhooks.post(target, form, token=token)
            except ServerFailed as error:
                self.journal.problems.append(str(error))
                continue
            if reply.status >= 300:
                self.journal.problems.append(f"POST {target}: answered {reply.status} to {_short(form)}")

    async def document(self, url: str, form: Mapping[str, str]) -> tuple[Verb, ...]:
        """The TwiML that the server answers with. Raises ServerFailed."""
        self.journal.requests += 1
        reply = await self._webhooks.post(url, form, token=self.new_sid("EV"))
        if reply.status >= 300:
            raise ServerFailed(f"POST {url}: answered {reply.status} to {_short(form)}")
        if reply.status == 204 or not reply.text.strip():
            return ()
        if "xml" not in reply.content_type:
            raise ServerFailed(f"POST {url}: answered {reply.content_type}, not XML")
        return self.inline(reply.text, url)

    def inline(self, text: str, source: str) -> tuple[Verb, ...]:
        """Raises ServerFailed."""
        try:
            return read_twiml(text)
        except TwimlUnusable as error:
            raise ServerFailed(f"{source}: TwiML: {error}") from error


def _short(form: Mapping[str, str]) -> str:
    shown = ("CallStatus", "DialCallStatus", "RecordingStatus", "Digits")
    return ", ".join(f"{key}={form[key]}" for key in shown if key in form) or "a form"
