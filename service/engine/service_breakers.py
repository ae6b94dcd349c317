"""Pauses of external services: an operator's, and that of the breaker, which many failures in a row open.

A job that asks for a paused service is put back without spending a try (`ServicePaused`), and comes back when the pause is over, or
as it is removed.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from service.engine import service_keys as keys
from service.engine.holds import Hold, hold
from service.engine.redis.client import Client
from service.engine.sealing import SEALING
from service.engine.store.breakers import BreakerState, read_breaker
from service.engine.store.errors import LeaseLost
from service.engine.store.scripts import Script
from service.engine.worker.error_fingerprint import kind_of
from service.engine.worker.failures import cause, sentence
from service.lib.clock import now_ms
from service.lib.outages import outage_of
from service.lib.text import with_stop
from tasks.sdk.errors import ChildDied, MemoryCeiling, Permanent, RetryLater, ServicePaused

RETURN = Script("return_parked")

RETURNED_AT_ONCE = 500
"""Parked jobs that one script call brings back: some milliseconds of the server's time."""

NOT_THE_SERVICE = (Permanent, RetryLater, LeaseLost, ChildDied, MemoryCeiling)
"""Errors within a use that say nothing about the service: of the input, of its own patience, of this machine."""


class UseEnded(NamedTuple):
    """End of a use: `completed`, `failed`, or empty where it says nothing about the service."""

    outcome: str
    print: str = ""
    problem: str = ""


def use_ended(error: BaseException | None, timed_out: Callable[[], bool]) -> UseEnded:
    """The end of a use that `error` has left. `timed_out()` is true where the attempt's time was over within it."""
    if error is None:
        return UseEnded("completed")
    why = cause(error)
    if isinstance(why, asyncio.CancelledError):
        return (
            UseEnded("failed", "timed out", "no answer within the attempt's time limit")
            if timed_out()
            else UseEnded("")
        )
    if not isinstance(why, Exception) or isinstance(why, NOT_THE_SERVICE) or outage_of(error):
        return UseEnded("")
    return UseEnded("failed", kind_of(why), sentence(why)[:500] if SEALING.keyring is None else type(why).__name__)


def share() -> float:
    """A number from 0 to 1, which spreads the return of jobs."""
    return random.random()


def paused(name: str, wait_ms: int, kind: bytes, raw: bytes) -> ServicePaused:
    """The error of a refused use, in the words of the script that refused it."""
    if kind == b"pause":
        held = msgspec.json.decode(raw, type=Hold, strict=False)
        reason = f"{held.by} paused it: {held.reason}"
    else:
        reason = _opened(raw).hold(now_ms()).reason
    return ServicePaused(wait_ms / 1000, with_stop(f"Waits for the service {name}, which is paused. {reason}"))


def _opened(raw: bytes) -> BreakerState:
    state = read_breaker(raw)
    assert state is not None
    return state


class ServicePauses:
    """Pauses of services, for operators and readers."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def pause(self, name: str, *, reason: str, by: str, until_ms: int | None = None) -> None:
        """Let no further use begin. Raises ValueError where no reason is given or the end is in the past."""
        value = msgspec.json.encode(hold(reason, by, until_ms))
        await self.redis.hset(keys.service_state(name), "pause", value)

    async def resume(self, name: str) -> None:
        """Remove an operator's pause and that of the breaker, and let the jobs that wait come back."""
        pipe = self.redis.pipeline(transaction=True)
        pipe.hdel(keys.service_state(name), "pause", "breaker", "failing")
        pipe.delete(keys.service_failing(name))
        await pipe.execute()
        await self.return_parked(name)

    async def return_parked(self, name: str) -> None:
        """Let the jobs that wait for a service come back now, a little apart."""
        while await RETURN(self.redis, name, RETURNED_AT_ONCE):
            pass

    async def all(self) -> dict[str, Hold | None]:
        """Services that were ever used, each with the pause that is in force."""
        names = sorted(name.decode() for name in await self.redis.smembers(keys.SERVICES))
        found = await self.of(names)
        return {name: found.get(name) for name in names}

    async def of(self, names: Sequence[str]) -> dict[str, Hold]:
        """The pauses that are in force, by service. An operator's stands before that of the breaker."""
        pipe = self.redis.pipeline(transaction=False)
        for name in names:
            pipe.hmget(keys.service_state(name), "pause", "breaker")
        found: dict[str, Hold] = {}
        for name, (raw, raw_breaker) in zip(names, await pipe.execute(), strict=True):
            breaker, at_ms = read_breaker(raw_breaker), now_ms()
            held = msgspec.json.decode(raw, type=Hold, strict=False) if raw else None
            if held is not None and not held.over(at_ms):
                found[name] = held
            elif breaker is not None:
                found[name] = breaker.hold(at_ms)
        return found

    async def waited_for_by(self, job_id: str) -> str:
        """The paused service that a job waits for; empty where it waits for none."""
        names = sorted(name.decode() for name in await self.redis.smembers(keys.SERVICES))
        pipe = self.redis.pipeline(transaction=False)
        for name in names:
            pipe.zscore(keys.service_parked(name), job_id)
        scores = await pipe.execute() if names else []
        return next((name for name, score in zip(names, scores, strict=True) if score is not None), "")
