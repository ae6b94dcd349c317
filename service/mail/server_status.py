"""The mail server's absence: noted once for all workers, tried again by one of them at a time, and shown to operators.

A server is absent when it takes no message of ours, for any recipient: it cannot be reached, refuses the login, or
refuses the sender. One worker then tries again after each pause, with one login; the others wait for what it finds.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.lib.clock import now_ms
from service.mail.keys import PROBE, SERVER
from tasks.ports.mail import MailServerAway

log = structlog.get_logger("offload.mail")

FIRST_PAUSE_S = 2.0
"""Before an absent server is tried again; each further pause is twice as long."""

LONGEST_PAUSE_S = 60.0
"""A server that is back is found within a minute, and a wrong password costs a login a minute."""

PROBE_S = 60.0
"""For a probe: every step of opening a connection has its own timeout, and the rate may have to be waited for."""

ANOTHER_TRIES_S = 2.0
"""Before the result of another worker's probe is asked for."""

KEEP_S = 180.0
"""An absence is forgotten so long after its next try was due: nothing is being sent any more."""

RENEWED_S = 2.0
"""Interval of noting that messages are taken, so that a worker which finds no free connection reports no absence."""


@dataclass(slots=True, frozen=True)
class Absence:
    """Since when and why the server takes no messages; the times in ms since the epoch."""

    reason: str
    since_ms: int
    next_ms: int
    tries: int

    @property
    def since(self) -> str:
        return f"{datetime.fromtimestamp(self.since_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"

    @property
    def due(self) -> bool:
        """True once it is time for another try."""
        return now_ms() >= self.next_ms

    @property
    def advice(self) -> str:
        """Remedy for an operator."""
        return advice(self.reason)

    @property
    def sentence(self) -> str:
        """Reason, time since then, and remedy."""
        return f"the mail server takes no messages since {self.since}: {self.reason.rstrip('.')}. {self.advice}"

    def away(self, retry_s: float | None = None) -> MailServerAway:
        """The error that ends an attempt to send, with the time until the next one is worth while."""
        left_s = (self.next_ms - now_ms()) / 1000
        return MailServerAway(self.sentence, max(0.5, left_s if retry_s is None else retry_s))


_ADVICE = (
    (r"^(?:530|534|535|538)\b|5\.7\.(?:8|9|57)\b|\blogin\b|password", "Check user name and password in OFFLOAD_SMTP_URL."),
    (r"limit|quota|5\.4\.[56]\b|throttl", "The provider's limit is used up: sending goes on when it is lifted."),
    (r"certificate|STARTTLS|TLS", "Check the server's certificate, and the scheme and port in OFFLOAD_SMTP_URL."),
    (r"no mail server is configured", "Set OFFLOAD_SMTP_URL and restart."),
    (r"^\d{3}\b", "Check that the server lets OFFLOAD_MAIL_FROM send."),
    (r"", "Check that the server runs and that OFFLOAD_SMTP_URL names it."),
)  # fmt: skip


def advice(reason: str) -> str:
    """Remedy of a refusal for an operator; campaigns go on once it is done."""
    return next(words for pattern, words in _ADVICE if re.search(pattern, reason, re.IGNORECASE))


class ServerStatus:
    """View of the server by this process, and the record that all share."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._absence: Absence | None = None
        self._has_read = False
        self._probing: asyncio.Event | None = None
        self._written_s = 0.0

    async def read(self) -> Absence | None:
        """The absence that is on record."""
        found = await self._redis.hgetall(SERVER)
        if not found:
            return None
        reason, since, due, tries = (found.get(name, b"0") for name in (b"reason", b"since_ms", b"next_ms", b"tries"))
        return Absence(reason.decode(), int(since), int(due), int(tries))

    async def admit(self) -> bool:
        """Leave to talk to the server; True makes the caller the one that tries an absent one, and must `end_probe`.

        Raises MailServerAway until the next try is due, and where another process is at it.
        """
        while self._probing is not None:
            await self._probing.wait()
        if self._absence is None and self._has_read:
            return False
        # Others of this process wait from here on: one question, and one login, for all of them.
        self._probing = asyncio.Event()
        probe = False
        try:
            probe = await self._may_probe()
        finally:
            if not probe:
                self.end_probe()
        return probe

    async def _may_probe(self) -> bool:
        try:
            self._absence, self._has_read = await self.read(), True
            if self._absence is None:
                return False
            if self._absence.due:
                if await self._redis.set(PROBE, b"1", nx=True, px=round(PROBE_S * 1000)):
                    return True
                raise self._absence.away(ANOTHER_TRIES_S)
        except (RedisError, OSError):
            # Nothing is sent while Redis is away: the rate is counted there. So this is not the place to wait for it.
            return self._absence is not None
        raise self._absence.away()

    async def check(self) -> None:
        """Raises MailServerAway where the next try is not due: nothing need be prepared for sending."""
        if self._absence is not None and not self._absence.due:
            raise self._absence.away()

    async def refused(self, reason: str, *, probe: bool) -> MailServerAway:
        """Note that the server takes nothing from us. Returns the error to raise."""
        if self._absence is None or probe:
            before = self._absence or await self._recorded()
            tries = (before.tries if before else 0) + 1
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (tries - 1))
            since_ms = before.since_ms if before else now_ms()
            self._absence = Absence(reason, since_ms, now_ms() + round(pause_s * 1000), tries)
            log.warning("mail.server_away", reason=reason, since=self._absence.since, tries=tries, pause_s=pause_s)
            await self._write(self._absence, pause_s)
        return self._absence.away()

    async def _recorded(self) -> Absence | None:
        try:
            return await self.read()
        except (RedisError, OSError):
            return None

    async def _write(self, absence: Absence, pause_s: float) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hset(SERVER, mapping={"reason": absence.reason, "next_ms": absence.next_ms, "tries": absence.tries})
        pipe.hsetnx(SERVER, "since_ms", str(absence.since_ms))
        pipe.pexpire(SERVER, round((pause_s + KEEP_S) * 1000))
        pipe.delete(PROBE)
        try:
            await pipe.execute()
        except (RedisError, OSError):
            log.info("mail.server_away_not_shared")

    async def accepted(self) -> None:
        """Note that the server takes our messages."""
        if self._absence is None and time.monotonic() - self._written_s < RENEWED_S:
            return
        if self._absence is not None:
            log.info("mail.server_back", away_since=self._absence.since)
        self._absence, self._has_read, self._written_s = None, True, time.monotonic()
        try:
            await self._redis.delete(SERVER, PROBE)
        except (RedisError, OSError):
            log.info("mail.server_back_not_shared")

    def end_probe(self) -> None:
        """Let the others of this process go on."""
        if self._probing is not None:
            self._probing.set()
            self._probing = None
