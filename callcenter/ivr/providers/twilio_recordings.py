"""Fetching recordings from Twilio-compatible providers."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from callcenter.config import TwilioSettings
from callcenter.ports import FetchedRecording, RecordingRejected, RecordingUnavailable

FETCH_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=10, sock_read=30)
CHUNK_BYTES = 64 * 1024


class TwilioRecordings:
    """Fetches recordings (RecordingFetcher): only from allowed hosts, no further than `largest_bytes`, resuming."""

    def __init__(self, settings: TwilioSettings, session: aiohttp.ClientSession, *, largest_bytes: int) -> None:
        self._settings = settings
        self._session = session
        self._largest_bytes = largest_bytes
        self._headers = {
            "Authorization": aiohttp.encode_basic_auth(settings.account_sid, settings.auth_token.get_secret_value())
        }

    async def fetch(self, *, provider: str, url: str, channels: int, target: Path) -> FetchedRecording:
        """Downloads to `target` by way of `target`.part. Raises RecordingRejected, RecordingUnavailable."""
        address = self._address(url, channels)
        part = target.with_name(target.name + ".part")
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            await self._download(address, part)
            await asyncio.to_thread(part.replace, target)
            size_bytes = target.stat().st_size
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RecordingUnavailable(f"{address.host}: {error!r}") from error
        except OSError as error:
            raise RecordingUnavailable(f"{target.parent} does not take the recording: {error.strerror}") from error
        return FetchedRecording(path=target, size_bytes=size_bytes)

    def _address(self, url: str, channels: int) -> URL:
        """What is checked is the address that is then asked, not another reading of it. Raises RecordingRejected."""
        try:
            address = URL(url, encoded=True)
            self._check_host(address)
        except ValueError as error:
            raise RecordingRejected(f"the recording's address {url[:80]!r} cannot be read") from error
        path = address.raw_path if address.raw_path.endswith((".wav", ".mp3")) else address.raw_path + ".wav"
        query = urlencode({"RequestedChannels": 2}) if channels > 1 else ""
        return address.with_path(path, encoded=True).with_query(query)

    def _check_host(self, address: URL) -> None:
        """A host may be listed with its port; a host alone is asked by the scheme and port of twilio.api_url."""
        if address.scheme not in ("http", "https") or not address.host:
            raise RecordingRejected(f"the recording's address {str(address)[:80]!r} is not http(s)")
        if address.raw_user is not None or address.raw_password is not None or "@" in address.raw_authority:
            raise RecordingRejected("the recording's address holds a user or a password")
        allowed = {host.lower() for host in self._settings.recording_hosts}
        host = (address.raw_host or "").lower()
        shown = f"[{host}]" if ":" in host else host
        if f"{shown}:{address.port}" in allowed:
            return
        if not allowed & {host, shown}:
            raise RecordingRejected(f"the recording's host {shown}:{address.port} is not in twilio.recording_hosts")
        api = URL(self._settings.api_url)
        if (address.scheme, address.port) != (api.scheme, api.port):
            raise RecordingRejected(
                f"the recording's address is {address.scheme} on port {address.port}, twilio.api_url is {api.scheme} on"
                f" {api.port}; list {shown}:{address.port} in twilio.recording_hosts if that is right"
            )

    async def _download(self, address: URL, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        headers = self._headers | ({"Range": f"bytes={have}-"} if have else {})
        async with self._session.get(
            address, headers=headers, timeout=FETCH_TIMEOUT, allow_redirects=False
        ) as response:
            if response.status == 416:
                part.unlink(missing_ok=True)
                raise RecordingUnavailable("the part already fetched does not fit; starting again")
            self._check(response)
            resumed = response.status == 206
            await self._append(response, part, start=have if resumed else 0)

    def _check(self, response: aiohttp.ClientResponse) -> None:
        if 300 <= response.status < 400:
            raise RecordingRejected(f"the recording's host redirects ({response.status}); redirects are not followed")
        if response.status in (404, 408, 425, 429) or response.status >= 500:
            raise RecordingUnavailable(f"the recording's host answered {response.status}")
        if response.status not in (200, 206):
            raise RecordingRejected(f"the recording's host answered {response.status}")
        kind = response.content_type
        if not (kind.startswith("audio/") or kind in ("application/octet-stream", "binary/octet-stream")):
            raise RecordingRejected(f"the recording's host sent {kind}, not audio")

    async def _append(self, response: aiohttp.ClientResponse, part: Path, *, start: int) -> None:
        stated = response.content_length
        if stated is not None and start + stated > self._largest_bytes:
            raise RecordingRejected(f"the recording has {start + stated} bytes, more than {self._largest_bytes}")
        written = start
        file = await asyncio.to_thread(part.open, "ab" if start else "wb")
        try:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                written += len(chunk)
                if written > self._largest_bytes:
                    part.unlink(missing_ok=True)
                    raise RecordingRejected(f"the recording is larger than {self._largest_bytes} bytes")
                await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)
