"""The REST interface of one Asterisk (ARI), as far as calls need it."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from callcenter.config import AsteriskSettings
from callcenter.ivr.providers.asterisk.ari_errors import AriGone, AriRefused, AriUnreachable
from callcenter.ivr.providers.asterisk.manager import mute_mix_monitor
from callcenter.ivr.providers.asterisk.messages import Channel, read_channel

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
FILE_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=5, sock_read=30)
CHUNK_BYTES = 64 * 1024
UNSET_VARIABLE = "variable was not found"
WAV_HEADER_BYTES = 44


class AriClient:
    """Requests to one Asterisk; the session belongs to whoever made it."""

    def __init__(self, settings: AsteriskSettings, session: aiohttp.ClientSession) -> None:
        self.settings = settings
        self._session = session
        self._base = f"{settings.url}/ari"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(settings.user, settings.secret())}

    async def request(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, **query: str | int
    ) -> Any:
        """The answer's JSON, None where it has none. Raises AriUnreachable, AriGone, AriRefused."""
        try:
            async with self._session.request(
                method,
                f"{self._base}/{path}",
                params=query,
                json=dict(body) if body else None,
                headers=self._headers,
                timeout=TIMEOUT,
            ) as response:
                if response.status >= 400:
                    raise await self._no(response, f"{method} {path}")
                return await response.json() if response.status != 204 else None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise AriUnreachable(f"asterisk {self.settings.name}: {method} {path}: {error!r}") from error

    async def _no(self, response: aiohttp.ClientResponse, what: str) -> AriRefused:
        said = (await response.text())[:200]
        kind = AriGone if response.status == 404 else AriRefused
        return kind(f"asterisk {self.settings.name}: {what}: {response.status} {said}", status=response.status)

    async def events(self) -> aiohttp.ClientWebSocketResponse:
        """The events websocket of our application. Raises AriUnreachable, AriRefused."""
        try:
            return await self._session.ws_connect(
                f"{self._base}/events",
                params={"app": self.settings.app},
                headers=self._headers,
                heartbeat=self.settings.heartbeat_seconds,
                max_msg_size=1024 * 1024,
            )
        except aiohttp.WSServerHandshakeError as error:
            why = "check asterisk.user and its password" if error.status in (401, 403) else error.message
            raise AriRefused(f"asterisk {self.settings.name}: {error.status}: {why}", status=error.status) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AriUnreachable(f"asterisk {self.settings.name}: {error!r}") from error

    async def started_at(self) -> str:
        """When this process of Asterisk began, as it writes it. Raises AriError."""
        return str((await self.request("GET", "asterisk/info", only="status"))["status"]["startup_time"])

    # Channels

    async def channels(self) -> dict[str, Channel]:
        """Every channel that there is, by id."""
        return {channel.id: channel for channel in map(read_channel, await self.request("GET", "channels"))}

    async def bridges(self) -> dict[str, tuple[str, ...]]:
        """The channels of every bridge."""
        return {str(one["id"]): tuple(map(str, one["channels"])) for one in await self.request("GET", "bridges")}

    async def subscribe(self, channel: str) -> None:
        """Without this the end of a channel that the dialplan sent to us is never told."""
        path = f"applications/{quote(self.settings.app)}/subscription"
        await self.request("POST", path, eventSource=f"channel:{channel}")

    async def make(
        self,
        channel: str,
        endpoint: str,
        *,
        args: str,
        originator: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Channel:
        """A channel that enters our application at once, to be dialled then.

        AriRefused: there is no such phone, or it is not registered. It stays ours while we are not connected, which a
        channel that enters only when it is answered would not survive.
        """
        query: dict[str, Any] = {"endpoint": endpoint, "app": self.settings.app, "appArgs": args, "channelId": channel}
        if originator:
            query["originator"] = originator
        body = {"variables": dict(variables)} if variables else None
        return read_channel(await self.request("POST", "channels/create", body=body, **query))

    async def dial(self, channel: str, *, seconds: int, caller: str = "") -> None:
        """Rings it for so long at most. `caller`: the channel whose number it shows."""
        query: dict[str, Any] = {"timeout": seconds} | ({"caller": caller} if caller else {})
        await self.request("POST", f"channels/{_name(channel)}/dial", **query)

    async def is_talking(self, endpoint: str) -> bool:
        """Whether this phone (PJSIP/name) is in a call, whoever made it."""
        technology, _, name = endpoint.partition("/")
        try:
            found = await self.request("GET", f"endpoints/{_name(technology)}/{_name(name)}")
        except AriGone:
            return False
        for channel in found.get("channel_ids", ()):
            with contextlib.suppress(AriGone):
                if read_channel(await self.request("GET", f"channels/{_name(str(channel))}")).is_up:
                    return True
        return False

    async def continue_in(self, channel: str, context: str, extension: str = "s") -> None:
        """Leaves our application for the dialplan, which sends it back."""
        path = f"channels/{_name(channel)}/continue"
        await self.request("POST", path, context=context, extension=extension, priority=1)

    async def originate(
        self,
        endpoint: str,
        *,
        channel: str = "",
        other_channel: str = "",
        context: str = "",
        extension: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """A channel that enters our application when it is answered, or an extension of the dialplan."""
        query: dict[str, Any] = {"endpoint": endpoint}
        query |= {"channelId": channel} if channel else {}
        query |= {"otherChannelId": other_channel} if other_channel else {}
        query |= {"extension": extension, "context": context, "priority": 1} if context else {"app": self.settings.app}
        await self.request("POST", "channels", body={"variables": dict(variables)} if variables else None, **query)

    async def answer(self, channel: str) -> None:
        await self.request("POST", f"channels/{_name(channel)}/answer")

    async def start_ringing(self, channel: str) -> None:
        await self.request("POST", f"channels/{_name(channel)}/ring")

    async def stop_ringing(self, channel: str) -> None:
        await self.request("DELETE", f"channels/{_name(channel)}/ring")

    async def hang_up(self, channel: str, *, reason: str = "normal") -> None:
        """A channel that is gone already, or about to go, is no error."""
        with contextlib.suppress(AriRefused):
            await self.request("DELETE", f"channels/{_name(channel)}", reason=reason)

    async def play(self, channel: str, playback: str, media: str) -> None:
        await self.request("POST", f"channels/{_name(channel)}/play/{_name(playback)}", media=media)

    async def is_playing(self, playback: str) -> bool:
        try:
            await self.request("GET", f"playbacks/{_name(playback)}")
        except AriGone:
            return False
        return True

    async def stop_playing(self, playback: str) -> None:
        try:
            await self.request("DELETE", f"playbacks/{_name(playback)}")
        except AriGone:
            return

    async def record(self, channel: str, name: str, *, longest_seconds: int, silence_seconds: int) -> None:
        """A beep, then what the channel says, until it is silent for so long, has said so much, or presses #."""
        await self.request(
            "POST",
            f"channels/{_name(channel)}/record",
            name=name,
            format="wav",
            maxDurationSeconds=longest_seconds,
            maxSilenceSeconds=silence_seconds,
            beep="true",
            terminateOn="#",
            ifExists="overwrite",
        )

    async def is_recording(self, name: str) -> bool:
        try:
            await self.request("GET", f"recordings/live/{_name(name)}")
        except AriGone:
            return False
        return True

    async def variable(self, channel: str, expression: str) -> str:
        """A channel variable, or what a dialplan function says on this channel; empty where nobody has set it.

        Asterisk answers 404 to that as well as to a channel that is gone. Raises AriGone for the latter.
        """
        try:
            said = await self.request("GET", f"channels/{_name(channel)}/variable", variable=expression)
        except AriGone as gone:
            if UNSET_VARIABLE not in str(gone):
                raise
            return ""
        return str(said.get("value") or "")

    async def start_music(self, channel: str) -> None:
        await self.request("POST", f"channels/{_name(channel)}/moh")

    async def stop_music(self, channel: str) -> None:
        """None playing is no error."""
        with contextlib.suppress(AriRefused):
            await self.request("DELETE", f"channels/{_name(channel)}/moh")

    async def mute_recording(self, channel_name: str, *, muted: bool) -> None:
        """MixMonitor writes silence in the place of sound. Raises AriRefused, AriUnreachable."""
        await mute_mix_monitor(self.settings, channel_name, muted=muted)

    async def snoop(self, channel: str, name: str, *, spy: str, whisper: str = "none", args: str = "snoop") -> None:
        """A channel that hears another one: `spy` in is what it says, out what it hears; `whisper` out speaks to it."""
        path = f"channels/{_name(channel)}/snoop/{_name(name)}"
        await self.request("POST", path, spy=spy, whisper=whisper, app=self.settings.app, appArgs=args)

    async def media(self, connection: str) -> aiohttp.ClientWebSocketResponse:
        """The sound of an external media channel. Raises AriUnreachable."""
        try:
            return await self._session.ws_connect(
                f"{self.settings.url}/media/{_name(connection)}", headers=self._headers, protocols=("media",)
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AriUnreachable(f"asterisk {self.settings.name}: media: {error!r}") from error

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        await self.request("POST", f"channels/{_name(channel)}/variable", variable=name, value=value)

    # Bridges

    async def bridge(self, bridge: str, channels: tuple[str, ...]) -> None:
        """Makes the bridge where it is not there, and lets the channels hear each other."""
        try:
            await self.request("POST", f"bridges/{_name(bridge)}", type="mixing")
        except AriRefused as refused:
            if refused.status != 409:  # it is there
                raise
        await self.request("POST", f"bridges/{_name(bridge)}/addChannel", channel=",".join(channels))

    async def take_out(self, bridge: str, channel: str) -> None:
        """One that is not in it is no error."""
        with contextlib.suppress(AriRefused):
            await self.request("POST", f"bridges/{_name(bridge)}/removeChannel", channel=channel)

    async def end_bridge(self, bridge: str) -> None:
        """One that is gone already, or about to go, is no error."""
        with contextlib.suppress(AriRefused):
            await self.request("DELETE", f"bridges/{_name(bridge)}")

    # Recordings

    async def has_sound(self, name: str) -> bool:
        """Whether there is such a recording with anything in it: MixMonitor makes its files before anybody speaks."""
        path = f"recordings/stored/{_name(name)}/file"
        try:
            async with self._session.get(f"{self._base}/{path}", headers=self._headers, timeout=TIMEOUT) as response:
                if response.status == 404:
                    return False
                if response.status >= 400:
                    raise await self._no(response, f"GET {path}")
                size_bytes = response.content_length
                response.close()
                return size_bytes is None or size_bytes > WAV_HEADER_BYTES
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AriUnreachable(f"asterisk {self.settings.name}: GET {path}: {error!r}") from error

    async def download(self, name: str, target: Path, *, largest_bytes: int) -> None:
        """Raises AriGone, AriRefused (also where it is too large: status 413), AriUnreachable, OSError."""
        path = f"recordings/stored/{_name(name)}/file"
        try:
            async with self._session.get(
                f"{self._base}/{path}", headers=self._headers, timeout=FILE_TIMEOUT
            ) as response:
                if response.status >= 400:
                    raise await self._no(response, f"GET {path}")
                with target.open("wb") as file:
                    written = 0
                    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                        written += len(chunk)
                        if written > largest_bytes:
                            raise AriRefused(f"{name} has more than {largest_bytes} bytes", status=413)
                        file.write(chunk)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AriUnreachable(f"asterisk {self.settings.name}: GET {path}: {error!r}") from error


def _name(value: str) -> str:
    return quote(value, safe="")
