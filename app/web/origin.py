"""Where a request comes from: behind proxies, which network, and whether from our own pages."""

import ipaddress
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_DEFAULT_PORT = {"http": 80, "https": 443}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _ip(text: str) -> IpAddress | None:
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


@cache
def _networks(given: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(one) for one in given)


def _is_in(address: IpAddress | None, networks: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in networks)


class Proxies:
    """Believes what a trusted proxy says of the caller, and nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            trusted = _networks(scope["app"].state.house.settings.trusted_proxies)
            if trusted and _is_in(_ip((scope.get("client") or ("",))[0]), trusted):
                scope = self._as_forwarded(scope, trusted)
        await self.app(scope, receive, send)

    def _as_forwarded(self, scope: Scope, trusted: tuple[Network, ...]) -> Scope:
        headers = Headers(scope=scope)
        seen: dict[str, Any] = {**scope}
        # The last entry was written by the proxy we know; what stands before an address that is
        # no proxy of ours was written by the caller.
        for part in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            address = _ip(part)
            if address is None:
                break
            seen["client"] = (str(address), 0)
            if not _is_in(address, trusted):
                break
        scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        if scheme in _DEFAULT_PORT:
            seen["scheme"] = scheme
        host = headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
        if _HOST.fullmatch(host):
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            seen["headers"] = [(b"host", host.encode()), *kept]
        return seen


def network_of(connection: HTTPConnection) -> str:
    """What one caller can hardly change: the address, or the /64 they have all of."""
    address = _ip(connection.client.host) if connection.client else None
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_loopback_name(host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _ip(host)
    return address is not None and address.is_loopback


def is_this_machine(connection: HTTPConnection) -> bool:
    """Whether a program on this machine asks, and not a proxy on it for somebody else."""
    forwarded = any(name.startswith(("x-forwarded", "forwarded")) for name in connection.headers)
    return (
        connection.client is not None
        and is_loopback_name(connection.client.host)
        and is_loopback_name(hostname(connection))
        and not forwarded
    )


def hostname(connection: HTTPConnection) -> str | None:
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").hostname
    except ValueError:
        return None


def is_plain_http(connection: HTTPConnection) -> bool:
    """Whether others on the way can read along: no TLS, and not within this machine."""
    return connection.scope["scheme"] == "http" and not is_loopback_name(hostname(connection))


def _origin(scheme: str, netloc: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(f"{scheme}://{netloc}")
        port = parts.port or _DEFAULT_PORT.get(scheme, 0)
    except ValueError:
        return None
    return (scheme, parts.hostname, port) if parts.hostname else None


def is_from_our_pages(connection: HTTPConnection, settings: Settings) -> bool | None:
    """Whether a page of ours sent this; None when the caller does not say, as browsers always do.

    Sec-Fetch-Site cannot be set by a page. Older browsers send only Origin.
    """
    site = connection.headers.get("sec-fetch-site")
    if site in {"same-origin", "none"}:
        return True
    claimed = connection.headers.get("origin")
    if claimed is None:
        return None if site is None else False
    scheme, _, netloc = claimed.partition("://")
    origin = _origin(scheme, netloc)
    public = urlsplit(settings.public_url)
    ours = {
        _origin(connection.scope["scheme"], connection.headers.get("host", "")),
        _origin(public.scheme, public.netloc),
    }
    return origin is not None and origin in ours


def local_path(wanted: str | None) -> str:
    """`wanted` if it leads to a page of ours, else the start page."""
    if (
        not wanted
        or not wanted.startswith("/")
        or wanted[1:2] in {"/", "\\"}
        or not wanted.isprintable()
        or len(wanted) > 2000
    ):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or "\\" in parts.path else wanted
