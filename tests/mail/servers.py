"""SMTP servers on loopback that do what real ones do on bad days."""

import asyncio
import email
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Caught:
    """One accepted message."""

    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, email.message_from_bytes(self.content, policy=default))


class Drop(Exception):
    """Raised by a rule: the connection ends here, without a word."""


Rule = Callable[[str], str | None]
"""From a recipient to a reply, or None for acceptance. May raise Drop."""


@dataclass
class MailSink:
    """Keeps what it accepts. A rule decides at MAIL, at RCPT and at the end of DATA."""

    at_sender: Rule = lambda _: None
    at_recipient: Rule = lambda _: None
    at_content: Rule = lambda _: None
    after_accepting: Callable[[str], None] = lambda _: None
    """Called once a message is kept and before its 250 goes out; may raise Drop."""
    delay_s: float = 0.0
    caught: list[Caught] = field(default_factory=list)
    recipients_seen: list[str] = field(default_factory=list)
    """Every recipient that a RCPT named."""
    connections: int = 0
    open_now: int = 0
    widest: int = 0
    port: int = 0
    refused_at_connect: str | None = None
    connections_max: int | None = None
    """Further connections are greeted with 421."""
    messages_max: int | None = None
    """Messages that one connection may bring; the next MAIL on it gets 421."""
    logins: int = 0
    login_refused: str | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def by_recipient(self) -> Counter[str]:
        return Counter(one.recipient for one in self.caught)

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: "_Server", session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        server.messages += 1
        if self.messages_max is not None and server.messages > self.messages_max:
            return "421 4.7.0 too many messages over this connection"
        reply = self._ask(self.at_sender, address, server)
        if reply is None:
            envelope.mail_from = address
            return "250 2.1.0 OK"
        return reply

    def authenticate(self, *_: Any) -> AuthResult:
        """For aiosmtpd's `authenticator`."""
        self.logins += 1
        return AuthResult(success=self.login_refused is None, handled=False, message=self.login_refused)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: "_Server", session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        self.recipients_seen.append(address)
        reply = self._ask(self.at_recipient, address, server)
        if reply is None:
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 OK"
        return reply

    async def handle_DATA(self, server: "_Server", session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        (address,) = envelope.rcpt_tos
        await asyncio.sleep(self.delay_s)
        reply = self._ask(self.at_content, address, server)
        if reply is not None:
            return reply
        self.caught.append(Caught(address, bytes(envelope.content or b"")))
        try:
            self.after_accepting(address)
        except Drop:
            server.abort()
        return "250 2.0.0 kept"

    def _ask(self, rule: Rule, address: str, server: "_Server") -> str | None:
        try:
            return rule(address)
        except Drop:
            server.abort()
            return "421 gone"


class _Server(SMTP):
    """Counts its connections, and can end one without a word."""

    sink: MailSink
    messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.sink.connections += 1
        most = self.sink.connections_max
        if most is not None and self.sink.open_now >= most:
            cast(asyncio.Transport, transport).write(b"421 4.7.0 too many connections\r\n")
            cast(asyncio.Transport, transport).close()
        self.sink.open_now += 1
        self.sink.widest = max(self.sink.widest, self.sink.open_now)
        if self.sink.refused_at_connect:
            cast(asyncio.Transport, transport).write(self.sink.refused_at_connect.encode() + b"\r\n")
            cast(asyncio.Transport, transport).close()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open_now -= 1
        super().connection_lost(error)

    def abort(self) -> None:
        assert self.transport is not None
        cast(asyncio.Transport, self.transport).abort()


@asynccontextmanager
async def serving(
    sink: MailSink | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[MailSink]:
    """Run an SMTP server in this event loop. `options` go to aiosmtpd (authenticator, require_starttls and so on)."""
    sink = sink or MailSink()

    def session() -> _Server:
        server = _Server(sink, hostname="localhost", tls_context=tls, **options)
        server.sink = sink
        return server

    listening = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    sink.port = listening.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        listening.close()
