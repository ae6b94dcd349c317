"""Headers by which a proxy names a person, believed only where the connection itself comes from that proxy."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

import structlog
from litestar.types import ASGIApp, Receive, Scope, Send

from service.access.users import NAME
from settings.access import Network
from settings.proxy_auth import Headers

PEER = "offload_peer"
"""Name in a request's state of the address at the other end of its connection."""

NAME_MAX = 1_024
"""Characters of a user's or an address's header."""

GROUPS_MAX = 16_384
"""Characters of the header of groups: four hundred groups of a directory that numbers them by GUID."""

VISITORS_MAX = 10_000

log = structlog.get_logger("offload.access")


class BadHeaders(Exception):
    """Headers that the proxy cannot have meant. The message is a sentence."""


@dataclass(frozen=True)
class Person:
    """A person as the proxy names it."""

    name: str
    email: str
    groups: tuple[str, ...]


class NotesPeer:
    """Notes a connection's peer. It has to be around all of the application: a middleware may put a `receive` of its own.

    uvicorn puts the address of X-Forwarded-For into the scope, where it believes who sent it, and so the scope does not say
    who is connected. The transport does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.warned = app, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = _peer(receive)
        if peer is None and not self.warned:
            self.warned = True
            log.error("proxy_auth.peer_unknown", hint="run uvicorn, on TCP: until then the proxy's headers are ignored")
        scope["state"][PEER] = peer
        await self.app(scope, receive, send)


def _peer(receive: Any) -> str | None:
    """Address of the other end of a connection of uvicorn's; None where it has none, or the server is another one."""
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if not hasattr(transport, "get_extra_info"):
        return None
    found = transport.get_extra_info("peername")
    return str(found[0]) if isinstance(found, tuple) and found else None


def believed(peer: object, networks: Iterable[Network]) -> bool:
    """True for the address of a proxy whose headers count."""
    try:
        address = ip_address(peer if isinstance(peer, str) else "")
    except ValueError:
        return False
    # A socket for both protocols shows an IPv4 peer so.
    plain = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    return any(plain in network for network in networks)


def person_of(headers: Iterable[tuple[bytes, bytes]], names: Headers) -> Person | None:
    """The person that the headers name; None without a header of the user. Raises BadHeaders."""
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name not in names:
            continue
        if name in found:
            raise BadHeaders(f"The header {name} came twice, so it is not the proxy's alone.")
        found[name] = _text(name, value, GROUPS_MAX if name == names.groups else NAME_MAX)
    if names.user not in found:
        return None
    user, email = found[names.user], found.get(names.email, "")
    if not user:
        raise BadHeaders(f"The header {names.user} is empty.")
    for name, text in ((names.user, user), (names.email, email)):
        if "," in text:
            # So a proxy on the way joins two headers of one name.
            raise BadHeaders(f"The header {name} holds a comma, as where two were joined.")
    shown = next((one for one in (user, email) if NAME.fullmatch(one)), None)
    if shown is None:
        raise BadHeaders(
            f"The header {names.user} holds no name that can be used: letters, digits, blanks and . @ + - _, 255 at most."
        )
    groups = tuple(filter(None, (group.strip() for group in found.get(names.groups, "").split(","))))
    return Person(shown, email, groups)


def _text(name: str, value: bytes, at_most: int) -> str:
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        raise BadHeaders(f"The header {name} is not UTF-8.") from None
    if len(text) > at_most:
        raise BadHeaders(f"The header {name} has more than {at_most:,} characters.")
    if not text.isprintable():
        raise BadHeaders(f"The header {name} holds a control character.")
    return text


class Visitors:
    """Visitors of this process, so that a visit is a line of the audit log and each of its requests is not."""

    def __init__(self, idle_s: float) -> None:
        self.idle_s = idle_s
        self._seen: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def comes(self, *visitor: str) -> bool:
        """True where the visitor was not there for `idle_s`."""
        now = time.monotonic()
        before = self._seen.get(visitor)
        self._seen[visitor] = now
        self._seen.move_to_end(visitor)
        if len(self._seen) > VISITORS_MAX:
            self._seen.popitem(last=False)
        return before is None or now - before > self.idle_s
