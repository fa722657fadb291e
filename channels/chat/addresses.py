"""Where a callback may go: the whole internet, but nothing inside."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Behind these prefixes an IPv4 address hides in the last 32 bits, and the network in between
# unwraps it: an inner address could be reached under a number that looks public.
_TRANSLATED = tuple(ipaddress.IPv6Network(prefix) for prefix in ("64:ff9b::/96", "::/96"))
# The same with the hiding place chosen by the network's owner, so there is nothing to unwrap.
_TRANSLATED_LOCALLY = ipaddress.IPv6Network("64:ff9b:1::/48")


class Forbidden(Exception):
    """The name leads to an address inside, where no callback may go; the message is that."""


async def resolve(host: str, port: int) -> list[str]:
    """Raises OSError when the name is not known."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed(found: Sequence[str], *, allow_loopback: bool) -> list[str]:
    """All of them, or `Forbidden` when one is not public: a name with two faces is a trick."""
    for text in found:
        address = _innermost(ipaddress.ip_address(text))
        if address.is_loopback and allow_loopback:
            continue
        if not _is_public(address):
            raise Forbidden(str(address))
    return list(found)


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return isinstance(address, ipaddress.IPv4Address) or address not in _TRANSLATED_LOCALLY


def _innermost(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if not address.is_loopback and any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
