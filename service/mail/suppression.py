"""The addresses that are not written to."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Delivery, Suppression
from service.database.column_types import utc_now

BOUNCES_MAX = 2
"""One bounce may be a fault of the server; a second makes the address a liability to the sender's reputation."""

BATCH_SIZE = 500
"""Addresses in one query: PostgreSQL takes 32,767 values per statement, SQLite takes as many."""


def suppress(connection: Connection, address: str, reason: str) -> None:
    """Put an address (as compared) on the list; one that is on it keeps its first reason."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"address": address, "reason": reason, "created_at": utc_now()}
    connection.execute(insert(Suppression).values(row).on_conflict_do_nothing())


def suppress_after_bounces(connection: Connection, address: str) -> None:
    """Put an address on the list if servers have said often enough, over all campaigns, that it does not exist."""
    bounces = select(func.count()).where(
        Delivery.address == address, Delivery.status == "bounced", Delivery.address_refused.is_(True)
    )
    if (connection.scalar(bounces) or 0) >= BOUNCES_MAX:
        suppress(connection, address, f"bounced {BOUNCES_MAX} times")


async def suppressed(session: AsyncSession, addresses: Sequence[str]) -> dict[str, str]:
    """Those of the addresses that are on the list, with the reason."""
    found: dict[str, str] = {}
    for start in range(0, len(addresses), BATCH_SIZE):
        batch = addresses[start : start + BATCH_SIZE]
        rows = await session.execute(
            select(Suppression.address, Suppression.reason).where(Suppression.address.in_(batch))
        )
        found.update((address, reason) for address, reason in rows)
    return found
