"""Requests to the server, signed and retried as the provider does it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import aiohttp
from twilio.request_validator import RequestValidator

from callcenter.demo.far_end.media_stream import MediaStream, media_stream
from callcenter.demo.far_end.twiml import StartStream

TIMEOUT_SECONDS = 15
CONNECT_TIMEOUT_SECONDS = 5


class ServerFailed(Exception):
    """The server gave no usable answer; the message says which request and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int
    content_type: str
    text: str


class Webhooks:
    """Posts forms to the server. `session` is closed by whoever made it."""

    def __init__(self, session: aiohttp.ClientSession, auth_token: str) -> None:
        self._session = session
        self._auth_token = auth_token
        self._validator = RequestValidator(auth_token)

    async def post(self, url: str, form: Mapping[str, str], *, token: str) -> Reply:
        """One signed request, repeated once where no connection came about. Raises ServerFailed."""
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, dict(form)),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        try:
            return await self._send(url, form, headers)
        except aiohttp.ClientConnectionError:
            pass
        try:
            return await self._send(url, form, headers)
        except aiohttp.ClientConnectionError as error:
            raise ServerFailed(f"POST {url}: no connection ({error})") from error

    def media_stream(
        self, request: StartStream, *, account_sid: str, call_sid: str, sid: str
    ) -> AbstractAsyncContextManager[MediaStream]:
        """A call's sound on its way to the server. Raises aiohttp's errors where the server refuses it."""
        return media_stream(
            self._session, request, auth_token=self._auth_token, account_sid=account_sid, call_sid=call_sid, sid=sid
        )

    async def _send(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS)
        try:
            async with self._session.post(
                url, data=form, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                text = await response.text()
                return Reply(status=response.status, content_type=response.content_type, text=text)
        except aiohttp.ConnectionTimeoutError:
            raise
        except TimeoutError as error:
            raise ServerFailed(f"POST {url}: no answer within {TIMEOUT_SECONDS} s") from error
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, UnicodeDecodeError) as error:
            raise ServerFailed(f"POST {url}: broken answer ({error})") from error
