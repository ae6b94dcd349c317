"""Check of the addresses that webhooks go to: what an owner names must not lead into this installation's own network.

A name is looked up when it is registered, and again with each connection, which is made to the very address that was checked:
a name may lead elsewhere the second time (DNS rebinding).
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence

import httpx

LOOKUP_S = 5.0
"""Seconds for a name to be looked up."""

FRESH_S = 30.0
"""Seconds for which a host that was permitted is not looked up again for a request."""

HOSTS_MAX = 10_000

URL_MAX = 2_000

NAT64 = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")
"""Networks of IPv6 that hold an IPv4 address in their last four bytes (RFC 6052; RFC 4291, section 2.5.5.1)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedUrl(Exception):
    """A URL that no webhook may go to. Its message is a sentence."""


def parse_url(text: str) -> httpx.URL:
    """The URL, where it is one of http:// or https:// that names a host and no user. Raises RefusedUrl."""
    if len(text) > URL_MAX:
        raise RefusedUrl(f"The URL is longer than {URL_MAX:,} characters.")
    try:
        url = httpx.URL(text)
        # Read here: the host of https://xn--/ is decoded as it is read, and cannot be.
        host = url.host
    except (httpx.InvalidURL, ValueError):
        raise RefusedUrl("That is not a URL.") from None
    if url.scheme not in ("http", "https") or not host:
        raise RefusedUrl("The URL must begin with http:// or https:// and name a host.")
    if url.userinfo:
        raise RefusedUrl("The URL must not hold a user or a password: deliveries are signed instead.")
    if url.fragment:
        raise RefusedUrl("The URL must not have a fragment (#): it would not be sent.")
    return url


def port_of(url: httpx.URL) -> int:
    """The port that the URL names or means."""
    return url.port or (443 if url.scheme == "https" else 80)


def kind_of(address: Address) -> str | None:
    """The kind of an address that is not public, in a word or two; None for a public one."""
    inner = _embedded(address)
    if inner is not None:
        return kind_of(inner)
    kinds = (
        ("unspecified", address.is_unspecified),
        ("loopback", address.is_loopback),
        ("link-local", address.is_link_local),
        ("multicast", address.is_multicast),
        ("private", address.is_private or getattr(address, "is_site_local", False)),
        ("reserved", not address.is_global),
    )
    return next((kind for kind, fits in kinds if fits), None)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, NAT64 or compatible."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address in NAT64 or (address in COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class Addresses:
    """Looks names up and refuses those that lead to an address which is not public."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self._checked: dict[tuple[str, int], float] = {}

    async def check(self, text: str) -> httpx.URL:
        """The URL, once its host has been looked up. Raises RefusedUrl."""
        url = parse_url(text)
        address, now_s = (url.host, port_of(url)), time.monotonic()
        # Jobs by the thousand name the same host; what counts is the check of the connection itself.
        if now_s - self._checked.get(address, -FRESH_S) >= FRESH_S:
            await self.lookup(*address)
            if len(self._checked) >= HOSTS_MAX:
                self._checked.clear()
            self._checked[address] = now_s
        return url

    async def lookup(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, every one of them permitted. Raises RefusedUrl."""
        try:
            async with asyncio.timeout(LOOKUP_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise RefusedUrl(f"{host} could not be looked up within {LOOKUP_S:g} seconds.") from None
        except (OSError, UnicodeError):
            raise RefusedUrl(f"{host} has no address.") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for address in addresses:
            kind = None if self.allow_private else kind_of(ipaddress.ip_address(address))
            if kind:
                shown = address if address == host else f"{host} leads to {address}, which"
                article = "an" if kind[0] == "u" else "a"
                raise RefusedUrl(f"{shown} is {article} {kind} address: webhooks go to public addresses only.")
        return addresses
