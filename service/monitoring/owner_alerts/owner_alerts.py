"""`OwnerAlerts`: registration, confirmation and removal of owners' alert addresses."""

import hashlib
import hmac

from service.database import AlertAddress, AlertMail
from service.engine.plans import Allowance
from service.engine.redis.client import Client
from service.engine.store.errors import OverLimit
from service.monitoring.owner_alerts.conditions import counted
from service.monitoring.owner_alerts.counters import EndCounters
from service.monitoring.owner_alerts.links import AlertLinks
from service.monitoring.owner_alerts.mails import AlertMails
from service.monitoring.owner_alerts.rows import AlertRows, NoSuchAlertAddress, Seen, Wish

CONFIRMATIONS_A_DAY = 3
"""Confirmations that an address gets in a day, for all owners together: no key can be used to flood a stranger's mailbox."""

DAY_S = 86_400

HOUR_S = 3_600


class AlertConflict(Exception):
    """Something that an address's state, or the installation, forbids. The message is a sentence."""


class OwnerAlerts:
    """Verbs of the API, of the owner's page and of the links in messages. `can_send` is False without a mail server."""

    def __init__(
        self, rows: AlertRows, counters: EndCounters, mails: AlertMails, links: AlertLinks, redis: Client, key: bytes,
        *, can_send: bool,
    ) -> None:  # fmt: skip
        self.rows, self.counters, self.mails, self.links = rows, counters, mails, links
        self._redis, self._key, self._can_send = redis, key, can_send

    async def put(self, owner: str, wish: Wish) -> tuple[AlertAddress, bool]:
        """Register an address, or change what it is told. Returns it, and whether a confirmation was sent.

        Raises TooManyAlertAddresses, AlertConflict, OverLimit.
        """
        self._require_server()
        before = await self.rows.find(owner, wish.address)
        if before is None or before.state not in ("pending", "confirmed"):
            await self._take_permit(wish.address)
        row, mail = await self.rows.put(owner, wish, await self._seen(owner))
        await self._sent(mail)
        await self.counters.sync()
        return row, mail is not None

    async def confirm_again(self, owner: str, address_id: str) -> AlertAddress:
        """Send one more confirmation. Raises NoSuchAlertAddress, AlertConflict, OverLimit."""
        row = await self.rows.get(address_id, owner)
        self._require_server()
        if row.state != "pending":
            raise AlertConflict(f"The address is {row.state}: only one that is pending is confirmed.")
        await self._take_permit(row.address)
        await self._sent(await self.rows.confirmation(address_id))
        return row

    async def remove(self, address_id: str, owner: str | None = None) -> AlertAddress:
        """Remove an address. Raises NoSuchAlertAddress."""
        row = await self.rows.remove(address_id, owner)
        await self.counters.sync()
        return row

    async def linked(self, ticket: str, *, unsubscribe: bool) -> AlertAddress:
        """The address of a link. Raises BadTicket, NoSuchAlertAddress."""
        read = self.links.unsubscribed_id if unsubscribe else self.links.confirmed_id
        row = await self.rows.get(read(ticket))
        if not unsubscribe and row.state not in ("pending", "confirmed"):
            raise NoSuchAlertAddress(row.address_id)
        return row

    async def confirm(self, ticket: str) -> AlertAddress:
        """Confirm the address of a link. Raises BadTicket, NoSuchAlertAddress."""
        row = await self.linked(ticket, unsubscribe=False)
        row = await self.rows.confirm(row.address_id, await self._seen(row.owner))
        await self.counters.sync()
        return row

    async def unsubscribe(self, ticket: str) -> AlertAddress:
        """Send nothing more to the address of a link. Raises BadTicket, NoSuchAlertAddress."""
        row = await self.rows.unsubscribe((await self.linked(ticket, unsubscribe=True)).address_id)
        await self.counters.sync()
        return row

    async def _seen(self, owner: str) -> Seen:
        ends, _ = await self.counters.of(owner)
        return counted(ends)

    async def _sent(self, mail: AlertMail | None) -> None:
        if mail is not None:
            await self.mails.queue([mail])

    def _require_server(self) -> None:
        if not self._can_send:
            raise AlertConflict("No mail server is configured here, so no alert could be sent.")

    async def _take_permit(self, address: str) -> None:
        """Take one of the address's confirmations. Raises OverLimit."""
        # The queue server is to hold no address that an erasure would have to find there.
        name = hmac.new(self._key, f"confirmations {address.lower()}".encode(), hashlib.sha256).hexdigest()
        wait_ms = await Allowance("confirmations", name[:32], CONFIRMATIONS_A_DAY, DAY_S).take(self._redis)
        if wait_ms:
            hours = max(1, round(wait_ms / 1000 / HOUR_S))
            raise OverLimit(
                f"{CONFIRMATIONS_A_DAY} confirmations a day are sent to an address; there is room again in {hours} h",
                hours * HOUR_S,
            )
