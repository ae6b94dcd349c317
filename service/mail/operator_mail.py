"""`OperatorMail`: single messages to the people who run this installation."""

import hashlib
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, parseaddr

from aiosmtplib import SMTPException

from service.engine.rate_limiter import RateLimiter
from service.mail.server_status import ServerStatus
from service.mail.smtp_pool import Connection, mail_server
from settings import Settings
from tasks.mail.addresses import masked
from tasks.mail.message import WIRE, one_line
from tasks.ports.mail import MailServerAway


class OperatorMail:
    """Implements tasks.ports.reports.Operators."""

    def __init__(self, settings: Settings, limiter: RateLimiter, status: ServerStatus) -> None:
        self._settings = settings
        self._limiter = limiter
        self._status = status

    @property
    def addresses(self) -> Sequence[str]:
        """Those of OFFLOAD_REPORTS_TO, or the installation's own."""
        return self._settings.reports_to or (parseaddr(self._settings.mail_from)[1],)

    @property
    def language(self) -> str:
        """That of OFFLOAD_ALERT_LANGUAGE."""
        return self._settings.alert_language

    def link(self, path: str) -> str:
        """A page of the dashboard as they reach it."""
        return self._settings.links_url + path

    async def write(self, address: str, subject: str, text: str, reference: str) -> None:
        """Send one message, within the rate of the e-mail queue. Raises MailServerAway."""
        if self._settings.smtp_url is None:
            raise MailServerAway("no mail server is configured: set OFFLOAD_SMTP_URL")
        absence = await self._status.read()
        if absence is not None and not absence.due:
            # One login per wait, whatever the message.
            raise absence.away()
        connection = Connection(mail_server(self._settings.smtp_url))
        try:
            client = await connection.ready()
            await self._limiter.permit()
            await client.send_message(self._message(address, subject, text, reference))
        except (SMTPException, OSError) as error:
            reply = masked(" ".join(str(error).split()), address)
            raise MailServerAway(f"the mail server did not take the message: {reply}") from None
        finally:
            await connection.quit()

    def _message(self, address: str, subject: str, text: str, reference: str) -> EmailMessage:
        name, sender = parseaddr(self._settings.mail_from)
        digest = hashlib.sha256(reference.encode()).hexdigest()[:40]
        mail = EmailMessage(policy=WIRE)
        mail["From"] = Address(display_name=one_line(name), addr_spec=sender)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = one_line(subject)
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail
