"""`ScanRecord`: how scans ended, for metrics and alerts, with the queue's state that all processes share."""

import contextlib
from dataclasses import dataclass

from redis.exceptions import RedisError

from service.documents.keys import INFECTED, SCANNER_AWAY, SCANS
from service.engine.redis.client import Client
from service.lib.clock import now_ms

KEEP_MS = 86_400_000
"""A day: longer than the window of any alert rule about it."""


@dataclass(frozen=True)
class Absence:
    """Since when, in ms since the epoch, and why the scanner gives no verdict."""

    since_ms: int
    reason: str


class ScanRecord:
    """Written with each scan. A scan's verdict holds where it cannot be recorded, so that errors of Redis are passed over."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def verdict(self, outcome: str) -> None:
        """Note a reply of the scanner: `clean`, `infected` or `too-long`. It is there."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.hincrby(SCANS, outcome, 1)
            await self._redis.delete(SCANNER_AWAY)

    async def failed(self, reason: str) -> None:
        """Note that there was no verdict."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.hincrby(SCANS, "failed", 1)
            await self._redis.hsetnx(SCANNER_AWAY, "since_ms", str(now_ms()))
            await self._redis.hset(SCANNER_AWAY, "reason", reason)

    async def found(self, file_id: str) -> None:
        """Note that a document was put in quarantine."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.zremrangebyscore(INFECTED, 0, now_ms() - KEEP_MS)
            await self._redis.zadd(INFECTED, {file_id: now_ms()})

    async def counts(self) -> dict[str, int]:
        """Scans by outcome since the queue server was first used."""
        found = await self._redis.hgetall(SCANS)
        return {outcome.decode(): int(number) for outcome, number in found.items()}

    async def absence(self) -> Absence | None:
        """The scanner's absence; None while it gives verdicts."""
        found = await self._redis.hgetall(SCANNER_AWAY)
        if not found:
            return None
        return Absence(int(found.get(b"since_ms", b"0")), found.get(b"reason", b"").decode())

    async def infected_since(self, from_ms: int) -> list[str]:
        """Ids of documents in which malware was found since then, oldest first."""
        return [file_id.decode() for file_id in await self._redis.zrangebyscore(INFECTED, from_ms, "+inf")]
