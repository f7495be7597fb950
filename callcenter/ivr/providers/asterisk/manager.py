"""The one thing that ARI cannot do: Asterisk's manager interface, by HTTP at the same address."""

import aiohttp

from callcenter.config import AsteriskSettings
from callcenter.ivr.providers.asterisk.ari_errors import AriRefused, AriUnreachable

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)


async def mute_mix_monitor(settings: AsteriskSettings, channel_name: str, *, muted: bool) -> None:
    """MixMonitor on this channel (PJSIP/trunk-0000001) writes silence in the place of sound, both sides.

    Raises AriRefused, AriUnreachable.
    """
    login = {"action": "login", "username": settings.user, "secret": settings.secret()}
    mute = {"action": "MixMonitorMute", "Channel": channel_name, "Direction": "both", "State": str(int(muted))}
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=TIMEOUT) as session:
            async with session.get(f"{settings.url}/rawman", params=login) as response:
                said, cookies = await response.text(), response.cookies
            if "Success" in said:
                async with session.get(f"{settings.url}/rawman", params=mute, cookies=cookies) as response:
                    said = await response.text()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise AriUnreachable(f"asterisk {settings.name}: MixMonitorMute: {error!r}") from error
    if "Success" not in said:
        why = " ".join(said.split())[:200] or "no answer"
        raise AriRefused(f"asterisk {settings.name}: MixMonitorMute: {why}; see manager.conf", status=0)
