"""Breakers of queues and services: their state and events, as the scripts note them (breaker.lua, service_breaker.lua)."""

from typing import NamedTuple

import msgspec

from service.engine.holds import REASON_MAX, Hold
from service.engine.redis.client import Client
from service.engine.store import keys

BREAKER = "breaker"
"""`by` of a pause that a breaker has set."""


class BreakerBounds(NamedTuple):
    """`jobs` in a row with one error open a breaker for `wait_ms`; 0 of them: it never opens."""

    jobs: int = 0
    wait_ms: int = 0


NO_BREAKERS = BreakerBounds()


class BreakerState(msgspec.Struct, frozen=True):
    """An open breaker. Times in ms since the epoch."""

    print: str
    error: str
    jobs: int
    since_ms: int
    until_ms: int
    wait_ms: int
    canary: str = ""

    def hold(self, at_ms: int) -> Hold:
        """The pause that it is for readers; without an end while a single job is tried."""
        tried = f"{self.canary} is tried alone" if self.canary else "the next job is tried alone"
        if self.until_ms > at_ms:
            tried = "then one job is tried alone"
        jobs = "1 job" if self.jobs == 1 else f"{self.jobs:,} jobs in a row"
        words = f"{jobs} failed with one error, and no try is spent on it; {tried}: {self.error}"
        until_ms = self.until_ms if self.until_ms > at_ms else None
        return Hold(words[:REASON_MAX], BREAKER, self.since_ms, until_ms)


class BreakerEvent(msgspec.Struct, frozen=True):
    """A breaker that was opened or closed: a queue's or a service's."""

    what: str
    error: str
    jobs: int
    at_ms: int
    queue: str = ""
    service: str = ""


def read_breaker(raw: bytes | None) -> BreakerState | None:
    """The state in a queue's record, or None where its breaker is closed."""
    return msgspec.json.decode(raw, type=BreakerState, strict=False) if raw else None


async def events(redis: Client, count: int) -> list[BreakerEvent]:
    """Events of breakers that are still kept, oldest first."""
    rows = await redis.lrange(keys.BREAKER_EVENTS, 0, count - 1)
    return [msgspec.json.decode(row, type=BreakerEvent, strict=False) for row in rows]


async def forget_events(redis: Client, count: int) -> None:
    """Forget the oldest `count` events, which have been written down elsewhere."""
    await redis.ltrim(keys.BREAKER_EVENTS, count, -1)
