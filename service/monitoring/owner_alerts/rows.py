"""Alert addresses and their messages as they are kept. Each belongs to an owner, and another's does not exist."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import AlertAddress, AlertMail, Database
from service.database.column_types import utc_now
from service.mail.campaign_removal import CampaignRemoval
from service.monitoring.owner_alerts.conditions import ENDS, News, Progress
from tasks.mail.addresses import compared

PER_OWNER = 10
"""Addresses of an owner: people who look after its jobs. Each may get a message about each condition in its interval."""

KEEP = timedelta(days=30)
"""Time for which a message is kept after it was made: longer than any of its tries."""

GIVEN_UP = timedelta(days=5)
"""A message that could not be sent for so long is not news any more."""

AT_ONCE = 200

Seen = Mapping[str, Mapping[str, int]]
"""Numbers of ends by queue server and kind."""


class NoSuchAlertAddress(Exception):
    """There is no such address, or it belongs to another owner."""

    def __init__(self, address_id: str) -> None:
        super().__init__(f"there is no alert address {address_id[:80]}")


class TooManyAlertAddresses(Exception):
    """The owner is at its bound."""

    def __init__(self) -> None:
        super().__init__(f"an owner keeps at most {PER_OWNER} alert addresses: delete one first")


class Wish(msgspec.Struct, frozen=True):
    """Wishes for an address: what it is told, in which language and how often."""

    address: str
    conditions: list[str]
    language: str
    every_minutes: int
    waiting_minutes: int


def wanted(row: AlertAddress) -> list[str]:
    """Conditions that an address is told of."""
    return list(msgspec.json.decode(row.conditions, type=list[str]))


def progress_of(row: AlertAddress) -> Progress:
    """Progress of an address."""
    return msgspec.json.decode(row.progress, type=Progress)


class AlertRows:
    """The tables' verbs."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of(self, owner: str) -> Sequence[AlertAddress]:
        """Addresses of an owner, oldest first."""
        query = select(AlertAddress).where(AlertAddress.owner == owner)
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(AlertAddress.created_at, AlertAddress.address_id)))

    async def find(self, owner: str, address: str) -> AlertAddress | None:
        """An owner's registration of an address, whatever its state; None where there is none."""
        query = select(AlertAddress).where(AlertAddress.owner == owner, AlertAddress.mailbox == compared(address))
        async with self.database.reading() as session:
            return await session.scalar(query)

    async def get(self, address_id: str, owner: str | None = None) -> AlertAddress:
        """One address, of any owner where none is given. Raises NoSuchAlertAddress."""
        async with self.database.reading() as session:
            row = await session.get(AlertAddress, address_id)
        if row is None or owner not in (None, row.owner):
            raise NoSuchAlertAddress(address_id)
        return row

    async def confirmed(self, after: str = "") -> Sequence[AlertAddress]:
        """Confirmed addresses of all owners by their ids, some at a time: those behind `after`."""
        query = select(AlertAddress).where(AlertAddress.state == "confirmed", AlertAddress.address_id > after)
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(AlertAddress.address_id).limit(AT_ONCE)))

    async def put(self, owner: str, wish: Wish, seen: Seen) -> tuple[AlertAddress, AlertMail | None]:
        """Register an address, or change the wishes of one that is registered. `seen` are the present numbers of ends.

        A new one, one that was unsubscribed and one that could not be written to has to be confirmed: its confirmation is
        returned too. Raises TooManyAlertAddresses.
        """
        async with self.database.writing() as session:
            mine = select(AlertAddress).where(AlertAddress.owner == owner).with_for_update()
            rows = list(await session.scalars(mine))
            before = next((row for row in rows if row.mailbox == compared(wish.address)), None)
            if before is not None and before.state in ("pending", "confirmed"):
                _change(before, wish, seen)
                return before, None
            if before is not None:
                await _remove(session, before.address_id)
            elif len(rows) >= PER_OWNER:
                raise TooManyAlertAddresses
            row = AlertAddress(
                address_id=f"alert-address-{secrets.token_hex(10)}",
                owner=owner,
                address=wish.address,
                mailbox=compared(wish.address),
                language=wish.language,
                conditions=msgspec.json.encode(wish.conditions).decode(),
                every_minutes=wish.every_minutes,
                waiting_minutes=wish.waiting_minutes,
                state="pending",
                progress="{}",
                created_at=utc_now(),
            )
            mail = new_mail(row, "confirmation", News())
            session.add_all([row, mail])
        return row, mail

    async def confirmation(self, address_id: str) -> AlertMail:
        """Keep one more confirmation for an address. Raises NoSuchAlertAddress."""
        row = await self.get(address_id)
        mail = new_mail(row, "confirmation", News())
        async with self.database.writing() as session:
            session.add(mail)
        return mail

    async def confirm(self, address_id: str, seen: Seen) -> AlertAddress:
        """Confirm a pending address; what ends from now on is told. Twice is once. Raises NoSuchAlertAddress where there is
        none, or where it was unsubscribed since."""
        async with self.database.writing() as session:
            row = await session.get(AlertAddress, address_id, with_for_update=True)
            if row is None or row.state not in ("pending", "confirmed"):
                raise NoSuchAlertAddress(address_id)
            if row.state == "pending":
                row.state, row.confirmed_at = "confirmed", utc_now()
                row.progress = _as_text(Progress(seen={place: dict(numbers) for place, numbers in seen.items()}))
        return row

    async def unsubscribe(self, address_id: str) -> AlertAddress:
        """Send nothing more to an address. Twice is once. Raises NoSuchAlertAddress."""
        async with self.database.writing() as session:
            row = await session.get(AlertAddress, address_id, with_for_update=True)
            if row is None:
                raise NoSuchAlertAddress(address_id)
            row.state = "unsubscribed"
        return row

    async def remove(self, address_id: str, owner: str | None = None) -> AlertAddress:
        """Remove an address with its messages. Raises NoSuchAlertAddress."""
        row = await self.get(address_id, owner)
        async with self.database.writing() as session:
            await _remove(session, address_id)
        return row

    async def advance(self, row: AlertAddress, progress: Progress, news: News | None) -> AlertMail | None:
        """Keep what an address has been told, with the message that tells it; None where it was changed in the meantime, or
        where there is no message."""
        async with self.database.writing() as session:
            now = await session.get(AlertAddress, row.address_id, with_for_update=True)
            if now is None or now.state != "confirmed" or now.progress != row.progress:
                # Another process, which leads by now, has told it.
                return None
            now.progress = _as_text(progress)
            mail = new_mail(now, "alert", news) if news else None
            if mail:
                session.add(mail)
        return mail

    async def mail(self, mail_id: str) -> tuple[AlertMail, AlertAddress] | None:
        """A message that is to be sent, with its address; None where it is settled, or the address wants nothing any more."""
        async with self.database.reading() as session:
            mail = await session.get(AlertMail, mail_id)
            row = await session.get(AlertAddress, mail.address_id) if mail else None
        if mail is None or mail.outcome or row is None:
            return None
        state = "pending" if mail.kind == "confirmation" else "confirmed"
        return (mail, row) if row.state == state else None

    async def settle(self, mail_id: str, outcome: str) -> None:
        """Note a message's outcome; the first one stays. An address that a server does not know is not written to again."""
        async with self.database.writing() as session:
            mail = await session.get(AlertMail, mail_id, with_for_update=True)
            if mail is None or mail.outcome:
                return
            mail.outcome = outcome
            row = await session.get(AlertAddress, mail.address_id, with_for_update=True)
            if row is not None and outcome == "sent":
                row.mailed_at = utc_now()
            elif row is not None and outcome in ("bounced", "suppressed"):
                row.state = "undeliverable"

    async def unsettled(self, older_than: timedelta) -> Sequence[AlertMail]:
        """Messages without an outcome that are so old: their jobs may be lost. Those given up get their outcome."""
        async with self.database.writing() as session:
            open_ones = select(AlertMail).where(AlertMail.outcome == "").order_by(AlertMail.created_at)
            old = open_ones.where(AlertMail.created_at < utc_now() - older_than).limit(AT_ONCE)
            rows = list(await session.scalars(old))
            for mail in rows:
                if mail.created_at < utc_now() - GIVEN_UP:
                    mail.outcome = "failed"
        return [mail for mail in rows if not mail.outcome]

    async def forget(self) -> int:
        """Remove old messages, and what was kept so that they are sent once. Returns how many."""
        old = select(AlertMail.mail_id).where(AlertMail.created_at < utc_now() - KEEP).limit(AT_ONCE)
        async with self.database.reading() as session:
            ids = list(await session.scalars(old))
        if ids:
            await CampaignRemoval(self.database).forget(ids)
            async with self.database.writing() as session:
                await session.execute(delete(AlertMail).where(AlertMail.mail_id.in_(ids)))
        return len(ids)


