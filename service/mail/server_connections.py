"""`ServerConnections`: open connections to the mail server, and the note of its absence that they are opened under."""

from aiosmtplib import SMTP

from service.mail.server_status import ServerStatus
from service.mail.smtp_pool import Connection, Connections, mail_server, size_limit
from tasks.ports.mail import MailServerAway

LIMITED_WAIT_S = 2.0
"""Before a message is tried again whose connection the server did not open again, because others are its limit."""

NOT_CONFIGURED = "no mail server is configured"


class ServerConnections:
    """Lends open connections. One message at a time is the probe of a server that is absent."""

    def __init__(self, smtp_url: str | None, status: ServerStatus, size: int) -> None:
        self._pool = Connections(mail_server(smtp_url), size) if smtp_url else None
        self._status = status

    async def check(self) -> None:
        """Raises MailServerAway where nothing can be sent at present, without asking the server."""
        if self._pool is None:
            raise await self._status.refused(NOT_CONFIGURED, probe=True)
        await self._status.check()

    async def size_max(self) -> int | None:
        """Bytes of a message that the server takes at most; None where it announces no limit, or is absent."""
        try:
            connection, probe = await self.borrow()
        except MailServerAway:
            return None
        try:
            return size_limit(connection.client) if connection.client else None
        finally:
            self.give_back(connection, probe)

    async def borrow(self) -> tuple[Connection, bool]:
        """An open connection, and whether its message is the probe of an absent server. Raises MailServerAway."""
        if self._pool is None:
            raise await self._status.refused(NOT_CONFIGURED, probe=True)
        probe = await self._status.admit()

        async def refused(error: MailServerAway) -> None:
            reason = str(error).removeprefix("the mail server takes no messages: ")
            raise await self._status.refused(reason, probe=probe) from error

        try:
            connection = await self._pool.borrow(refused)
        except BaseException:
            if probe:
                self._status.end_probe()
            raise
        return connection, probe

    def give_back(self, connection: Connection, probe: bool) -> None:
        """Return what was borrowed. Another message may then be the probe."""
        if self._pool is not None:
            self._pool.give_back(connection)
        if probe:
            self._status.end_probe()

    async def reopened(self, connection: Connection, probe: bool) -> SMTP:
        """A client over a borrowed connection that has been closed. Raises MailServerAway."""
        try:
            return await connection.ready()
        except MailServerAway as error:
            if self._pool is not None and self._pool.others_open(connection):
                # The others are the server's limit, and this message goes over one of them.
                raise MailServerAway(str(error), LIMITED_WAIT_S) from error
            reason = str(error).removeprefix("the mail server takes no messages: ")
            raise await self._status.refused(reason, probe=probe) from error

    async def refused(self, reason: str, probe: bool) -> MailServerAway:
        """The error for a server that takes no message of ours, which is noted for all workers."""
        return await self._status.refused(reason, probe=probe)

    async def accepted(self) -> None:
        """Note that the server takes messages."""
        await self._status.accepted()

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()
