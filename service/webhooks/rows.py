"""Webhooks and their log as they are kept. Each belongs to an owner, and another's does not exist."""

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from service.database import Database, Webhook, WebhookDelivery
from service.database.column_types import utc_now
from service.webhooks.events import TEST, new_message_id, new_secret, trial_body

PER_OWNER = 20
"""More than programs that an owner keeps; each end of a job may cost so many deliveries."""

KEEP_DAYS = 30
"""Days that a delivery stays in the log."""

FORGET_AT_ONCE = 1_000

OVERDUE = timedelta(hours=1)
"""A delivery that is so late may have lost its job. Far above what a queue keeps one waiting."""

OVERDUE_AT_ONCE = 100


@dataclass(frozen=True)
class WebhookCounts:
    """Deliveries that wait for their (next) try, the oldest one's time, and the webhooks that there are."""

    pending: int
    oldest: datetime | None
    disabled: int
    webhooks: int


class NoSuchWebhook(Exception):
    """There is no such webhook, or it belongs to another owner."""

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"there is no webhook {webhook_id[:80]}")


class NoSuchDelivery(Exception):
    """There is no such delivery, or it belongs to another owner."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"there is no delivery {delivery_id[:80]}")


class TooManyWebhooks(Exception):
    """The owner is at its bound."""

    def __init__(self) -> None:
        super().__init__(f"an owner keeps at most {PER_OWNER} webhooks: delete one first")


class NotDeliverable(Exception):
    """A delivery that cannot be sent (again) now. The message says why."""


def subscribed(webhook: Webhook) -> list[str]:
    """The events that a webhook wants, such as job.failed."""
    return list(json.loads(webhook.events))


class WebhookRows:
    """The tables' verbs."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def create(self, owner: str, url: str, events: Collection[str]) -> Webhook:
        """Keep a new webhook; a URL that its owner has already gets one more. Raises TooManyWebhooks."""
        row = Webhook(
            webhook_id=f"webhook-{secrets.token_hex(8)}",
            owner=owner,
            url=url,
            events=json.dumps(list(dict.fromkeys(events))),
            secret=new_secret(),
            created_at=utc_now(),
        )
        async with self.database.writing() as session:
            count = select(func.count()).select_from(Webhook).where(Webhook.owner == owner)
            if (await session.scalar(count) or 0) >= PER_OWNER:
                raise TooManyWebhooks
            session.add(row)
        return row

    async def list(self, owner: str | None = None) -> Sequence[Webhook]:
        """One owner's webhooks, or all, oldest first."""
        query = select(Webhook).order_by(Webhook.created_at, Webhook.webhook_id)
        async with self.database.reading() as session:
            return list(await session.scalars(query if owner is None else query.where(Webhook.owner == owner)))

    async def of_owners(self, owners: Collection[str]) -> Sequence[Webhook]:
        """The webhooks of some owners that are not disabled."""
        query = select(Webhook).where(Webhook.owner.in_(owners), Webhook.disabled_at.is_(None))
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(Webhook.created_at, Webhook.webhook_id)))

    async def get(self, webhook_id: str, owner: str | None = None) -> Webhook:
        """One webhook. Raises NoSuchWebhook."""
        async with self.database.reading() as session:
            row = await session.get(Webhook, webhook_id)
        if row is None or owner not in (None, row.owner):
            raise NoSuchWebhook(webhook_id)
        return row

    async def delete(self, webhook_id: str, owner: str | None = None) -> Webhook:
        """Remove a webhook with its log. Raises NoSuchWebhook."""
        row = await self.get(webhook_id, owner)
        async with self.database.writing() as session:
            await session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id))
            await session.execute(delete(Webhook).where(Webhook.webhook_id == webhook_id))
        return row

    async def enable(self, webhook_id: str, owner: str | None = None) -> Webhook:
        """Take a disablement back. Ends that passed are not delivered. Raises NoSuchWebhook."""
        await self.get(webhook_id, owner)
        async with self.database.writing() as session:
            row = await session.get(Webhook, webhook_id)
            if row is None:
                raise NoSuchWebhook(webhook_id)
            row.disabled_at = row.disabled_why = row.failing_since = row.failed_at = None
        return row

    async def add(self, rows: Sequence[WebhookDelivery]) -> None:
        """Keep new deliveries; one that is there already stays as it is."""
        if not rows:
            return
        insert = sqlite.insert if self.database.sqlite else postgresql.insert
        columns = WebhookDelivery.__table__.columns.keys()
        values = [{name: getattr(row, name) for name in columns} for row in rows]
        async with self.database.writing() as session:
            await session.execute(insert(WebhookDelivery).on_conflict_do_nothing(), values)

    async def add_trial(self, webhook: Webhook) -> WebhookDelivery:
        """Keep a test's delivery."""
        row = new_delivery(new_message_id(), webhook.webhook_id, webhook.owner, webhook.url, TEST)
        row.body = trial_body(webhook.webhook_id)
        await self.add([row])
        return row

    async def deliveries(
        self, webhook_id: str | None = None, *, limit: int, before: str | None = None, job_id: str | None = None
    ) -> Sequence[WebhookDelivery]:
        """Deliveries of a webhook, of a job, or all with those of callbacks, newest first; those older than `before`."""
        order = (WebhookDelivery.created_at.desc(), WebhookDelivery.delivery_id.desc())
        query = select(WebhookDelivery).order_by(*order).limit(limit)
        if webhook_id is not None:
            query = query.where(WebhookDelivery.webhook_id == webhook_id)
        if job_id is not None:
            query = query.where(WebhookDelivery.job_id == job_id)
        if before is not None:
            last = await self.delivery(before)
            position = tuple_(WebhookDelivery.created_at, WebhookDelivery.delivery_id)
            query = query.where(position < tuple_(last.created_at, last.delivery_id))
        async with self.database.reading() as session:
            return list(await session.scalars(query))

    async def delivery(self, delivery_id: str, owner: str | None = None) -> WebhookDelivery:
        """One delivery. Raises NoSuchDelivery."""
        async with self.database.reading() as session:
            row = await session.get(WebhookDelivery, delivery_id)
        if row is None or owner not in (None, row.owner):
            raise NoSuchDelivery(delivery_id)
        return row

    async def reopen(self, delivery_id: str, owner: str | None = None) -> WebhookDelivery:
        """Make a delivery that has ended pending again. Raises NoSuchDelivery, NotDeliverable."""
        await self.delivery(delivery_id, owner)
        async with self.database.writing() as session:
            row = await session.get(WebhookDelivery, delivery_id, with_for_update=True)
            if row is None:
                raise NoSuchDelivery(delivery_id)
            if row.state == "pending":
                raise NotDeliverable(f"the delivery {delivery_id} is on its way already")
            if row.webhook_id is not None:
                webhook = await session.get(Webhook, row.webhook_id)
                if webhook is not None and webhook.disabled_at is not None:
                    raise NotDeliverable(f"the webhook {row.webhook_id} is disabled: enable it first")
            row.state, row.tries, row.next_at = "pending", 0, None
        return row

    async def overdue(self, after: str) -> Sequence[WebhookDelivery]:
        """Up to OVERDUE_AT_ONCE pending deliveries that should have been tried OVERDUE ago, by their ids from `after` on."""
        due = func.coalesce(WebhookDelivery.next_at, WebhookDelivery.created_at)
        query = select(WebhookDelivery).where(
            WebhookDelivery.state == "pending", due < utc_now() - OVERDUE, WebhookDelivery.delivery_id > after
        )
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(WebhookDelivery.delivery_id).limit(OVERDUE_AT_ONCE)))

    async def counts(self) -> WebhookCounts:
        """Numbers of what waits and of what is disabled, over all owners."""
        pending = select(func.count(), func.min(WebhookDelivery.created_at)).where(WebhookDelivery.state == "pending")
        disabled = select(func.count()).where(Webhook.disabled_at.is_not(None))
        async with self.database.reading() as session:
            number, oldest = (await session.execute(pending)).one()
            off = await session.scalar(disabled)
            webhooks = await session.scalar(select(func.count()).select_from(Webhook))
        return WebhookCounts(number, oldest, int(off or 0), int(webhooks or 0))

    async def give_up(self, delivery_id: str, sentence: str) -> None:
        """End a pending delivery as failed."""
        async with self.database.writing() as session:
            row = await session.get(WebhookDelivery, delivery_id)
            if row is not None and row.state == "pending":
                row.state, row.error, row.next_at = "failed", sentence, None

    async def forget(self) -> int:
        """Remove deliveries that ended KEEP_DAYS ago. Returns how many."""
        old = select(WebhookDelivery.delivery_id).where(
            WebhookDelivery.created_at < utc_now() - timedelta(days=KEEP_DAYS), WebhookDelivery.state != "pending"
        )
        async with self.database.writing() as session:
            ids = list(await session.scalars(old.order_by(WebhookDelivery.created_at).limit(FORGET_AT_ONCE)))
            await session.execute(delete(WebhookDelivery).where(WebhookDelivery.delivery_id.in_(ids)))
        return len(ids)


def new_delivery(
    delivery_id: str, webhook_id: str | None, owner: str, url: str, event: str, job_id: str | None = None
) -> WebhookDelivery:
    """A delivery that has not been tried, still without its body."""
    return WebhookDelivery(
        delivery_id=delivery_id,
        webhook_id=webhook_id,
        owner=owner,
        url=url,
        event=event,
        job_id=job_id,
        number=0,
        state="pending",
        tries=0,
        created_at=utc_now(),
    )
