"""Limits of plans where they are counted in the queue server: waiting jobs, and allowances by time."""

import math
from collections.abc import Awaitable, Callable
from datetime import timedelta

from service.engine.rate_limiter import GCRA
from service.engine.redis.client import Client
from service.engine.store.errors import OverLimit
from service.engine.store.permits import ahead_us
from service.engine.store.script_inputs import Permits
from settings.plans import NO_LIMITS, Limits

LimitsOf = Callable[[str], Awaitable[Limits]]
"""Limits of an owner by its name."""

MINUTE_S, HOUR_S = 60, 3600

NEVER = -1
"""Answer of the script where so many permits are never to be had at once."""


async def without_plans(owner: str) -> Limits:
    """Limits of every owner in a part that runs without plans: none."""
    return NO_LIMITS


class Allowance:
    """An owner's uses by time: up to `limit` at once, and `limit` in each `window_s` seconds from then on.

    The limit stands in the name: with a new one the owner starts with nothing used.
    """

    def __init__(self, kind: str, owner: str, limit: int, window_s: int) -> None:
        self.limit = limit
        self.name = f"{kind}:{owner}:{limit}"
        self.interval_us = math.ceil(window_s * 1_000_000 / limit)

    async def take(self, redis: Client, count: int = 1) -> int:
        """Take `count` uses. Returns 0, or the milliseconds until so many are to be had, NEVER where they never are."""
        return int(await GCRA(redis, self.name, self.interval_us, 0, self.limit, count))

    async def used(self, redis: Client) -> int:
        """Uses that count at present."""
        return min(self.limit, math.ceil(await ahead_us(redis, self.name) / self.interval_us))

    def permits(self, count: int) -> Permits:
        """The same as a job takes it with its acceptance."""
        return Permits(self.name, self.interval_us, self.limit, count)


def requests_of(owner: str, limits: Limits) -> Allowance | None:
    """The owner's API requests; None without a limit."""
    limit = limits.values.requests_per_minute
    return Allowance("requests", owner, limit, MINUTE_S) if limit else None


def mails_of(owner: str, limits: Limits) -> Allowance | None:
    """The owner's messages; None without a limit."""
    limit = limits.values.mails_per_hour
    return Allowance("mails", owner, limit, HOUR_S) if limit else None


def over_requests(limits: Limits, wait_ms: int) -> OverLimit:
    """The refusal of one request too many."""
    wait_s = max(1, math.ceil(wait_ms / 1000))
    return OverLimit(f"{limits.allows('requests_per_minute')}; there is room again in {wait_s} s", wait_s)


def over_mails(limits: Limits, count: int, wait_ms: int) -> OverLimit:
    """The refusal of a job that sends `count` messages."""
    sends = f"this job sends {count:,}"
    if wait_ms == NEVER:
        return OverLimit(f"{limits.allows('mails_per_hour')} and {sends}: ask for fewer at a time", HOUR_S)
    wait_s = max(1, math.ceil(wait_ms / 1000))
    return OverLimit(
        f"{limits.allows('mails_per_hour')} and {sends}; there is room for them in {timedelta(seconds=wait_s)} h",
        wait_s,
    )
