"""A far end with a hotline at its other end that says what each test wants it to say."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator

from callcenter.demo.call_script import CallScript, read_call
from callcenter.demo.clock import SharedClock
from callcenter.demo.far_end.exchange import Account, Exchange
from callcenter.demo.far_end.people import Phones, phones_of
from callcenter.demo.far_end.webhooks import Webhooks
from callcenter.demo.sound import Sound, mono_wav

TOKEN = "0123456789abcdef"
AGENTS = {"sip:hewen@pbx.example": "hewen", "sip:chenmin@pbx.example": "chenmin", "+8613900004471": "lijia"}
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@dataclass
class Got:
    """One request that reached the hotline."""

    hook: str
    form: dict[str, str]
    query: dict[str, str]
    token: str
    signed: bool


@dataclass
class Hotline:
    """Answers each hook with what `answers` holds: a document, or a function of the form; none: 204."""

    answers: dict[str, str | Callable[[dict[str, str]], str | int]] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        hook = request.match_info["hook"]
        signature = request.headers.get("X-Twilio-Signature", "")
        signed = RequestValidator(TOKEN).validate(self.url + request.raw_path, form, signature)
        token = request.headers.get("I-Twilio-Idempotency-Token", "")
        self.got.append(Got(hook, form, dict(request.query), token, signed))
        answer = self.answers.get(hook)
        found = answer(form) if callable(answer) else answer
        if isinstance(found, int):
            return web.Response(status=found)
        if found is None:
            return web.Response(status=204)
        return web.Response(text=f"<Response>{found}</Response>", content_type="text/xml")

    def forms(self, hook: str) -> list[dict[str, str]]:
        return [one.form for one in self.got if one.hook == hook]

    def hooks(self) -> list[str]:
        return [one.hook for one in self.got]


@pytest.fixture
async def hotline() -> AsyncIterator[Hotline]:
    hotline = Hotline()
    app = web.Application()
    app.router.add_post("/ivr/twilio/{hook}", hotline.handle)
    async with TestServer(app) as server:
        hotline.url = f"http://127.0.0.1:{server.port}"
        yield hotline


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    path = tmp_path / "clock"
    SharedClock.create(path, START).close()
    return path


@pytest.fixture
async def exchange(hotline: Hotline, clock_file: Path) -> AsyncIterator[Exchange]:
    account = Account(sid="AC" + "1" * 32, auth_token=TOKEN, number="+862156780000", public_url=hotline.url)
    async with aiohttp.ClientSession() as session:
        made = Exchange(account, Webhooks(session, TOKEN), SharedClock(clock_file))
        made.base_url = "http://127.0.0.1:9"
        yield made


@pytest.fixture
def phones() -> Phones:
    return phones_of((), AGENTS)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., CallScript]:
    """Writes and reads a call: `script(toml, seconds=4)` has both sides, `seconds=None` no sound."""

    def write(toml: str, *, seconds: float | None = 4.0, sides: tuple[str, ...] = ("resident", "agent")) -> CallScript:
        folder = tmp_path / "calls" / "01-call"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "call.toml").write_text(toml, encoding="utf-8")
        for number, side in enumerate(sides if seconds else ()):
            sample = (1000 * (number + 1)).to_bytes(2, "little")
            (folder / f"{side}.wav").write_bytes(mono_wav(Sound(samples=sample * int(8000 * (seconds or 0)))))
        return read_call(folder / "call.toml", agents=frozenset(AGENTS.values()))

    return write
