"""`ServiceGate`: external services that several job types share, bounded over all workers by rate and by uses at once."""

import asyncio
import contextlib
import math
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from service.engine import service_keys as keys
from service.engine.rate_limiter import AWAY_S, WINDOW_S
from service.engine.redis.client import Client
from service.engine.store.counters import Counters, Row
from service.engine.store.scripts import Script
from service.lib.async_tasks import end
from service.lib.clock import now_ms
from settings.queues import Queue, QueueSettings
from settings.services import NO_BOUNDS, SMTP, ServiceLimits
from tasks.sdk.types import check_service

log = structlog.get_logger("offload.services")

USE = Script("use_service")

LEASE_MS = 30_000
"""So long a use counts whose worker has died: three renewals that fail, and no more."""

RENEW_S = 10.0

POLL_MS = 200
"""Pause between two questions while as many uses are under way as may be."""

HOUR_MINUTES = 60


@dataclass(frozen=True)
class ServiceUse:
    """A service's present use and its bounds."""

    name: str
    bounds: ServiceLimits
    under_way: int
    waiting: int
    last_minute: int
    """Uses that began in the last whole minute."""
    last_hour: int


def bounds_of(name: str, services: Mapping[str, ServiceLimits], queues: Mapping[Queue, QueueSettings]) -> ServiceLimits:
    """Bounds of a service. The mail server has the rate of its queue (settings/load.py sees to it that there is one)."""
    bounds = services.get(name, NO_BOUNDS)
    if name == SMTP:
        return bounds.model_copy(update={"rate_per_minute": queues[Queue.EMAIL_SENDER].rate_per_minute})
    return bounds


def rate_name(name: str) -> str:
    """Name of a service's rate: all that is mailed keeps one, from every sender."""
    return str(Queue.EMAIL_SENDER) if name == SMTP else f"service:{name}"


class ServiceGate:
    """Begins and ends uses, and counts them."""

    def __init__(
        self, redis: Client, services: Mapping[str, ServiceLimits], queues: Mapping[Queue, QueueSettings]
    ) -> None:
        self.redis = redis
        self.services = services
        self.queues = queues
        # One question at a time from this process for each service, and its waiters are served in the order they came.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextlib.asynccontextmanager
    async def use(self, name: str, holder: str, *, rated: bool = True) -> AsyncIterator[None]:
        """Use a service within the block; waits until its bounds allow it. Raises ValueError for a bad name.

        Without `rated` the caller keeps the service's rate itself.
        """
        check_service(name)
        bounds = bounds_of(name, self.services, self.queues)
        rate = bounds.rate_per_minute if rated else 0
        interval_us = math.ceil(WINDOW_S * 1_000_000 / rate) if rate else 0
        # Two uses of one attempt are two.
        use = f"{holder} {secrets.token_hex(4)}"
        request = (
            name,
            use,
            rate_name(name),
            interval_us,
            round(WINDOW_S * 1_000_000),
            bounds.at_once,
            LEASE_MS,
            POLL_MS,
        )
        renewing: asyncio.Task[None] | None = None
        try:
            async with self._turns[name]:
                await self._begin(name, request)
            renewing = asyncio.create_task(self._renew(name, request))
            yield
        finally:
            if renewing:
                await end(renewing)
            # While Redis is away the lease ends alone.
            with contextlib.suppress(RedisError, OSError):
                await asyncio.shield(self._leave(name, use))

    async def _begin(self, name: str, request: tuple[str | int, ...]) -> None:
        while True:
            wait_ms = await self._ask(name, request)
            if not wait_ms:
                return
            await asyncio.sleep(wait_ms / 1000)

    async def _ask(self, name: str, request: tuple[str | int, ...]) -> int:
        """0 once the use is under way, or when to ask again in ms. Waits while Redis is away: nothing counts then."""
        warned = False
        while True:
            try:
                return int(await USE(self.redis, *request))
            except (RedisError, OSError) as error:
                if not warned:
                    log.warning("service.redis_away", service=name, error=str(error))
                    warned = True
                await asyncio.sleep(AWAY_S)

    async def _renew(self, name: str, request: tuple[str | int, ...]) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._ask(name, request)

    async def _leave(self, name: str, use: str) -> None:
        pipe = self.redis.pipeline(transaction=True)
        pipe.zrem(keys.service(name), use)
        pipe.zrem(keys.service_waiting(name), use)
        await pipe.execute()

    async def list(self) -> list[ServiceUse]:
        """Services that the settings name or that were ever used, by name."""
        used = {name.decode() for name in await self.redis.smembers(keys.SERVICES)}
        return [await self._seen(name) for name in sorted(used | set(self.services) | {SMTP})]

    async def _seen(self, name: str) -> ServiceUse:
        at_ms = now_ms()
        minutes = [at_ms // 60_000 - ago for ago in range(1, HOUR_MINUTES + 1)]
        pipe = self.redis.pipeline(transaction=False)
        pipe.zcount(keys.service(name), at_ms, "+inf")
        pipe.zcount(keys.service_waiting(name), at_ms, "+inf")
        pipe.mget([keys.service_used(name, minute) for minute in minutes])
        under_way, waiting, counts = await pipe.execute()
        began = [int(count or 0) for count in counts]
        mail = await self._mailed(minutes) if name == SMTP else []
        for at, row in enumerate(mail):
            began[at] += sum(int(value) for field, value in row.items() if field.startswith(b"mail_"))
        bounds = bounds_of(name, self.services, self.queues)
        return ServiceUse(name, bounds, under_way, waiting, began[0], sum(began))

    async def _mailed(self, minutes: Sequence[int]) -> Sequence[Row]:
        """Counts of the mail queue by minute: campaigns count their messages there, by their results."""
        rows, _ = await Counters(self.redis).spans("minute", str(Queue.EMAIL_SENDER), minutes, minutes[0])
        return rows
