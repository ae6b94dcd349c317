"""Tickets: signed, expiring permissions to read one job, for browsers and for links in mails. Nothing of them is stored."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import quote

PREFIX = "ticket_"
"""Tells a ticket from an API key before anything is looked up."""

SIGNATURE_BYTES = 18
"""144 bits of HMAC-SHA256: beyond guessing, and the address stays short."""


JOBS, CORRECTIONS = b"tickets", b"corrections"
"""Purposes: a ticket of one is none of another."""


class BadTicket(Exception):
    """A ticket that was not made here, was altered, or has expired. Its message is a sentence."""


class ExpiredTicket(BadTicket):
    """A ticket that was made here and held once."""


@dataclass(frozen=True)
class Ticket:
    """Permission to read one job, or one of its files alone, until a moment in seconds since 1970."""

    job_id: str
    expires_s: int
    file: str = ""


class Tickets:
    """Signs and reads tickets. Processes that share `secret` accept the tickets of each other, for one purpose.

    With the purpose CORRECTIONS the thing that a ticket opens is a document, not a job.
    """

    def __init__(self, secret: bytes, purpose: bytes = JOBS) -> None:
        # A key of its own, so that no signature of another purpose under the same secret can pass for a ticket.
        self._key = hmac.new(secret, purpose, hashlib.sha256).digest()

    def issue(self, job_id: str, expires_s: int, file: str = "") -> str:
        """The ticket as text that may stand in an address: `ticket_<job id>~<expiry>~<file>~<signature>`."""
        named = base64.urlsafe_b64encode(file.encode()).decode().rstrip("=")
        body = f"{job_id}~{expires_s}~{named}"
        return f"{PREFIX}{body}~{self._signature(body)}"

    def read(self, text: str) -> Ticket:
        """Check a ticket's signature and expiry. Raises BadTicket."""
        body, _, signature = text.removeprefix(PREFIX).rpartition("~")
        expected = self._signature(body)
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode()):
            raise BadTicket("This ticket is not valid: it was altered or made elsewhere.")
        job_id, expires, named = body.split("~")
        if int(expires) <= time.time():
            raise ExpiredTicket("This ticket has expired: ask for a new one.")
        file = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
        return Ticket(job_id, int(expires), file)

    def _signature(self, body: str) -> str:
        digest = hmac.new(self._key, body.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode()


def page_path(ticket: str) -> str:
    """Path of the page that shows the ticket's job."""
    return f"/j/{quote(ticket)}"
