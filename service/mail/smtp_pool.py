"""A few connections to the mail server, kept open and reused."""

import asyncio
import contextlib
import ipaddress
import time
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import structlog
from aiosmtplib import SMTP, SMTPException

from tasks.ports.mail import MailServerAway

log = structlog.get_logger("offload.mail")

CONNECTIONS = 5
"""Parallel connections a worker: what providers commonly allow one client."""

CONNECT_TIMEOUT_S = 15.0
"""For reaching the server and each step up to the end of its login."""

COMMAND_TIMEOUT_S = 30.0
"""For each answer to a command. RFC 5321 (section 4.5.3.2) would wait five minutes, and a worker with it."""

IDLE_CHECK_S = 5.0
"""A connection unused for longer is asked with NOOP whether it still lives before a message is entrusted to it."""


@dataclass(slots=True, frozen=True)
class MailServer:
    """Where and how messages are handed over."""

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
    """One place for a connection: opened when needed, opened again when the server closed it meanwhile."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._used_s = 0.0
        self.client: SMTP | None = None

    async def ready(self) -> SMTP:
        """A client that was alive a moment ago. Raises MailServerAway."""
        if self.client is not None and time.monotonic() - self._used_s > IDLE_CHECK_S:
            await self._check(self.client)
        if self.client is None or not self.client.is_connected:
            self.client = await self._open()
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
            raise MailServerAway(f"the mail server takes no messages: {_said(error)}") from error
        except BaseException:
            client.close()
            raise
        return client

    async def _log_in(self, client: SMTP, username: str, password: str) -> None:
        if client.get_transport_info("sslcontext") is None and not self._server.loopback:
            raise ValueError("it offers no STARTTLS, and a password is not sent in the clear")
        await client.login(username, password, timeout=CONNECT_TIMEOUT_S)

    def drop(self) -> None:
        """Close without ceremony; the next use opens anew."""
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
    """Lends at most `size` connections; the one used last is lent first, so that few are kept when few suffice."""

    def __init__(self, server: MailServer, size: int = CONNECTIONS) -> None:
        self._idle = [Connection(server) for _ in range(size)]
        self._all = list(self._idle)
        self._free = asyncio.Semaphore(size)

    async def borrow(self) -> Connection:
        """Wait for a connection. Whoever has it gives it back."""
        await self._free.acquire()
        return self._idle.pop()

    def give_back(self, connection: Connection) -> None:
        """Return what was borrowed."""
        self._idle.append(connection)
        self._free.release()

    async def close(self) -> None:
        """Say QUIT on those that nobody uses, close the others."""
        await asyncio.gather(*(connection.quit() for connection in self._idle))
        for connection in self._all:
            connection.drop()


def _said(error: BaseException) -> str:
    code = getattr(error, "code", None)
    text = " ".join(str(getattr(error, "message", error)).split()) or type(error).__name__
    return f"{code} {text}" if code else text
