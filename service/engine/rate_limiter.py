"""A rate that all workers keep together: so many permits a minute, evenly spaced, on the clock of the Redis server."""

import asyncio
import math
import time
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.store.scripts import Script

log = structlog.get_logger("offload.limiter")

GCRA = Script("rate_limit")

WINDOW_S = 61.0
"""N permits are spread over so long. The second beyond the minute is for what happens between a permit and its use: were
it exactly 60, a first message that the network holds up by 50 ms would be the N + 1st of the 60 s behind it."""

FRESH_S = 0.25
"""A permit must be used within this time. With it, at most a quarter of the spare second is lost on our side."""

AWAY_S = 0.5
"""Pause between tries while Redis is away: without it nothing may be sent, because nothing counts."""


@dataclass(slots=True, frozen=True)
class Permit:
    """Leave for one message, for a moment."""

    sent_s: float
    """By the monotonic clock: just before Redis was asked, so never later than the permit was given."""

    @property
    def fresh(self) -> bool:
        return time.monotonic() - self.sent_s < FRESH_S


class RateLimiter:
    """Gives out `per_minute` permits in any 60 s at most, over every process that uses `name`; 0 means no limit."""

    def __init__(self, redis: Client, name: str, per_minute: int) -> None:
        self._redis = redis
        self._name = name
        self.per_minute = per_minute
        # One question at a time from this process, and its waiters are served in the order they came.
        self._turn = asyncio.Lock()

    @property
    def interval_us(self) -> int:
        """Microseconds from one permit to the next."""
        return math.ceil(WINDOW_S * 1_000_000 / self.per_minute)

    async def permit(self) -> Permit:
        """Wait for leave to send one message. Cancelling the wait costs nothing."""
        if not self.per_minute:
            return Permit(time.monotonic())
        async with self._turn:
            while True:
                permit, wait_ms = await self._ask()
                if wait_ms:
                    await asyncio.sleep(wait_ms / 1000)
                elif permit.fresh:
                    return permit

    async def _ask(self) -> tuple[Permit, int]:
        """A permit and 0, or when to ask again in ms. Waits for as long as Redis is away."""
        warned = False
        while True:
            permit = Permit(time.monotonic())
            try:
                return permit, await GCRA(self._redis, self._name, self.interval_us, round(WINDOW_S * 1_000_000))
            except (RedisError, OSError) as error:
                if not warned:
                    log.warning("rate_limit.redis_away", rate=self._name, error=str(error))
                    warned = True
                await asyncio.sleep(AWAY_S)
