"""A campaign's recipients, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from service.database import Database, Delivery

PAGE_ROWS = 25

STATUSES = ("sent", "bounced", "failed", "unknown", "pending", "sending", "suppressed", "skipped")
"""Statuses of a delivery, the most wanted first. service/mail/deliveries.py explains each."""

REPLY_CHARACTERS = 300
"""Of a server's answer."""


@dataclass(frozen=True)
class RecipientRow:
    """One recipient. `reply` is what the server answered, or why nothing was sent; `changed_ms` since the epoch."""

    position: int
    user_id: str
    email: str | None
    status: str
    smtp_code: int | None
    reply: str | None
    tries: int
    changed_ms: int


async def recipients_page(
    database: Database, campaign_id: str, *, after: int = 0, status: str | None = None, limit: int = PAGE_ROWS
) -> tuple[Sequence[RecipientRow], int | None]:
    """Recipients behind position `after`, and the position that the next page begins behind (None at the end)."""
    wanted = select(Delivery).where(Delivery.campaign_id == campaign_id, Delivery.position > after)
    if status is not None:
        wanted = wanted.where(Delivery.status == status)
    async with database.reading() as session:
        found = list(await session.scalars(wanted.order_by(Delivery.position).limit(limit + 1)))
    rows = [_row(delivery) for delivery in found[:limit]]
    return rows, rows[-1].position if len(found) > limit else None


def _row(delivery: Delivery) -> RecipientRow:
    return RecipientRow(
        position=delivery.position,
        user_id=str(delivery.user_id) if delivery.user_id >= 0 else "–",
        email=delivery.email,
        status=delivery.status,
        smtp_code=delivery.smtp_code,
        reply=(delivery.smtp_text or "")[:REPLY_CHARACTERS] or None,
        tries=delivery.tries,
        changed_ms=int(delivery.changed_at.timestamp() * 1000),
    )
