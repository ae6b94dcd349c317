"""Ports of mail: a campaign's rows, and a mailer that sends each message once."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec

from tasks.mail.render import Letter
from tasks.mail.template import Source


class MailServerAway(Exception):
    """The mail server takes no message from us at present: unreachable, silent, or refusing our login or sender.

    `retry_s`: seconds until another try is worth while.
    """

    def __init__(self, reason: str, retry_s: float = 10.0) -> None:
        super().__init__(reason)
        self.retry_s = retry_s


class StoredTemplate(msgspec.Struct, frozen=True):
    """A template as it is kept."""

    template_id: str
    name: str
    source: Source


class Campaign(msgspec.Struct, frozen=True):
    """An opened campaign. Deliveries 1 to `to_send` are to be sent; those behind were skipped or suppressed."""

    campaign_id: str
    owner: str
    source: Source
    recipients: int
    to_send: int


class Addressee(msgspec.Struct, frozen=True):
    """A recipient who need not be a user."""

    position: int
    address: str
    message_id: str


class Outstanding(msgspec.Struct, frozen=True):
    """Deliveries that are not settled: how many, and in how many seconds the first of them can be tried.

    `reason` is why the first of them waits, `tries` how often it was tried.
    """

    count: int
    wait_s: float
    reason: str
    tries: int = 0


class Templates(Protocol):
    """An owner's templates."""

    async def find(self, template_id: str, owner: str) -> StoredTemplate | None:
        """The owner's template, or None."""
        ...


class Campaigns(Protocol):
    """Campaigns as a whole."""

    async def segment_size(self, segment: str) -> int:
        """Number of users in a segment now."""
        ...

    async def find(self, campaign_id: str) -> Campaign | None:
        """A campaign that was opened."""
        ...

    async def open(
        self,
        campaign_id: str,
        owner: str,
        template: StoredTemplate,
        *,
        segment: str | None,
        user_ids: Sequence[int] | None,
    ) -> Campaign:
        """Write the campaign and a delivery for each recipient, all or nothing; find it where it was opened before."""
        ...

    async def open_list(self, campaign_id: str, owner: str, subject: str, text: str, emails: Sequence[str]) -> Campaign:
        """As `open`, for plain addresses instead of users."""
        ...

    async def addressees(self, campaign_id: str, positions: Sequence[int]) -> list[Addressee]:
        """Addresses and Message-IDs of these deliveries, in order."""
        ...

    def file_url(self, job_id: str, name: str) -> str:
        """Address of a job's finished file, as recipients of mail reach this installation."""
        ...

    def status_url(self, job_id: str, hours: int) -> str:
        """Address of a job's status page, as recipients of mail reach this installation."""
        ...

    async def letters(self, campaign_id: str, positions: Sequence[int]) -> list[Letter]:
        """Data of the messages to these deliveries. One whose user was removed since is skipped for good."""
        ...

    async def counts(self, campaign_id: str) -> dict[str, int]:
        """Deliveries by the outcome of them."""
        ...

    def report(self, campaign_id: str) -> AsyncIterator[dict[str, Any]]:
        """One row a recipient, in order."""
        ...


class Deliveries(Protocol):
    """Deliveries one by one."""

    async def due(self, campaign_id: str, positions: Sequence[int]) -> list[int]:
        """Those that can be sent now. Claims that a dead worker left behind are judged first."""
        ...

    async def outstanding(self, campaign_id: str, positions: Sequence[int]) -> Outstanding:
        """Those of these that are not settled yet."""
        ...

    async def unsettled(self, campaign_id: str) -> list[int]:
        """Positions that are neither settled nor in doubt."""
        ...

    async def unsendable(self, campaign_id: str, position: int, reason: str) -> None:
        """Settle a delivery as failed that no message could be written for."""
        ...

    async def reopen(self, campaign_id: str) -> list[int]:
        """Make the deliveries in doubt ready to be sent again; answers their positions."""
        ...


class Mailer(Protocol):
    """Sends messages, within the rate and over few connections."""

    sender: str
    attachment_max: int
    """Bytes of a file that is attached; a larger one is linked."""

    async def check(self) -> None:
        """Raises MailServerAway where nothing can be sent at present, without asking the server."""
        ...

    async def size_max(self) -> int | None:
        """Bytes of a message that the server takes at most; None where it announces no limit, or is absent."""
        ...

    async def send(self, campaign_id: str, position: int, address: str, content: bytes) -> None:
        """Send one message, whatever the server says to it; its delivery is settled soon after. Raises MailServerAway.

        Waits for a connection and for the rate; cancelling either wait changes nothing.
        """
        ...

    async def settled(self) -> None:
        """Wait until every message that was sent so far is settled."""
        ...
