"""Rows of an owner or of a person in the database: removed, or left without what names it."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, case, delete, false, func, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from service.database import (
    AlertAddress,
    AlertMail,
    Base,
    Campaign,
    Database,
    Delivery,
    Document,
    Event,
    ImageRecord,
    Suppression,
    Upload,
    UploadPiece,
    User,
    WebhookDelivery,
    changed_rows,
)
from tasks.sdk.errors import Unreachable

APART = {"events", "documents", "uploads", "campaigns", "api_keys"}
"""Tables with an owner that need more than a deletion, or stay."""

NAMES = {"owner_months": "months of use", "usage_entries": "months of use", "owners": "plans"}
"""Names of tables in the list, where they are not the tables' own."""

FIRST = ("usage_entries",)
"""Entries that are just being added up are in their months then."""


def owned_tables() -> Sequence[tuple[str, Table]]:
    """Tables whose rows of an owner just go, by the schema, so that a new one cannot be forgotten."""
    tables = [table for table in Base.metadata.sorted_tables if "owner" in table.c and table.name not in APART]
    tables.sort(key=lambda table: table.name not in FIRST)
    return [(NAMES.get(table.name, table.name.replace("_", " ")), table) for table in tables]


ERASED = "erased"
"""Stands in the place of a text that may have named the subject."""

MORE = (("API keys", "api_keys"), ("documents", "documents"), ("uploads", "uploads"), ("campaigns", "campaigns"))
"""Names in the list of what needs more than a deletion, and the tables."""

RECIPIENTS = "recipients of campaigns"
MESSAGES = "messages to webhooks"
LINES = "lines of the audit log"
"""Names in the list of rows that are altered, and stay; an owner's messages go."""

ALERTS = "alert addresses"
"""Name in the list of a person's registrations for alerts."""

AT_ONCE = 500


class OwnerRows:
    """Rows of one owner."""

    def __init__(self, database: Database, owner: str) -> None:
        self.database, self.owner = database, owner

    async def counts(self) -> Counter[str]:
        """Number of rows by kind, of those that go and of those that are altered."""
        found: Counter[str] = Counter()
        for kind, table in (*owned_tables(), *((name, Base.metadata.tables[table]) for name, table in MORE)):
            query = select(func.count()).select_from(table).where(table.c.owner == self.owner)
            async with self.database.reading() as session:
                found[kind] += int(await session.scalar(query) or 0)
        async with self.database.reading() as session:
            found[LINES] += int(await session.scalar(select(func.count()).where(self._lines())) or 0)
        return +found

    async def remove_keys(self) -> int:
        """Remove its API keys, so that nothing new begins. Every process refuses them within a second."""
        return await self._delete(Base.metadata.tables["api_keys"])

    async def document_ids(self) -> Sequence[str]:
        """Ids of its documents."""
        async with self.database.reading() as session:
            return list(await session.scalars(select(Document.file_id).where(Document.owner == self.owner)))

    async def upload_ids(self) -> Sequence[str]:
        """Ids of its uploads in several requests."""
        async with self.database.reading() as session:
            return list(await session.scalars(select(Upload.upload_id).where(Upload.owner == self.owner)))

    async def campaign_ids(self) -> Sequence[str]:
        """Ids of its campaigns, and of those that its alerts were sent by, which are the installation's."""
        alerts = select(AlertMail.mail_id).where(AlertMail.owner == self.owner)
        mine = or_(Campaign.owner == self.owner, Campaign.campaign_id.in_(alerts))
        async with self.database.reading() as session:
            return list(await session.scalars(select(Campaign.campaign_id).where(mine)))

    async def remove_documents(self, file_ids: Sequence[str]) -> None:
        """Remove documents whose files are gone."""
        async with self.database.writing() as session:
            await session.execute(delete(ImageRecord).where(ImageRecord.file_id.in_(file_ids)))
            await session.execute(delete(Document).where(Document.file_id.in_(file_ids)))

    async def remove_uploads(self, upload_ids: Sequence[str]) -> None:
        """Remove uploads whose pieces are gone."""
        async with self.database.writing() as session:
            await session.execute(delete(UploadPiece).where(UploadPiece.upload_id.in_(upload_ids)))
            await session.execute(delete(Upload).where(Upload.upload_id.in_(upload_ids)))

    async def remove_rest(self) -> Counter[str]:
        """Remove what is left but for the audit log; returns the numbers by kind."""
        removed: Counter[str] = Counter()
        for kind, table in owned_tables():
            removed[kind] += await self._delete(table)
        return removed

    async def pseudonymise(self, name: str) -> int:
        """Have `name` stand for the owner in the audit log, and no detail or address with it. Returns the number of lines."""
        async with self.database.writing() as session:
            blanked = update(Event).where(self._lines()).values(detail=ERASED, address=None)
            number = await changed_rows(session, blanked)
            for column in (Event.target_id, Event.actor, Event.owner):
                await session.execute(update(Event).where(column == self.owner).values({column.key: name}))
        return number

    def _lines(self) -> ColumnElement[bool]:
        about = (Event.target_type == "owner") & (Event.target_id == self.owner)
        return or_(Event.owner == self.owner, Event.actor == self.owner, about)

    async def _delete(self, table: Table) -> int:
        async with self.database.writing() as session:
            return await changed_rows(session, delete(table).where(table.c.owner == self.owner))


