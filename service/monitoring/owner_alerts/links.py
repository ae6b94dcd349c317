"""Links in messages to alert addresses: one confirms, one unsubscribes. Each is signed for one address."""

import time
from urllib.parse import quote

from service.lib.tickets import Tickets

PATH = "/alert-mails"

CONFIRM_DAYS = 7
"""Days for which a confirmation holds."""

NEVER_S = 4_102_444_800
"""Expiry of links that unsubscribe (the year 2100): they hold as long as their message is kept."""


class AlertLinks:
    """Makes and reads them."""

    def __init__(self, base_url: str, key: bytes) -> None:
        self._base_url = base_url
        self._confirming = Tickets(key, b"alert confirmations")
        self._unsubscribing = Tickets(key, b"alert unsubscriptions")

    def confirm_url(self, address_id: str) -> str:
        """The link that confirms an address."""
        ticket = self._confirming.issue(address_id, int(time.time()) + CONFIRM_DAYS * 86_400)
        return f"{self._base_url}{PATH}/confirm/{quote(ticket)}"

    def unsubscribe_url(self, address_id: str) -> str:
        """The link that ends all messages to an address."""
        return f"{self._base_url}{PATH}/unsubscribe/{quote(self._unsubscribing.issue(address_id, NEVER_S))}"

    def confirmed_id(self, ticket: str) -> str:
        """Address of a confirmation. Raises BadTicket."""
        return self._confirming.read(ticket).job_id

    def unsubscribed_id(self, ticket: str) -> str:
        """Address of a link that unsubscribes. Raises BadTicket."""
        return self._unsubscribing.read(ticket).job_id
