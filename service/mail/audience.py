"""Recipients of a campaign: users of a segment or by id, each with the reason against writing to it, if any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import User
from service.mail.suppression import suppressed
from tasks.mail.addresses import BadAddress, compared, deliverable

BATCH_SIZE = 1_000
"""Users in one query."""


@dataclass(slots=True)
class Recipient:
    """One recipient. `status` is pending, or why nothing is sent with `reason` in words."""

    user_id: int
    email: str | None
    address: str | None = None
    status: str = "pending"
    reason: str | None = None


def in_segment(segment: str) -> ColumnElement[bool]:
    """The condition that a segment stands for."""
    if segment == "all":
        return true()
    active = User.active.is_(True)
    if segment == "active":
        return active
    return active & (User.digest.is_(True) if segment == "digest" else User.plan == segment)


async def segment_size(session: AsyncSession, segment: str) -> int:
    """Users in a segment."""
    return await session.scalar(select(func.count()).select_from(User).where(in_segment(segment))) or 0


async def recipients(session: AsyncSession, *, segment: str | None, user_ids: Sequence[int] | None) -> list[Recipient]:
    """Every recipient once, in the order asked for (a segment's by id). Addresses are checked by `check_addresses`."""
    if segment is not None:
        rows = await session.execute(select(User.id, User.email).where(in_segment(segment)).order_by(User.id))
        return [Recipient(*row) for row in rows]
    wanted = list(dict.fromkeys(user_ids or ()))
    emails: dict[int, str] = {}
    for start in range(0, len(wanted), BATCH_SIZE):
        batch = wanted[start : start + BATCH_SIZE]
        emails.update(
            (row.id, row.email) for row in await session.execute(select(User.id, User.email).where(User.id.in_(batch)))
        )
    return [Recipient(user_id, emails.get(user_id)) for user_id in wanted]


def check_addresses(found: Sequence[Recipient]) -> None:
    """Skip recipients that do not exist, have no deliverable address, or share one with an earlier recipient."""
    seen: dict[str, int] = {}
    for one in found:
        if one.email is None:
            one.status, one.reason = "skipped", "no such user"
            continue
        try:
            one.address = compared(deliverable(one.email))
        except BadAddress as error:
            one.status, one.reason = "skipped", str(error)
            continue
        first = seen.setdefault(one.address, one.user_id)
        if first != one.user_id:
            one.status, one.reason = (
                "skipped",
                f"the same address as {'user' if first >= 0 else 'recipient'} {abs(first)}",
            )


async def check_suppressed(session: AsyncSession, found: Sequence[Recipient]) -> None:
    """Mark recipients that are on the suppression list."""
    reasons = await suppressed(session, [one.address for one in _pending(found) if one.address])
    for one in _pending(found):
        if one.address in reasons:
            one.status, one.reason = "suppressed", reasons[one.address]


def _pending(found: Sequence[Recipient]) -> Iterator[Recipient]:
    return (one for one in found if one.status == "pending")