def new_mail(row: AlertAddress, kind: str, news: News) -> AlertMail:
    """A message that is not settled."""
    return AlertMail(
        mail_id=f"alert-mail-{secrets.token_hex(10)}",
        address_id=row.address_id,
        owner=row.owner,
        kind=kind,
        news=msgspec.json.encode(news).decode(),
        outcome="",
        created_at=utc_now(),
    )


def _change(row: AlertAddress, wish: Wish, seen: Seen) -> None:
    # Ends of before are not told to one who asks for them only now.
    _skip(row, seen, [kind for kind in ENDS if kind in wish.conditions and kind not in wanted(row)])
    row.address, row.language = wish.address, wish.language
    row.conditions = msgspec.json.encode(wish.conditions).decode()
    row.every_minutes, row.waiting_minutes = wish.every_minutes, wish.waiting_minutes


def _skip(row: AlertAddress, seen: Seen, kinds: Collection[str]) -> None:
    progress = progress_of(row)
    for place, numbers in seen.items():
        progress.seen.setdefault(place, {}).update({kind: numbers[kind] for kind in kinds})
    row.progress = _as_text(progress)


def _as_text(progress: Progress) -> str:
    return msgspec.json.encode(progress).decode()


async def _remove(session: AsyncSession, address_id: str) -> None:
    await session.execute(delete(AlertMail).where(AlertMail.address_id == address_id))
    await session.execute(delete(AlertAddress).where(AlertAddress.address_id == address_id))
