"""`Deliveries`: one try of one delivery, what the log keeps of it, and what follows for its webhook."""

import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func, select

from service.database import Database, Webhook, WebhookDelivery
from service.database.column_types import utc_now
from service.webhooks.events import callback_secret
from service.webhooks.rows import WebhookRows
from service.webhooks.sender import Answer, Sender
from tasks.ports.webhooks import Delivered

log = structlog.get_logger("offload.webhooks")

DELAYS_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000)
"""Seconds before each try after the first: a day in all, first for a hiccup, then for a deploy, then for a night."""

JITTER = 0.1
"""Share of a delay that is random, so that what failed together does not come back together."""

DISABLED_AFTER = timedelta(days=3)
"""A webhook that has failed for so long without a single success is disabled."""

STREAK_GAP = timedelta(hours=36)
"""A failure so long after the one before begins a streak of its own: in between nothing was tried."""

GONE = 410
"""A receiver that answers this wants nothing any more (Standard Webhooks)."""

TURN_MAX_S = 600.0
"""Seconds after which a delivery looks again at the latest whether the one before it has ended."""


class Deliveries:
    """Implements tasks/ports/webhooks.py. `changed` is called when a webhook was disabled, `counted` with the outcome of
    each try."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        link_key: Callable[[], bytes],
        changed: Callable[[], Awaitable[None]],
        counted: Callable[[str], Awaitable[None]],
    ) -> None:
        self.database = database
        self.sender = sender
        self.link_key = link_key
        self.changed = changed
        self.counted = counted

    async def deliver(self, delivery_id: str) -> Delivered:
        """Try one delivery, unless it has ended, or an earlier one of the same job to the same address has not."""
        async with self.database.reading() as session:
            row = await session.get(WebhookDelivery, delivery_id)
            webhook = await session.get(Webhook, row.webhook_id) if row and row.webhook_id else None
        if row is None or row.state == "delivered":
            return Delivered("delivered", "There is nothing left to deliver.")
        if row.webhook_id and (webhook is None or webhook.disabled_at):
            sentence = "The webhook is disabled." if webhook else "The webhook was deleted."
            await WebhookRows(self.database).give_up(row.delivery_id, sentence)
            await self._count("failed")
            return Delivered("failed", sentence)
        if (turn_s := await self._until_its_turn_s(row)) is not None:
            return Delivered("later", "An earlier message about the job goes first.", turn_s)
        secret = webhook.secret if webhook else callback_secret(self.link_key(), row.owner)
        answer = await self.sender.post(row.url, secret, row.delivery_id, row.body)
        return await self._record(row.delivery_id, answer)

    async def _until_its_turn_s(self, row: WebhookDelivery) -> float | None:
        """Seconds until the delivery before it is tried again; None where there is none."""
        if row.job_id is None:
            return None
        same_target = (
            WebhookDelivery.webhook_id == row.webhook_id
            if row.webhook_id
            else WebhookDelivery.webhook_id.is_(None) & (WebhookDelivery.url == row.url)
        )
        before = select(func.count(), func.min(WebhookDelivery.next_at)).where(
            WebhookDelivery.job_id == row.job_id,
            WebhookDelivery.number < row.number,
            WebhookDelivery.state == "pending",
            same_target,
        )
        async with self.database.reading() as session:
            count, next_at = (await session.execute(before)).one()
        if not count:
            return None
        wait_s = (next_at - utc_now()).total_seconds() if next_at else 0.0
        return min(TURN_MAX_S, max(1.0, wait_s + 1.0))

    async def _record(self, delivery_id: str, answer: Answer) -> Delivered:
        """Write a try into the log and draw what follows for the webhook."""
        disabled = False
        async with self.database.writing() as session:
            row = await session.get(WebhookDelivery, delivery_id, with_for_update=True)
            if row is None:
                return Delivered("delivered", "The webhook was deleted while it was sent.")
            webhook = await session.get(Webhook, row.webhook_id, with_for_update=True) if row.webhook_id else None
            now = utc_now()
            tried = _tried(row, answer, now)
            if webhook is not None:
                disabled = _judge(webhook, answer, now)
        if disabled:
            log.warning("webhook.disabled", webhook=row.webhook_id, owner=row.owner, reason=answer.error)
            await self.changed()
        await self._count(tried.state)
        return tried

    async def _count(self, outcome: str) -> None:
        # The delivery is noted: a count that is short by one harms less than a message that is sent twice.
        with contextlib.suppress(RedisError, OSError):
            await self.counted(outcome)


def _tried(row: WebhookDelivery, answer: Answer, now: datetime) -> Delivered:
    row.tries, row.tried_at, row.next_at = row.tries + 1, now, None
    row.status_code, row.error = answer.status_code, answer.error
    if answer.error is None:
        row.state = "delivered"
        return Delivered("delivered", f"It answered {answer.status_code}.")
    if row.tries > len(DELAYS_S) or answer.status_code == GONE:
        row.state = "failed"
        return Delivered("failed", answer.error)
    delay_s = DELAYS_S[row.tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    row.next_at = now + timedelta(seconds=delay_s)
    return Delivered("later", answer.error, delay_s)


def _judge(webhook: Webhook, answer: Answer, now: datetime) -> bool:
    """Note a success or a failure of a webhook. True where that disabled it."""
    if answer.error is None:
        webhook.delivered_at, webhook.failing_since, webhook.failed_at = now, None, None
        return False
    if webhook.failing_since is None or webhook.failed_at is None or now - webhook.failed_at > STREAK_GAP:
        webhook.failing_since = now
    webhook.failed_at = now
    if webhook.disabled_at is None and (answer.status_code == GONE or now - webhook.failing_since >= DISABLED_AFTER):
        webhook.disabled_at = now
        webhook.disabled_why = "It answered 410 (gone)." if answer.status_code == GONE else _streak(answer)
        return True
    return False


def _streak(answer: Answer) -> str:
    return f"Every delivery has failed for {DISABLED_AFTER.days} days. {answer.error}"
