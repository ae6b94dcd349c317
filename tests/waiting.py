"""Tests wait for conditions, never for times."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

from service.engine.states import State
from service.engine.store import Job, Store

T = TypeVar("T")

LIMIT_S = 60.0
"""A test that has waited so long has failed. Far above what a slow machine needs, so that it is never the measure."""


def poll_interval_s(since_s: float) -> float:
    """Seconds until the next look at a condition that has been waited for since that time: 20 ms, and 100 ms for what takes
    seconds, such as the start of a process, which would only be slower for being looked at all the time."""
    return min(max(0.02, (time.monotonic() - since_s) / 20), 0.1)


def wait_until(condition: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    """The first true value of `condition()`, asked every `poll_interval_s`. Raises AssertionError after `limit_s`."""
    since_s = time.monotonic()
    while not (value := condition()):
        assert time.monotonic() < since_s + limit_s, f"not within {limit_s:.0f} s: {condition}"
        time.sleep(poll_interval_s(since_s))
    return value


async def wait_until_async(condition: Callable[[], T | Awaitable[T]], limit_s: float = LIMIT_S) -> T:
    """As `wait_until`, for a coroutine function or a plain one, without blocking the event loop."""
    since_s = time.monotonic()
    while True:
        value = condition()
        answer = await value if isawaitable(value) else value
        if answer:
            return answer
        assert time.monotonic() < since_s + limit_s, f"not within {limit_s:.0f} s: {condition}"
        await asyncio.sleep(poll_interval_s(since_s))


async def until_state(store: Store, job_id: str, *states: State, limit_s: float = LIMIT_S) -> Job:
    """The job once it is in one of `states`; without any, once it has ended."""

    async def there() -> Job | None:
        job = await store.get(job_id)
        return job if job and (job.state in states or (not states and job.state.terminal)) else None

    job = await wait_until_async(there, limit_s)
    assert job is not None
    return job
