"""Deliveries one by one: claimed before sending, settled after the server's answer.

    pending ─claim→ sending ─settle→ sent, bounced (5xx), failed, pending again (4xx with a time, server absent), unknown
    pending → suppressed, skipped, failed (no message could be written)
    unknown → sent, bounced, failed (a late answer), pending (an operator asks for it)

The rule: a claim is one conditional update, so two workers never send the same delivery. A claim left behind by a dead
worker is judged by its journal: no dot was sent, so the delivery is pending again; an answer had come, so it is settled
with that; the dot was sent and no answer noted, or there is no evidence, so it is `unknown` and is not sent again unless
an operator asks for it. Every try bears the same Message-ID.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from service.database import Database, Delivery
from service.database.column_types import utc_now
from service.lib.outages import outage_of
from service.lib.reminder import Reminder
from service.mail.delivery_updates import Claim, Settled, Wanted, claim_many, settle_many
from service.mail.group_commit import GroupedWrites
from service.mail.send_journal import Journal, JournalState, abandoned, discard, evidence_of
from service.mail.smtp_replies import UNKNOWN_TEXT, DeliveryResult, result_of
from service.mail.smtp_transaction import Reply
from tasks.ports.mail import Outstanding

log = structlog.get_logger("offload.mail")

EVIDENCE_S = 60.0
"""A claim whose worker may still live is left alone this long; then it is in doubt. A worker that lost its lease settles
within seconds, and what it settles later still counts."""

RETRY_S = 1.0
"""Pause between tries to settle while the database is away. The journal has the answer in the meantime."""


class DeliveryRows:
    """The rows, and the journal that this process's claims refer to."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._writes = GroupedWrites(database)
        self._journal = Journal(folder)
        self._away = Reminder()

    async def claim(self, campaign_id: str, position: int) -> Claim | None:
        """Claim a delivery for sending, now. None where it is no longer pending or its address is suppressed by now."""
        self._journal.start()
        claim = await self._writes.run(claim_many, Wanted(campaign_id, position, self._journal.id))
        if claim is not None:
            self._journal.begin(claim.key)
        return claim

    async def settle(self, claim: Claim, result: DeliveryResult, *, in_no_hurry: bool = False) -> None:
        """Write the outcome of a claim; waits for the database for as long as that takes.

        What is in no hurry goes with the next claim, whose message is therefore never sent before this is settled.
        """
        while True:
            try:
                await self._writes.run(settle_many, Settled(claim, result), in_no_hurry=in_no_hurry)
            except (SQLAlchemyError, OSError) as error:
                if self._away.due():
                    outage = outage_of(error)
                    log.warning(
                        "mail.database_away", delivery=claim.key, reason=outage.sentence if outage else str(error)
                    )
                await asyncio.sleep(RETRY_S)
            else:
                self._away.over()
                self._journal.settled(claim.key)
                return

    def record_dot(self, claim: Claim) -> None:
        """Note that the next thing this process does is to send the final dot of this delivery."""
        self._journal.dot_follows(claim.key)

    def record_reply(self, claim: Claim, reply: Reply) -> None:
        """Note the server's reply, for the case that this process dies before it is settled."""
        # Where it cannot be written the reply still goes to the database.
        with contextlib.suppress(OSError):
            self._journal.answered(claim.key, reply)

    def dot_sent(self, claim: Claim) -> bool:
        """True once this process has sent the final dot of this delivery."""
        return claim.key in self._journal.state.dotted

    def flush(self) -> None:
        """Write what was submitted without hurry."""
        self._writes.hurry()

    async def sweep_journals(self) -> None:
        """Remove journals of dead processes that no delivery refers to any more."""
        folder = self._journal.folder
        for journal_id in await asyncio.to_thread(lambda: list(abandoned(folder))):
            if not await self._claims_of(journal_id):
                discard(folder, journal_id)

    async def due(self, campaign_id: str, positions: Sequence[int]) -> list[int]:
        """Those of `positions` that can be sent now, after claims left behind have been judged."""
        await self._recover(campaign_id, positions)
        statement = select(Delivery.position).where(
            _among(campaign_id, positions),
            Delivery.status == "pending",
            (Delivery.due_at.is_(None)) | (Delivery.due_at <= utc_now()),
        )
        async with self._database.reading() as session:
            return list(await session.scalars(statement.order_by(Delivery.position)))

    async def _recover(self, campaign_id: str, positions: Sequence[int]) -> None:
        async with self._database.reading() as session:
            left = list(
                await session.scalars(
                    select(Delivery).where(_among(campaign_id, positions), Delivery.status == "sending")
                )
            )
        found: dict[str, JournalState | None] = {}
        for row in left:
            claim = Claim(row.campaign_id, row.position, row.claims, row.tries)
            journal_id = row.claimed_by or ""
            if claim.key in self._journal.open_claims:
                continue
            if journal_id not in found:
                found[journal_id] = evidence_of(self._journal.folder, journal_id)
            result = judged(claim, found[journal_id], row.changed_at)
            if result is not None:
                log.info("mail.claim_recovered", delivery=claim.key, status=result.status)
                await self.settle(claim, result)

    async def outstanding(self, campaign_id: str, positions: Sequence[int]) -> Outstanding:
        """Number of `positions` that are not settled, and when the first of them can be tried."""
        statement = select(
            Delivery.status,
            Delivery.due_at,
            Delivery.changed_at,
            Delivery.smtp_code,
            Delivery.smtp_text,
            Delivery.tries,
        )
        async with self._database.reading() as session:
            rows = (
                await session.execute(
                    statement.where(_among(campaign_id, positions), Delivery.status.in_(("pending", "sending")))
                )
            ).all()
        if not rows:
            return Outstanding(0, 0.0, "")
        now = utc_now()
        waits = [
            (row.due_at or now) - now
            if row.status == "pending"
            else row.changed_at + timedelta(seconds=EVIDENCE_S) - now
            for row in rows
        ]
        first = min(range(len(rows)), key=waits.__getitem__)
        reply = f"{rows[first].smtp_code or ''} {rows[first].smtp_text or ''}".strip()
        reason = reply if rows[first].status == "pending" else "another worker may still be sending"
        return Outstanding(len(rows), max(0.0, waits[first].total_seconds()), reason, rows[first].tries)

    async def unsettled(self, campaign_id: str) -> list[int]:
        """Positions that are pending or being sent."""
        statement = select(Delivery.position).where(
            Delivery.campaign_id == campaign_id, Delivery.status.in_(("pending", "sending"))
        )
        async with self._database.reading() as session:
            return list(await session.scalars(statement.order_by(Delivery.position)))

    async def unsendable(self, campaign_id: str, position: int, reason: str) -> None:
        """Settle a pending delivery as failed."""
        which = (Delivery.campaign_id == campaign_id) & (Delivery.position == position)
        async with self._database.writing() as session:
            await session.execute(
                update(Delivery)
                .where(which, Delivery.status == "pending")
                .values(status="failed", smtp_text=reason, changed_at=utc_now())
            )

    async def reopen(self, campaign_id: str) -> list[int]:
        """Make the deliveries in doubt pending again; answers their positions."""
        in_doubt = update(Delivery).where(Delivery.campaign_id == campaign_id, Delivery.status == "unknown")
        # A new claim number: the worker that still holds the old claim can no longer settle it.
        values = {"status": "pending", "claims": Delivery.claims + 1, "due_at": None, "changed_at": utc_now()}
        async with self._database.writing() as session:
            return sorted(await session.scalars(in_doubt.values(values).returning(Delivery.position)))

    async def close(self) -> None:
        """Close the connection that claims and results go over, and the journal."""
        await self._writes.close()
        self._journal.close()

    async def _claims_of(self, journal_id: str) -> int:
        """Deliveries whose result only that journal may know."""
        statement = select(func.count()).where(Delivery.claimed_by == journal_id, Delivery.status == "sending")
        async with self._database.reading() as session:
            return await session.scalar(statement) or 0


def judged(claim: Claim, testimony: JournalState | None, claimed_at: datetime) -> DeliveryResult | None:
    """Result of a claim that another process left behind; None while it is too early to say."""
    if testimony is None:
        late = utc_now() - claimed_at >= timedelta(seconds=EVIDENCE_S)
        return DeliveryResult("unknown", text=UNKNOWN_TEXT) if late else None
    if claim.key not in testimony.dotted:
        return DeliveryResult("pending", text="the worker died before it was sent", tries=claim.tries)
    reply = testimony.dotted[claim.key]
    return result_of(reply, claim.tries) if reply else DeliveryResult("unknown", text=UNKNOWN_TEXT)


def _among(campaign_id: str, positions: Sequence[int]) -> ColumnElement[bool]:
    return (Delivery.campaign_id == campaign_id) & Delivery.position.in_(positions)