class PersonRows:
    """Rows of one recipient of mail, by its addresses (small letters) and user ids."""

    def __init__(self, database: Database, addresses: Collection[str], user_ids: Collection[int]) -> None:
        self.database, self.addresses, self.user_ids = database, addresses, user_ids

    def _naming(self, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """A condition: one of the columns holds one of the addresses anywhere."""
        return or_(
            false(),
            *(func.lower(one).contains(address, autoescape=True) for one in columns for address in self.addresses),
        )

    def _deliveries(self) -> Any:
        return or_(
            Delivery.user_id.in_(self.user_ids),
            func.lower(Delivery.email).in_(self.addresses),
            func.lower(Delivery.address).in_(self.addresses),
        )

    def _alerted(self) -> Any:
        return or_(func.lower(AlertAddress.address).in_(self.addresses), AlertAddress.mailbox.in_(self.addresses))

    async def counts(self) -> Counter[str]:
        """Number of rows by kind, of those that go and of those that are altered."""
        async with self.database.reading() as session:
            queries = {
                MESSAGES: select(func.count()).where(self._naming(WebhookDelivery.body)),
                LINES: select(func.count()).where(self._naming(Event.detail, Event.target_id)),
                "users": select(func.count()).select_from(User).where(User.id.in_(self.user_ids)),
                RECIPIENTS: select(func.count()).select_from(Delivery).where(self._deliveries()),
                "suppressions": select(func.count())
                .select_from(Suppression)
                .where(func.lower(Suppression.address).in_(self.addresses)),
                ALERTS: select(func.count()).select_from(AlertAddress).where(self._alerted()),
            }
            return +Counter({kind: int(await session.scalar(query) or 0) for kind, query in queries.items()})

    async def campaign_ids(self) -> Sequence[str]:
        """Campaigns that wrote to it."""
        async with self.database.reading() as session:
            return list(await session.scalars(select(Delivery.campaign_id).where(self._deliveries()).distinct()))

    async def blank(self) -> Counter[str]:
        """Take it out of the lines that stay: recipients of campaigns, messages to webhooks, the audit log."""
        altered: Counter[str] = Counter()
        async with self.database.writing() as session:
            # Under a number of its own in the campaign, which is no user's.
            nameless = {
                "user_id": -Delivery.position,
                "email": None,
                "address": None,
                "smtp_text": None,
                "message_id": "",
            }
            blanked = update(Delivery).where(self._deliveries()).values(nameless)
            altered[RECIPIENTS] = await changed_rows(session, blanked)
            for kind, columns in ((MESSAGES, (WebhookDelivery.body,)), (LINES, (Event.detail, Event.target_id))):
                # In one statement for all columns: a line is altered once, and counted once.
                erased = {one.key: case((self._naming(one), ERASED), else_=one) for one in columns}
                lines = update(columns[0].class_).where(self._naming(*columns)).values(erased)
                altered[kind] = await changed_rows(session, lines)
        return +altered

    async def remove(self) -> Counter[str]:
        """Remove the user, its suppressions and its registrations for alerts. Last: by them the person is found."""
        async with self.database.writing() as session:
            ids = select(AlertAddress.address_id).where(self._alerted())
            await session.execute(delete(AlertMail).where(AlertMail.address_id.in_(ids)))
            alerted = await changed_rows(session, delete(AlertAddress).where(self._alerted()))
            users = await changed_rows(session, delete(User).where(User.id.in_(self.user_ids)))
            suppressed = func.lower(Suppression.address).in_(self.addresses)
            return +Counter(
                {
                    "users": users,
                    "suppressions": await changed_rows(session, delete(Suppression).where(suppressed)),
                    ALERTS: alerted,
                }
            )


async def compact(database: Database) -> None:
    """Have the database overwrite what was deleted (SQLite), or free its space (PostgreSQL)."""
    async with database.engine.connect() as connection:
        if database.sqlite:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.execute("VACUUM")
            # What was deleted stands in the write-ahead log as long as one who reads it keeps that from being emptied.
            ((busy, *_),) = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            if busy:
                raise Unreachable("database", "locked for too long")
        else:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.execute(text("VACUUM"))
