"""Campaigns: opened once, read by every part, reported at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.database import Base, Database, Delivery, User
from service.database import Campaign as CampaignRow
from service.database.column_types import utc_now
from service.lib.tickets import Tickets, page_path
from service.mail import audience
from service.mail.audience import Recipient
from service.mail.unsubscribe import Links
from tasks.mail.addresses import deliverable
from tasks.mail.message import message_id
from tasks.mail.render import Letter
from tasks.mail.template import USER_FIELDS, Source
from tasks.ports.mail import Addressee, Campaign, StoredTemplate

BATCH = 1_500
"""Rows a statement inserts: 18,000 values, under PostgreSQL's 32,767 a statement."""

NAME_MAX = 255
"""Characters of a campaign's name in the database."""

PAGE = 1_000
"""Rows of a report read at a time, so that its memory does not grow with the campaign."""


LINK_DAYS = 7
"""Days for which a mailed link opens: as long as a completed job keeps its files, unless its queue is set otherwise."""


class CampaignRows:
    """Campaigns in the database."""

    def __init__(self, database: Database, links: Links, sender: str, tickets: Tickets) -> None:
        self._database = database
        self._links = links
        self._sender = sender
        self._tickets = tickets

    async def segment_size(self, segment: str) -> int:
        """Number of users in a segment now."""
        async with self._database.reading() as session:
            return await audience.segment_size(session, segment)

    async def find(self, campaign_id: str) -> Campaign | None:
        """A campaign that was opened."""
        async with self._database.reading() as session:
            row = await session.get(CampaignRow, campaign_id)
        if row is None:
            return None
        return Campaign(
            row.campaign_id, row.owner, Source(row.subject, row.html, row.text), row.recipients, row.to_send
        )

    async def open(
        self,
        campaign_id: str,
        owner: str,
        template: StoredTemplate,
        *,
        segment: str | None,
        user_ids: Sequence[int] | None,
    ) -> Campaign:
        """Write the campaign and its deliveries in one transaction; find it where it was opened before."""
        opened = await self.find(campaign_id)
        if opened is not None:
            return opened
        async with self._database.reading() as session:
            found = await audience.recipients(session, segment=segment, user_ids=user_ids)
        return await self._open(campaign_id, owner, template, found)

    async def open_list(self, campaign_id: str, owner: str, subject: str, text: str, emails: Sequence[str]) -> Campaign:
        """Write a campaign to plain addresses; find it where it was opened before."""
        opened = await self.find(campaign_id)
        if opened is not None:
            return opened
        # Their ids are not a user's: a delivery is unique by its campaign and this id.
        found = [Recipient(-number, email) for number, email in enumerate(emails, 1)]
        template = StoredTemplate("", subject[:NAME_MAX], Source(subject, "", text))
        return await self._open(campaign_id, owner, template, found)

    async def _open(self, campaign_id: str, owner: str, template: StoredTemplate, found: list[Recipient]) -> Campaign:
        async with self._database.reading() as session:
            # A hundred thousand addresses take seconds, in which the worker must go on renewing its leases.
            await asyncio.to_thread(audience.check_addresses, found)
            await audience.check_suppressed(session, found)
        # Those to be sent come first, so that a range of positions is a part.
        found.sort(key=lambda one: one.status != "pending")
        to_send = sum(one.status == "pending" for one in found)
        try:
            await self._write(campaign_id, owner, template, found, to_send)
        except IntegrityError:
            # A worker that has lost this job's lease in the meantime was quicker.
            opened = await self.find(campaign_id)
            if opened is None:
                raise
            return opened
        return Campaign(campaign_id, owner, template.source, len(found), to_send)

    async def _write(
        self, campaign_id: str, owner: str, template: StoredTemplate, found: list[Recipient], to_send: int
    ) -> None:
        table = Base.metadata.tables["deliveries"]
        row = CampaignRow(
            campaign_id=campaign_id,
            owner=owner,
            template_id=template.template_id,
            name=template.name,
            subject=template.source.subject,
            html=template.source.html,
            text=template.source.text,
            recipients=len(found),
            to_send=to_send,
        )
        async with self._database.writing() as session:
            session.add(row)
            await session.flush()
            for start in range(0, len(found), BATCH):
                batch = [
                    self._delivery(campaign_id, position, one)
                    for position, one in enumerate(found[start : start + BATCH], start + 1)
                ]
                await session.execute(insert(table), batch)

    def _delivery(self, campaign_id: str, position: int, one: Recipient) -> dict[str, Any]:
        return {
            "campaign_id": campaign_id,
            "position": position,
            "user_id": one.user_id,
            "email": one.email,
            "address": one.address,
            "status": one.status,
            "claims": 0,
            "tries": 0,
            "smtp_text": one.reason,
            "message_id": message_id(campaign_id, one.user_id, self._sender),
            "changed_at": utc_now(),
        }

    async def addressees(self, campaign_id: str, positions: Sequence[int]) -> list[Addressee]:
        """Addresses and Message-IDs of these deliveries, in order."""
        wanted = (Delivery.campaign_id == campaign_id) & Delivery.position.in_(positions)
        async with self._database.reading() as session:
            rows = list(await session.scalars(select(Delivery).where(wanted).order_by(Delivery.position)))
        return [Addressee(row.position, deliverable(row.email or ""), row.message_id) for row in rows]

    def file_url(self, job_id: str, name: str) -> str:
        """Address of a job's finished file for recipients, who have no API key: signed, and good for LINK_DAYS."""
        ticket = self._tickets.issue(job_id, int(time.time()) + LINK_DAYS * 86_400, name)
        return f"{self._links.base_url}/api/jobs/{quote(job_id)}/files/{quote(name)}?ticket={quote(ticket)}"

    def status_url(self, job_id: str, hours: int) -> str:
        """Address of a job's status page for a person without a login: signed, and good for so many hours from now."""
        return self._links.base_url + page_path(self._tickets.issue(job_id, int(time.time()) + hours * 3_600))

    async def letters(self, campaign_id: str, positions: Sequence[int]) -> list[Letter]:
        """Data of the messages to these deliveries. One whose user was removed since is skipped for good."""
        wanted = (Delivery.campaign_id == campaign_id) & Delivery.position.in_(positions)
        statement = select(Delivery, User).join(User, User.id == Delivery.user_id).where(wanted)
        async with self._database.reading() as session:
            rows = (await session.execute(statement.order_by(Delivery.position))).all()
        gone = set(positions) - {delivery.position for delivery, _ in rows}
        if gone:
            await self._skip(campaign_id, sorted(gone))
        return [self._letter(delivery, user) for delivery, user in rows]

    async def _skip(self, campaign_id: str, positions: Sequence[int]) -> None:
        async with self._database.writing() as session:
            await session.execute(
                update(Delivery)
                .where(
                    Delivery.campaign_id == campaign_id, Delivery.position.in_(positions), Delivery.status == "pending"
                )
                .values(status="skipped", smtp_text="the user was removed since", changed_at=utc_now())
            )

    def _letter(self, delivery: Delivery, user: User) -> Letter:
        variables = {name: getattr(user, name) for name in USER_FIELDS}
        # The address that was checked when the campaign was opened, whatever the user has changed it to since.
        email = delivery.email or user.email
        return Letter(
            position=delivery.position,
            address=deliverable(email),
            user=variables | {"email": email},
            message_id=delivery.message_id,
            unsubscribe_url=self._links.url(user.id),
        )

    async def counts(self, campaign_id: str) -> dict[str, int]:
        """Deliveries by status; statuses that none has are left out."""
        statement = select(Delivery.status, func.count().label("number")).where(Delivery.campaign_id == campaign_id)
        async with self._database.reading() as session:
            rows = await session.execute(statement.group_by(Delivery.status))
            return {row.status: row.number for row in rows}

    async def report(self, campaign_id: str) -> AsyncIterator[dict[str, Any]]:
        """One row a recipient, in order of their positions."""
        last = 0
        while True:
            statement = select(Delivery).where(Delivery.campaign_id == campaign_id, Delivery.position > last)
            async with self._database.reading() as session:
                rows = list(await session.scalars(statement.order_by(Delivery.position).limit(PAGE)))
            for row in rows:
                yield _report_row(row)
            if len(rows) < PAGE:
                return
            last = rows[-1].position


def _report_row(row: Delivery) -> dict[str, Any]:
    return {
        "user_id": row.user_id if row.user_id >= 0 else None,
        "email": row.email,
        "outcome": row.status,
        "smtp_code": row.smtp_code,
        "smtp_text": row.smtp_text,
        "message_id": row.message_id,
        "time": row.changed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
