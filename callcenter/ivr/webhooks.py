"""The webhook edge: verify, parse, decide, store, and only then answer.

`POST /ivr/{provider}/{hook}`. An event is on disk before its request is answered. A caller never hears an
application error: where we cannot store or decide in time, the answer is the fallback (a person on the fallback
number, else voice mail).
"""

import asyncio
import functools
from collections.abc import Mapping
from datetime import datetime

import structlog
from aiohttp import web

from callcenter.domain.calls import EventKind
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine, OnTheLine
from callcenter.ivr.our_events import events_of_steps
from callcenter.ivr.progress import ProgressOnTheLine, with_what_is_known
from callcenter.ivr.provider import (
    AgentPickedUp,
    AgentPressed,
    MalformedWebhook,
    Provider,
    Webhook,
    WebhookRefused,
    WebhookRequest,
)
from callcenter.ports import Clock
from callcenter.services.arrived_requests import Arrival, Arrivals
from callcenter.services.inbox import EventInbox, NotStored

log = structlog.get_logger()

OFF_THE_LINE = frozenset({EventKind.LEG_ANSWERED, EventKind.LEG_CONFIRMED, EventKind.CALL_ENDED})
"""Who is talked to, or has hung up, waits no more."""
LARGEST_BODY_BYTES = 256 * 1024
BODY_SECONDS = 5.0


async def _body(request: web.Request) -> bytes:
    """Up to one byte more than is allowed. Raises TimeoutError where it does not come in time."""
    if request.content.is_eof() and not request.content.at_eof() and request.content.total_bytes <= LARGEST_BODY_BYTES:
        return request.content.read_nowait()
    async with asyncio.timeout(BODY_SECONDS):
        return await _read(request)


async def _read(request: web.Request) -> bytes:
    body = b""
    while len(body) <= LARGEST_BODY_BYTES and not request.content.at_eof():
        body += await request.content.read(LARGEST_BODY_BYTES + 1 - len(body))
    return body


class WebhookEdge:
    """One for all providers. Holds no state of any call: what must be known again comes back in signed URLs."""

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        call_flow: CallFlow,
        inbox: EventInbox,
        clock: Clock,
        public_url: str,
        progress: ProgressOnTheLine | None = None,
        callers: CallersOnTheLine | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._providers = providers
        self._call_flow = call_flow
        self._inbox = inbox
        self._clock = clock
        self._public_url = public_url
        self._progress = progress
        self._callers = callers
        self._arrivals = arrivals or Arrivals()

    def add_routes(self, app: web.Application) -> None:
        """A route a hook, which the router finds without a search; what is left is told that there is no such hook."""
        for provider in self._providers.values():
            for hook in provider.hooks:
                app.router.add_post(f"/ivr/{provider.name}/{hook}", functools.partial(self._handle, provider, hook))
        app.router.add_post("/ivr/{provider}/{hook}", self._refuse)

    def _note(
        self,
        at: datetime,
        provider: str,
        hook: str,
        status: int,
        *,
        call_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        arrival = Arrival(at=at, provider=provider, hook=hook, status=status, call_id=call_id, reason=reason)
        self._arrivals.note(arrival)

    async def _refuse(self, request: web.Request) -> web.Response:
        provider, hook = request.match_info["provider"], request.match_info["hook"]
        known = provider in self._providers
        now = self._clock.now()
        self._note(now, provider[:40], hook[:40], 404, reason="no such hook" if known else "no such provider")
        return web.Response(status=404, text="no such hook" if known else "no such provider")

    async def _handle(self, provider: Provider, hook: str, request: web.Request) -> web.Response:
        try:
            body = await _body(request)
        except TimeoutError:
            return web.Response(status=408, text=f"the body did not come within {BODY_SECONDS:.0f} s")
        if len(body) > LARGEST_BODY_BYTES:
            return web.Response(status=413, text=f"the body is larger than {LARGEST_BODY_BYTES} bytes")
        asked = self._request(hook, request, body)
        try:
            provider.verify(asked)
        except WebhookRefused as refused:
            log.warning("webhook refused", provider=provider.name, reason=str(refused), status=refused.status)
            self._note(asked.received_at, provider.name, hook, refused.status, reason=str(refused))
            return web.Response(status=refused.status, text=str(refused))
        try:
            webhook = provider.read(asked)
            answer = await self._answer(provider, webhook)
            self._note(asked.received_at, provider.name, hook, answer.status, call_id=webhook.call_id)
            return answer
        except MalformedWebhook as malformed:
            log.warning("webhook cannot be read", provider=provider.name, hook=hook, reason=str(malformed))
            self._note(asked.received_at, provider.name, hook, malformed.status, reason=str(malformed))
            return self._instead(provider, hook, status=malformed.status, problem=str(malformed))
        except Exception:
            log.exception("webhook failed", provider=provider.name, hook=hook)
            return self._instead(provider, hook, status=500, problem="the server made a mistake; see its log")

    def _instead(self, provider: Provider, hook: str, *, status: int, problem: str) -> web.Response:
        """Somebody who waits on the line never hears an error: they get the fallback, the provider's log the reason."""
        if not provider.asks(hook):
            return web.Response(status=status, text=problem)
        reply = provider.reply(self._call_flow.fallback(), call_id="")
        return web.Response(text=reply.body, content_type=reply.content_type, headers={"X-Problem": problem})

    def _request(self, hook: str, request: web.Request, body: bytes) -> WebhookRequest:
        return WebhookRequest(
            hook=hook,
            url=self._public_url + request.raw_path,
            query=request.query,
            headers=request.headers,
            content_type=request.headers.get("Content-Type", ""),
            body=body,
            received_at=self._clock.now(),
        )

    async def _answer(self, provider: Provider, webhook: Webhook) -> web.Response:
        question = webhook.question
        if question is not None and self._progress is not None:
            question = await self._progress.filled_in(question)
        steps = self._call_flow.next_steps(question, self._on_the_line(webhook)) if question else ()
        if any(event.kind in OFF_THE_LINE for event in webhook.events):
            self._call_flow.gone(webhook.call_id)
        now = self._clock.now()
        events = [*webhook.events, *events_of_steps(steps, provider=provider.name, call_id=webhook.call_id, now=now)]
        try:
            await self._inbox.store(events, received_at=now)
        except NotStored:
            log.exception("event not stored", call_id=webhook.call_id, provider=provider.name)
            if webhook.question is None:
                return web.Response(status=503, text="the event could not be stored; send it again")
            if not isinstance(webhook.question, AgentPickedUp | AgentPressed):
                steps = self._call_flow.fallback()
        reply = provider.reply(with_what_is_known(question, steps), call_id=webhook.call_id)
        return web.Response(text=reply.body, content_type=reply.content_type)

    def _on_the_line(self, webhook: Webhook) -> OnTheLine | None:
        if self._callers is None:
            return None
        return self._callers.of(webhook.call_id, getattr(webhook.question, "from_number", None))
