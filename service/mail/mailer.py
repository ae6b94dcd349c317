"""Sending: leave to try, a connection, a permit of the rate, the claim, the transaction, the result."""

import asyncio
import contextlib
from dataclasses import dataclass
from email.utils import parseaddr

import structlog
from aiosmtplib import SMTP

from service.engine.external_services import ServiceGate
from service.engine.rate_limiter import Permit, RateLimiter
from service.lib.outages import outage_of
from service.mail.counters import MailCounters
from service.mail.deliveries import DeliveryRows
from service.mail.delivery_updates import Claim
from service.mail.server_connections import ServerConnections
from service.mail.server_status import ServerStatus
from service.mail.smtp_pool import CONNECTIONS, Connection
from service.mail.smtp_replies import UNKNOWN_TEXT, DeliveryResult, later, refuses_sender, result_of
from service.mail.smtp_transaction import InDoubt, NotSent, Reply, transmit
from settings.mail import ATTACHMENT_MAX
from settings.services import NO_BOUNDS
from settings.services import SMTP as SMTP_SERVICE
from tasks.mail.message import for_data
from tasks.ports.mail import MailServerAway

log = structlog.get_logger("offload.mail")

STOP_WAIT_S = 5.0
"""Wait of a stopped job for the messages being sent. Their deliveries are settled later if that is not
enough, or by the next worker if this process ends first."""


@dataclass(slots=True)
class Sending:
    """One message on its way. `probe`: it is the one that tries an absent server."""

    connection: Connection
    permit: Permit
    claim: Claim
    address: str
    data: bytes
    probe: bool


