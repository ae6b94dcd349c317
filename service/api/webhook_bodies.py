"""Bodies of the routes of webhooks, and how a row is written as one."""

from datetime import datetime
from typing import Annotated

import msgspec

from service.database import Webhook, WebhookDelivery
from service.engine.job_status import rfc3339
from service.lib.sentences.recogniser import shown_or_none
from service.webhooks.addresses import URL_MAX
from service.webhooks.events import Event
from service.webhooks.rows import subscribed


class WebhookRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A URL of http:// or https:// that leads to a public address, and the events that it is told of."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=URL_MAX)]
    events: Annotated[list[Event], msgspec.Meta(min_length=1)]


class WebhookMade(msgspec.Struct):
    """A new webhook. The secret, which verifies its signatures, cannot be read again."""

    webhook_id: str
    secret: str


class WebhookBody(msgspec.Struct):
    """A webhook. `failing_since` is the first of the failures that no success has followed."""

    webhook_id: str
    url: str
    events: list[str]
    created_at: str | None
    delivered_at: str | None
    failing_since: str | None
    disabled_at: str | None
    disabled_reason: str | None


class WebhookList(msgspec.Struct):
    """All webhooks of the owner, oldest first."""

    webhooks: list[WebhookBody]


class SecretBody(msgspec.Struct):
    """The secret that signs what goes to the `callback_url`s of the owner's jobs."""

    secret: str


class DeliveryBody(msgspec.Struct):
    """A message. `state` is pending, delivered or failed; `error` tells of the last try."""

    delivery_id: str
    event: str
    job_id: str | None
    state: str
    tries: int
    status_code: int | None
    error: str | None
    created_at: str | None
    tried_at: str | None
    next_try_at: str | None


class DeliveryList(msgspec.Struct):
    """Messages, newest first. `next_before` leads to older ones; null at the end."""

    deliveries: list[DeliveryBody]
    next_before: str | None


class DeliveryQueued(msgspec.Struct):
    """A message on its way."""

    delivery_id: str


def _ms(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None


def webhook_body(row: Webhook) -> WebhookBody:
    return WebhookBody(
        webhook_id=row.webhook_id,
        url=row.url,
        events=subscribed(row),
        created_at=rfc3339(_ms(row.created_at)),
        delivered_at=rfc3339(_ms(row.delivered_at)),
        failing_since=rfc3339(_ms(row.failing_since)),
        disabled_at=rfc3339(_ms(row.disabled_at)),
        disabled_reason=row.disabled_why,
    )


def delivery_body(row: WebhookDelivery) -> DeliveryBody:
    return DeliveryBody(
        delivery_id=row.delivery_id,
        event=row.event,
        job_id=row.job_id,
        state=row.state,
        tries=row.tries,
        status_code=row.status_code,
        error=shown_or_none(row.error),
        created_at=rfc3339(_ms(row.created_at)),
        tried_at=rfc3339(_ms(row.tried_at)),
        next_try_at=rfc3339(_ms(row.next_at)),
    )
