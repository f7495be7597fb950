"""Who a request really comes from, where our own reverse proxies stand in front (`server.trusted_proxies`).

What a proxy of ours has added to X-Forwarded-For stands on the right; what stands left of the first address that is
not ours was written by the visitor and proves nothing.
"""

import ipaddress
from collections.abc import Iterator

from aiohttp import web

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Addresses and networks of our own, as the settings give them."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = tuple(ipaddress.ip_network(one, strict=False) for one in networks)

    def trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


PROXIES = web.AppKey("callcenter.web.proxies", TrustedProxies)


def visitor_address(request: web.Request) -> str:
    """The nearest address that is no proxy of ours; empty where there is none (a Unix socket)."""
    nearest = _read(request.remote or "")
    if nearest is None:
        return request.remote or ""
    for forwarded in _forwarded(request):
        if not request.app[PROXIES].trusts(nearest) or forwarded is None:
            break
        nearest = forwarded
    return str(nearest)


def came_by_https(request: web.Request) -> bool:
    """As the proxy says that stands right before us, if it is ours."""
    nearest = _read(request.remote or "")
    if nearest is None or not request.app[PROXIES].trusts(nearest):
        return False
    return request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower() == "https"


def _forwarded(request: web.Request) -> Iterator[Address | None]:
    """From the nearest to the farthest; None for what is no address."""
    for one in reversed(",".join(request.headers.getall("X-Forwarded-For", ())).split(",")):
        yield _read(one.strip())


def _read(text: str) -> Address | None:
    """With or without a port; an IPv4 address that is written as IPv6 is the same one."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
