"""Sends messages: a connection, leave from the limiter, the claim, the handover, the verdict."""

import asyncio
import contextlib
from email.utils import parseaddr

import structlog
from aiosmtplib import SMTP

from service.engine.rate_limiter import Permit, RateLimiter
from service.mail.counters import Measures
from service.mail.deliveries import DeliveryRows
from service.mail.delivery_updates import Claim
from service.mail.send_journal import abandoned, discard
from service.mail.smtp_pool import CONNECTIONS, Connection, Connections, mail_server
from service.mail.smtp_replies import UNKNOWN_TEXT, Verdict, later, verdict_of
from service.mail.smtp_transaction import InDoubt, NotHandedOver, Reply, hand_over
from tasks.mail.message import for_data
from tasks.ports.mail import MailServerAway

log = structlog.get_logger("offload.mail")

PATIENCE_S = 5.0
"""How long a job that is told to stop waits for the message in hand. Its delivery is settled later if that is not enough,
or by whoever comes next if this process ends first."""


class SmtpMailer:
    """Sends through one server, for all jobs of this process."""

    def __init__(
        self,
        smtp_url: str | None,
        sender: str,
        deliveries: DeliveryRows,
        limiter: RateLimiter,
        measures: Measures,
        connections: int = CONNECTIONS,
    ) -> None:
        self.sender = sender
        self._envelope_sender = parseaddr(sender)[1]
        self._connections = Connections(mail_server(smtp_url), connections) if smtp_url else None
        self._deliveries = deliveries
        self._limiter = limiter
        self._measures = measures
        self._in_hand: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._swept = False

    async def send(self, campaign_id: str, position: int, address: str, content: bytes) -> None:
        """Send one message. Raises MailServerAway. Cancelling the waits changes nothing.

        Returns with the server's answer; the delivery is settled in the transaction that claims the next one, or some
        milliseconds later, and `settled` waits for it.
        """
        if self._connections is None:
            raise MailServerAway("no mail server is configured: set OFFLOAD_SMTP_URL")
        await self._sweep()
        connection = await self._connections.borrow()
        try:
            client = await connection.ready()
            permit = await self._limiter.permit()
        except BaseException:
            self._connections.give_back(connection)
            raise
        delivery = self._deliver(connection, client, permit, campaign_id, position, address, for_data(content))
        in_hand = asyncio.create_task(delivery)
        self._in_hand.add(in_hand)
        in_hand.add_done_callback(lambda done: self._ended(connection, done))
        try:
            await asyncio.shield(in_hand)
        except asyncio.CancelledError:
            # Between the dot and the answer there is nothing to be cancelled any more.
            await asyncio.wait({in_hand}, timeout=PATIENCE_S)
            raise

    def _ended(self, connection: Connection, done: "asyncio.Task[None]") -> None:
        self._in_hand.discard(done)
        if self._connections is not None:
            self._connections.give_back(connection)
        if not done.cancelled() and (error := done.exception()):
            log.error("a message could not be dealt with", error=str(error))

    async def _deliver(
        self,
        connection: Connection,
        client: SMTP,
        permit: Permit,
        campaign_id: str,
        position: int,
        address: str,
        data: bytes,
    ) -> None:
        claim = await self._deliveries.claim(campaign_id, position)
        if claim is None:
            return
        try:
            if not permit.fresh:
                await self._limiter.permit()
            verdict = await self._offer(connection, client, claim, address, data)
        except BaseException:
            # The connection is closed by now: whether the dot was sent, the journal knows.
            await self._deliveries.settle(claim, self._interrupted(claim))
            raise
        settling = asyncio.create_task(self._deliveries.settle(claim, verdict, in_no_hurry=True))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        log.info("message", delivery=claim.key, status=verdict.status, code=verdict.code, text=verdict.text)
        self._measures.count(verdict.status)

    async def _offer(self, connection: Connection, client: SMTP, claim: Claim, address: str, data: bytes) -> Verdict:
        try:
            try:
                reply = await self._hand_over(client, claim, address, data)
            except NotHandedOver as error:
                # A kept connection may have been closed by the server at any time; a fresh one settles the matter.
                log.info("connection lost before the message was sent", delivery=claim.key, error=str(error))
                connection.drop()
                client = await connection.ready()
                # The server may have counted the first one.
                await self._limiter.permit()
                reply = await self._hand_over(client, claim, address, data)
        except (NotHandedOver, MailServerAway) as error:
            return later(None, str(error), claim.tries)
        except InDoubt as error:
            log.warning("in doubt", delivery=claim.key, error=str(error))
            return Verdict("unknown", text=f"{UNKNOWN_TEXT}: {error}", tries=claim.tries)
        return verdict_of(reply, claim.tries)

    async def _hand_over(self, client: SMTP, claim: Claim, address: str, data: bytes) -> Reply:
        journal = self._deliveries.journal
        reply = await hand_over(client, self._envelope_sender, address, data, lambda: journal.dot_follows(claim.key))
        # Without the note the answer still goes to the database; it would only be missed if this process died before.
        with contextlib.suppress(OSError):
            journal.answered(claim.key, reply)
        return reply

    def _interrupted(self, claim: Claim) -> Verdict:
        dotted = self._deliveries.journal.testimony.dotted
        if claim.key in dotted:
            return Verdict("unknown", text=UNKNOWN_TEXT, tries=claim.tries)
        return Verdict("pending", text="interrupted before it was sent", tries=claim.tries)

    async def _sweep(self) -> None:
        """Remove journals of the dead that no delivery refers to any more."""
        if self._swept:
            return
        self._swept = True
        folder = self._deliveries.journal.folder
        for journal_id in await asyncio.to_thread(lambda: list(abandoned(folder))):
            if not await self._deliveries.claims_of(journal_id):
                discard(folder, journal_id)

    async def settled(self) -> None:
        """Wait until every message that was sent so far is settled, and counted."""
        # One turn, in which deliveries whose message has just been answered hand in what became of it.
        await asyncio.sleep(0)
        self._deliveries.writes.hurry()
        if self._settling:
            await asyncio.wait(set(self._settling))
        await self._measures.flush()

    async def close(self) -> None:
        """Settle what is in hand, then part from the server."""
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=PATIENCE_S)
        for task in list(self._in_hand):
            task.cancel()
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=PATIENCE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.settled(), PATIENCE_S)
        for task in list(self._settling):
            task.cancel()
        if self._connections is not None:
            await self._connections.close()
        await self._deliveries.close()
        await self._measures.close()
