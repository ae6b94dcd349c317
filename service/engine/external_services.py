"""`ServiceGate`: external services that several job types share, bounded over all workers by rate and by uses at once.

A service that fails again and again pauses (service_breakers.py).
"""

import asyncio
import contextlib
import math
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError

from service.engine import service_keys as keys
from service.engine.holds import Hold
from service.engine.rate_limiter import AWAY_S, WINDOW_S
from service.engine.redis.client import Client
from service.engine.service_breakers import ServicePauses, UseEnded, paused, share, use_ended
from service.engine.store.breakers import NO_BREAKERS, BreakerBounds
from service.engine.store.counters import Counters, Row
from service.engine.store.scripts import Script
from service.lib.async_tasks import end
from service.lib.clock import now_ms
from settings.queues import Queue, QueueSettings
from settings.services import NO_BOUNDS, SMTP, ServiceLimits
from tasks.sdk.errors import ServicePaused
from tasks.sdk.types import check_service

log = structlog.get_logger("offload.services")

USE = Script("use_service")
LEAVE = Script("leave_service")

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
    """Uses that wait for the bounds, and jobs that were put back as the service is paused."""
    last_minute: int
    """Uses that began in the last whole minute."""
    last_hour: int
    pause: Hold | None = None


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
        self,
        redis: Client,
        services: Mapping[str, ServiceLimits],
        queues: Mapping[Queue, QueueSettings],
        breakers: BreakerBounds = NO_BREAKERS,
    ) -> None:
        self.redis = redis
        self.breakers = breakers
        self.pauses = ServicePauses(redis)
        self.services = services
        self.queues = queues
        # One question at a time from this process for each service, and its waiters are served in the order they came.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextlib.asynccontextmanager
    async def use(
        self,
        name: str,
        holder: str,
        *,
        root: str = "",
        rated: bool = True,
        timed_out: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[None]:
        """Use a service within the block; waits until its bounds allow it. Raises ValueError for a bad name, and ServicePaused.

        `holder` is the job's id, `root` that of the job whose part it is. Without `rated` the caller keeps the service's rate
        itself, and notices itself when the service fails. `timed_out()` is true where a cancellation ends the attempt's time.
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
        job = holder if rated else ""
        try:
            async with self._turns[name]:
                await self._begin(name, (*request, job, share()))
            renewing = asyncio.create_task(self._renew(name, (*request, "", 0)))
            yield
        except BaseException as error:
            # What ends the wait for the bounds says nothing about the service.
            ended = use_ended(error, timed_out) if rated and renewing else UseEnded("")
            refused = await self._end(name, use, ended, job, root or job, renewing)
            if refused:
                raise refused from error
            raise
        else:
            await self._end(name, use, UseEnded("completed" if rated else ""), job, root or job, renewing)

    async def _begin(self, name: str, request: tuple[str | float, ...]) -> None:
        while True:
            wait_ms, *refused = await self._ask(name, request)
            if wait_ms == 0:
                return
            if refused:
                raise paused(name, *refused)
            await asyncio.sleep(wait_ms / 1000)

    async def _ask(self, name: str, request: tuple[str | float, ...]) -> Sequence[Any]:
        """The script's answer (use_service.lua). Waits while Redis is away: nothing counts then."""
        warned = False
        while True:
            try:
                answer: Sequence[Any] = await USE(self.redis, *request)
                return answer
            except (RedisError, OSError) as error:
                if not warned:
                    log.warning("service.redis_away", service=name, error=str(error))
                    warned = True
                await asyncio.sleep(AWAY_S)

    async def _renew(self, name: str, request: tuple[str | float, ...]) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._ask(name, request)

    async def _end(
        self, name: str, use: str, ended: UseEnded, job: str, root: str, renewing: asyncio.Task[None] | None
    ) -> ServicePaused | None:
        """End a use. Returns the error of a job that is to be put back."""
        if renewing:
            await end(renewing)
        leaving = self._leave(name, use, ended.outcome, job, root, ended.print, ended.problem)
        # While Redis is away the lease ends alone.
        with contextlib.suppress(RedisError, OSError):
            return await asyncio.shield(leaving)
        return None

    async def _leave(self, name: str, use: str, *ended: str) -> ServicePaused | None:
        answer, *refused = await LEAVE(self.redis, name, use, *ended, *self.breakers, share())
        if refused:
            log.warning("service.paused", service=name, error=ended[-1])
            return paused(name, *refused)
        if answer == 1:
            log.info("service.open_again", service=name)
            await self.pauses.return_parked(name)
        return None

    async def list(self) -> list[ServiceUse]:
        """Services that the settings name or that were ever used, by name."""
        used = {name.decode() for name in await self.redis.smembers(keys.SERVICES)}
        names = sorted(used | set(self.services) | {SMTP})
        pauses = await self.pauses.of(names)
        return [await self._seen(name, pauses.get(name)) for name in names]

    async def _seen(self, name: str, pause: Hold | None) -> ServiceUse:
        at_ms = now_ms()
        minutes = [at_ms // 60_000 - ago for ago in range(1, HOUR_MINUTES + 1)]
        pipe = self.redis.pipeline(transaction=False)
        pipe.zcount(keys.service(name), at_ms, "+inf")
        pipe.zcount(keys.service_waiting(name), at_ms, "+inf")
        pipe.zcount(keys.service_parked(name), at_ms, "+inf")
        pipe.mget([keys.service_used(name, minute) for minute in minutes])
        under_way, waiting, parked, counts = await pipe.execute()
        began = [int(count or 0) for count in counts]
        mail = await self._mailed(minutes) if name == SMTP else []
        for at, row in enumerate(mail):
            began[at] += sum(int(value) for field, value in row.items() if field.startswith(b"mail_"))
        bounds = bounds_of(name, self.services, self.queues)
        return ServiceUse(name, bounds, under_way, waiting + parked, began[0], sum(began), pause)

    async def _mailed(self, minutes: Sequence[int]) -> Sequence[Row]:
        """Counts of the mail queue by minute: campaigns count their messages there, by their results."""
        rows, _ = await Counters(self.redis).spans("minute", str(Queue.EMAIL_SENDER), minutes, minutes[0])
        return rows
