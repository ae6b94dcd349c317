"""A few connections to the mail server, kept open and reused."""

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import structlog
from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException

from tasks.mail.addresses import masked
from tasks.ports.mail import MailServerAway

log = structlog.get_logger("offload.mail")

CONNECTIONS = 5
"""Parallel connections per worker: what providers commonly allow one client."""

NARROW_S = 60.0
"""For so long no more connections are opened than a server took that refused one more."""

LOGIN_METHODS = ("plain", "login", "cram-md5")
"""In the order in which they are tried: only few servers can check CRAM-MD5, for which they must know the password itself."""

METHOD_REFUSED = frozenset({500, 502, 503, 504, 534})
"""Replies to a login that are about its method and not about the password."""

CONNECT_TIMEOUT_S = 15.0
"""For reaching the server and each step up to the end of its login."""

COMMAND_TIMEOUT_S = 30.0
"""For each answer to a command. RFC 5321 (section 4.5.3.2) would wait five minutes, and a worker with it."""

IDLE_CHECK_S = 5.0
"""A connection unused for longer is checked with NOOP before a message is sent over it."""


@dataclass(slots=True, frozen=True)
class MailServer:
    """Address, transport and login of the server that takes messages."""

    host: str
    port: int
    implicit_tls: bool
    """TLS from the first byte (smtps://); otherwise STARTTLS wherever the server offers it."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def loopback(self) -> bool:
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def mail_server(url: str) -> MailServer:
    """From smtp://[user:password@]host[:port] or smtps://…; the ports default to 25 (587 with a login) and 465."""
    parts = urlsplit(url)
    implicit_tls = parts.scheme == "smtps"
    port = parts.port or (465 if implicit_tls else 587 if parts.username else 25)
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password or "") if username else None
    return MailServer(parts.hostname or "localhost", port, implicit_tls, username, password)


class Connection:
    """One connection: opened when needed, opened again when the server has closed it."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._used_s = 0.0
        self.client: SMTP | None = None
        self.messages = 0
        """Messages whose sender the server has accepted on it since it was opened."""

    @property
    def open(self) -> bool:
        return self.client is not None and self.client.is_connected

    async def ready(self) -> SMTP:
        """A client that was alive a moment ago. Raises MailServerAway."""
        if self.client is not None and time.monotonic() - self._used_s > IDLE_CHECK_S:
            await self._check(self.client)
        if self.client is None or not self.client.is_connected:
            self.client, self.messages = await self._open(), 0
        self._used_s = time.monotonic()
        return self.client

    async def _check(self, client: SMTP) -> None:
        try:
            answer = await client.execute_command(b"NOOP", timeout=COMMAND_TIMEOUT_S)
            alive = answer.code < 400
        except (SMTPException, OSError):
            alive = False
        if not alive:
            self.drop()

    async def _open(self) -> SMTP:
        server = self._server
        # The name is given, because looking up one's own may take the resolver seconds.
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.implicit_tls,
            timeout=CONNECT_TIMEOUT_S,
            local_hostname="localhost" if server.loopback else None,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if server.username is not None:
                await self._log_in(client, server.username, server.password or "")
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise MailServerAway(f"the mail server takes no messages: {_reason(error)}") from error
        except BaseException:
            client.close()
            raise
        return client

    async def _log_in(self, client: SMTP, username: str, password: str) -> None:
        if client.get_transport_info("sslcontext") is None and not self._server.loopback:
            raise ValueError("it offers no STARTTLS, and a password is not sent in the clear")
        offered = [method for method in LOGIN_METHODS if method in client.supported_auth_methods]
        if not offered:
            methods = ", ".join(client.supported_auth_methods) or "none"
            raise ValueError(f"it offers no login that is known here (it offers: {methods})")
        for method in offered:
            try:
                await getattr(client, f"auth_{method.replace('-', '')}")(username, password, timeout=CONNECT_TIMEOUT_S)
            except SMTPAuthenticationError as error:
                # A wrong password is one failed login and not three: servers lock accounts for those.
                if error.code not in METHOD_REFUSED or method == offered[-1]:
                    raise
            else:
                return

    def drop(self) -> None:
        """Close without QUIT; the next use opens it again."""
        if self.client is not None:
            self.client.close()
            self.client = None

    async def quit(self) -> None:
        """Close as the protocol wants it."""
        if self.client is not None and self.client.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await self.client.quit(timeout=1.0)
        self.drop()


class Connections:
    """Lends at most `size` open connections, and fewer for a while where the server takes no more.

    The one used last is lent first, so that few are kept when few suffice. New ones are opened one after the other: a
    server that refuses the first is not asked a second time.
    """

    def __init__(self, server: MailServer, size: int = CONNECTIONS) -> None:
        self._server = server
        self._size = size
        self._most = size
        self._narrow_until_s = 0.0
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        self._opening = asyncio.Lock()
        self._returned = asyncio.Event()

    async def borrow(self, refused: Callable[[MailServerAway], Awaitable[None]] | None = None) -> Connection:
        """Wait for an open connection, to be given back by the borrower.

        `refused` is called with the reason before another borrower may try, where the server takes no connection at all;
        it may raise. Raises MailServerAway.
        """
        while True:
            while len(self._lent) >= self._limit():
                self._returned.clear()
                await self._returned.wait()
            connection = self._idle.pop() if self._idle else Connection(self._server)
            self._lent.add(connection)
            try:
                await self._make_ready(connection, refused)
            except _Narrowed:
                self.give_back(connection)
            except BaseException:
                self.give_back(connection)
                raise
            else:
                return connection

    async def _make_ready(
        self, connection: Connection, refused: Callable[[MailServerAway], Awaitable[None]] | None
    ) -> None:
        if connection.open:
            # It may have died; then it is opened again in its own place.
            await connection.ready()
            return
        async with self._opening:
            try:
                await connection.ready()
            except MailServerAway as error:
                others = self.others_open(connection)
                if others:
                    # A limit of connections: what is open goes on, and this message waits for one of them.
                    self._most, self._narrow_until_s = others, time.monotonic() + NARROW_S
                    log.info("mail.connection_refused", open=others, error=str(error))
                    raise _Narrowed from error
                if refused is not None:
                    await refused(error)
                raise

    def _limit(self) -> int:
        return self._most if time.monotonic() < self._narrow_until_s else self._size

    def others_open(self, connection: Connection) -> int:
        """Open connections but for this one."""
        return sum(one.open for one in (*self._lent, *self._idle) if one is not connection)

    def give_back(self, connection: Connection) -> None:
        """Return what was borrowed."""
        self._lent.discard(connection)
        if connection.open:
            self._idle.append(connection)
        self._returned.set()

    async def close(self) -> None:
        """Say QUIT on those that are not in use, close the others."""
        await asyncio.gather(*(connection.quit() for connection in self._idle))
        for connection in self._lent:
            connection.drop()


class _Narrowed(Exception):
    """No further connection was opened; those that are open are lent."""


def size_limit(client: SMTP) -> int | None:
    """Bytes of a message that the server has announced to take at most (RFC 1870); None where it has announced none."""
    announced = client.esmtp_extensions.get("size", "")
    return int(announced) or None if announced.isdecimal() else None


def _reason(error: BaseException) -> str:
    code = getattr(error, "code", None)
    text = masked(" ".join(str(getattr(error, "message", error)).split())) or type(error).__name__
    return f"{code} {text}" if code else text
