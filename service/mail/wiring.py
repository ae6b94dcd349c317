"""Implementations of tasks/ports/mail.py, wired."""

import contextlib
from collections.abc import AsyncIterator

from service.database import Database
from service.engine.external_services import ServiceGate, bounds_of, rate_name
from service.engine.rate_limiter import RateLimiter
from service.engine.redis.client import Client
from service.lib.tickets import Tickets
from service.mail.campaigns import CampaignRows
from service.mail.counters import MailCounters
from service.mail.deliveries import DeliveryRows
from service.mail.mailer import SmtpMailer
from service.mail.server_status import ServerStatus
from service.mail.templates import TemplateRows
from service.mail.unsubscribe import Links
from settings import Settings
from settings.services import SMTP
from tasks.ports.mail import Campaigns, Deliveries, Mailer, Templates


def links(settings: Settings) -> Links:
    """Unsubscribe links of this installation."""
    return Links(settings.links_url, settings.link_key)


def mail_limiter(settings: Settings, redis: Client) -> RateLimiter:
    """The one rate of every message that leaves: that of the service `smtp`."""
    bounds = bounds_of(SMTP, settings.services, settings.queues)
    return RateLimiter(redis, rate_name(SMTP), bounds.rate_per_minute)


@contextlib.asynccontextmanager
async def open_mail(settings: Settings, database: Database, redis: Client) -> AsyncIterator[dict[type, object]]:
    """The implementations, each under its protocol; connections are opened when the first message is sent."""
    deliveries = DeliveryRows(database, settings.data_dir / "mail")
    limiter = mail_limiter(settings, redis)
    mailer = SmtpMailer(
        settings.smtp_url,
        settings.mail_from,
        deliveries,
        limiter,
        MailCounters(redis),
        ServerStatus(redis),
        attachment_max=settings.report_attachment_max,
        gate=ServiceGate(redis, settings.services, settings.queues),
    )
    try:
        yield {
            Templates: TemplateRows(database),
            Campaigns: CampaignRows(database, links(settings), settings.mail_from, Tickets(settings.link_key)),
            Deliveries: deliveries,
            Mailer: mailer,
        }
    finally:
        await mailer.close()
