"""The webhook edge on a real inbox and a real database, and a far end that signs like the provider."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from multidict import MultiDict
from pydantic import SecretStr
from pytest_aiohttp import AiohttpClient
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from callcenter.config import AgentSettings, CallFlowSettings, TwilioSettings
from callcenter.db.engine import Database
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.providers.twilio import TwilioProvider
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.services.inbox import EventInbox
from callcenter.services.spool import Spool
from tests.conftest import SetClock

TOKEN = "a-secret-of-the-provider"
PUBLIC_URL = "https://hotline.example.com"
AGENTS = (
    AgentSettings(id="hewen", name="何雯", phone="sip:hewen@pbx.example"),
    AgentSettings(id="lijia", name="李佳", phone="+8613900004471"),
)
Post = Callable[..., Awaitable[web.Response]]


def provider(token: str = TOKEN) -> TwilioProvider:
    settings = TwilioSettings(account_sid="AC1", auth_token=SecretStr(token))
    return TwilioProvider(settings, TwimlWriter(public_url=PUBLIC_URL, language="zh-CN", voice=""))


def sign(path: str, form: Mapping[str, str], *, token: str = TOKEN, base: str = PUBLIC_URL) -> str:
    return RequestValidator(token).compute_signature(base + path, MultiDict(form))


@pytest.fixture
async def inbox(database: Database, tmp_path: Path) -> AsyncIterator[EventInbox]:
    opened = EventInbox(database, Spool(tmp_path / "spool.sqlite"))
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient, inbox: EventInbox, clock: SetClock
) -> TestClient[web.Request, web.Application]:
    edge = WebhookEdge(
        providers={"twilio": provider()},
        call_flow=CallFlow(CallFlowSettings(), AGENTS),
        inbox=inbox,
        clock=clock,
        public_url=PUBLIC_URL,
    )
    app = web.Application()
    edge.add_routes(app)
    return await aiohttp_client(app)


@pytest.fixture
def post(client: TestClient[web.Request, web.Application]) -> Post:
    """Posts a form to a hook, signed unless `signature` says otherwise."""

    async def send(path: str, *, signature: str | None = "right", **form: str) -> web.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signature is not None:
            headers[SIGNATURE_HEADER] = sign(path, form) if signature == "right" else signature
        return await client.post(path, data=urlencode(form).encode(), headers=headers)  # type: ignore[return-value]

    return send
