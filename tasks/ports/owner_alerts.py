"""Port of the messages that owners' alert addresses get."""

from typing import Protocol

import msgspec


class AlertLetter(msgspec.Struct, frozen=True):
    """A message as it is sent."""

    mail_id: str
    address: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str


class OwnerAlertMails(Protocol):
    """The messages, each of which is settled once."""

    async def letter(self, mail_id: str) -> AlertLetter | None:
        """A message that is to be sent; None where it is settled, or its reader wants none any more."""
        ...

    async def settle(self, mail_id: str, outcome: str) -> None:
        """Note its outcome: sent, bounced, failed, suppressed, unknown or dropped."""
        ...