class SmtpMailer:
    """Sends through one server, for all jobs of this process."""

    def __init__(
        self,
        smtp_url: str | None,
        sender: str,
        deliveries: DeliveryRows,
        limiter: RateLimiter,
        counters: MailCounters,
        status: ServerStatus,
        connections: int = CONNECTIONS,
        attachment_max: int = ATTACHMENT_MAX,
        gate: ServiceGate | None = None,
    ) -> None:
        self.sender = sender
        self.attachment_max = attachment_max
        self._envelope_sender = parseaddr(sender)[1]
        self._server = ServerConnections(smtp_url, status, connections)
        self._deliveries = deliveries
        self._limiter = limiter
        self._counters = counters
        # Without a bound on the connections of all workers there is nothing to ask Redis for.
        self._gate = gate if gate and gate.services.get(SMTP_SERVICE, NO_BOUNDS).at_once else None
        self._under_way: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._swept = False

    async def check(self) -> None:
        """Raises MailServerAway where nothing can be sent at present, without asking the server."""
        await self._server.check()

    async def size_max(self) -> int | None:
        """Bytes of a message that the server takes at most; None where it announces no limit, or is absent."""
        return await self._server.size_max()

    async def send(self, campaign_id: str, position: int, address: str, content: bytes) -> None:
        """Send one message. Raises MailServerAway. Cancelling the waits changes nothing.

        Returns with the server's answer; the delivery is settled in the transaction that claims the next one, or some
        milliseconds later, and `settled` waits for it.
        """
        if self._gate is None:
            await self._send(campaign_id, position, address, content)
            return
        async with self._gate.use(SMTP_SERVICE, f"{campaign_id} {position}", rated=False):
            await self._send(campaign_id, position, address, content)

    async def _send(self, campaign_id: str, position: int, address: str, content: bytes) -> None:
        await self._sweep()
        connection, probe = await self._server.borrow()
        try:
            permit = await self._limiter.permit()
        except BaseException:
            self._server.give_back(connection, probe)
            raise
        delivery = self._deliver(connection, permit, campaign_id, position, address, for_data(content), probe)
        sending = asyncio.create_task(delivery)
        self._under_way.add(sending)
        sending.add_done_callback(lambda done: self._finished(done, connection, probe))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Between the dot and the answer nothing can be cancelled any more.
            await asyncio.wait({sending}, timeout=STOP_WAIT_S)
            raise

    def _finished(self, done: "asyncio.Task[None]", connection: Connection, probe: bool) -> None:
        self._under_way.discard(done)
        self._server.give_back(connection, probe)
        error = None if done.cancelled() else done.exception()
        # An outage is told of by the attempt that it ends, not once for each message.
        if error is not None and not isinstance(error, MailServerAway) and outage_of(error) is None:
            log.error("mail.sending_failed", error=str(error))

    async def _deliver(
        self,
        connection: Connection,
        permit: Permit,
        campaign_id: str,
        position: int,
        address: str,
        data: bytes,
        probe: bool,
    ) -> None:
        claim = await self._deliveries.claim(campaign_id, position)
        if claim is None:
            return
        try:
            result = await self._offer(Sending(connection, permit, claim, address, data, probe))
        except MailServerAway as error:
            # The server has not taken it, and that is not this recipient's: no try is counted.
            await self._deliveries.settle(claim, DeliveryResult("pending", text=str(error), tries=claim.tries))
            raise
        except BaseException:
            # The connection is closed by now: whether the dot was sent, the journal knows.
            await self._deliveries.settle(claim, self._interrupted(claim))
            raise
        settling = asyncio.create_task(self._deliveries.settle(claim, result, in_no_hurry=True))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        log.info("mail.settled", delivery=claim.key, status=result.status, code=result.code, text=result.text)
        self._counters.count(result.status)

    async def _offer(self, sending: Sending) -> DeliveryResult:
        claim = sending.claim
        try:
            if not sending.permit.fresh:
                await self._limiter.permit()
            reply = await self._transact(sending)
        except NotSent as error:
            return later(None, str(error), claim.tries)
        except InDoubt as error:
            log.warning("mail.in_doubt", delivery=claim.key, error=str(error))
            return DeliveryResult("unknown", text=f"{UNKNOWN_TEXT}: {error}", tries=claim.tries)
        if refuses_sender(reply):
            raise await self._server.refused(f"{reply.code} {reply.text}", sending.probe)
        await self._server.accepted()
        return result_of(reply, claim.tries)

    async def _transact(self, sending: Sending) -> Reply:
        """The reply to one message; over a fresh connection where the server has enough of this one.

        A kept connection may have been closed at any time, and many servers take only so many messages over each.
        """
        connection, used = sending.connection, sending.connection.messages > 0
        try:
            reply = await self._transmit(await connection.ready(), sending)
        except NotSent as error:
            log.info("mail.connection_lost", delivery=sending.claim.key, error=str(error))
        else:
            if reply.step != "sender":
                connection.messages += 1
            if reply.step != "sender" or not refuses_sender(reply) or not used:
                return reply
            log.info("mail.connection_used_up", delivery=sending.claim.key, code=reply.code, text=reply.text)
        connection.drop()
        client = await self._server.reopened(connection, sending.probe)
        # The server may have counted the first one.
        await self._limiter.permit()
        reply = await self._transmit(client, sending)
        connection.messages += reply.step != "sender"
        return reply

    async def _transmit(self, client: SMTP, sending: Sending) -> Reply:
        deliveries, claim = self._deliveries, sending.claim
        reply = await transmit(
            client, self._envelope_sender, sending.address, sending.data, lambda: deliveries.record_dot(claim)
        )
        deliveries.record_reply(claim, reply)
        return reply

    def _interrupted(self, claim: Claim) -> DeliveryResult:
        if self._deliveries.dot_sent(claim):
            return DeliveryResult("unknown", text=UNKNOWN_TEXT, tries=claim.tries)
        return DeliveryResult("pending", text="interrupted before it was sent", tries=claim.tries)

    async def _sweep(self) -> None:
        """Remove journals of dead processes that no delivery refers to any more, once."""
        if not self._swept:
            self._swept = True
            await self._deliveries.sweep_journals()

    async def settled(self) -> None:
        """Wait until every message that was sent so far is settled, and counted."""
        # One turn, in which deliveries whose message has just been answered submit their results.
        await asyncio.sleep(0)
        self._deliveries.flush()
        if self._settling:
            await asyncio.wait(set(self._settling))
        await self._counters.flush()

    async def close(self) -> None:
        """Settle what is under way, then close the connections."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_WAIT_S)
        for task in list(self._under_way):
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_WAIT_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.settled(), STOP_WAIT_S)
        for task in list(self._settling):
            task.cancel()
        await self._server.close()
        await self._deliveries.close()
        await self._counters.close()
