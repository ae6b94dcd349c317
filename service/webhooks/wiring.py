"""The parts of webhooks, wired."""

from dataclasses import dataclass

from service.database import Database
from service.engine.enqueuer import Enqueuer
from service.engine.maintenance import Duty
from service.engine.redis.client import Client
from service.webhooks import keys
from service.webhooks.addresses import Addresses
from service.webhooks.deliveries import Deliveries
from service.webhooks.dispatcher import WebhookDispatcher
from service.webhooks.events import callback_secret
from service.webhooks.rows import WebhookRows
from service.webhooks.sender import Sender
from settings import Settings

DELIVER_S = 1
"""Interval in which ends of jobs that webhooks wait for are read."""

SYNC_S = 10
"""Interval in which what the scripts know of webhooks is held against the table."""

FORGET_S = 600
"""Interval in which old deliveries are removed from the log, and overdue ones looked after."""


@dataclass(frozen=True, slots=True)
class WebhookParts:
    """Open for the life of a process."""

    settings: Settings
    addresses: Addresses
    rows: WebhookRows
    dispatcher: WebhookDispatcher
    deliveries: Deliveries

    def callback_secret(self, owner: str) -> str:
        """The secret that signs what goes to the `callback_url`s of an owner's jobs."""
        return callback_secret(self.settings.link_key, owner)


def webhook_parts(settings: Settings, database: Database, redis: Client, enqueuer: Enqueuer) -> WebhookParts:
    """The parts, which open nothing themselves."""
    addresses, rows = Addresses(allow_private=settings.webhooks_allow_private), WebhookRows(database)
    dispatcher = WebhookDispatcher(redis, rows, enqueuer)

    async def counted(outcome: str) -> None:
        await redis.hincrby(keys.OUTCOMES, outcome, 1)

    deliveries = Deliveries(database, Sender(addresses), lambda: settings.link_key, dispatcher.sync, counted)
    return WebhookParts(settings, addresses, rows, dispatcher, deliveries)


def webhook_duties(webhooks: WebhookParts) -> list[Duty]:
    """Duties of maintenance for webhooks."""
    return [
        Duty("webhooks", DELIVER_S, webhooks.dispatcher.dispatch, apart=True),
        Duty("webhook flags", SYNC_S, webhooks.dispatcher.sync, apart=True),
        Duty("webhook log", FORGET_S, webhooks.rows.forget, apart=True),
        Duty("webhook overdue", FORGET_S, webhooks.dispatcher.mend, apart=True),
    ]
