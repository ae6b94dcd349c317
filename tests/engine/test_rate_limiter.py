"""The rate over all processes: spacing, order, and that it is never exceeded."""

import asyncio
import math
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from service.engine.rate_limiter import GCRA, WINDOW_S, Permit, RateLimiter
from service.engine.redis.client import connect

ROOT = Path(__file__).parents[2]


def server_now_us(url: str) -> int:
    with redis.Redis.from_url(url) as plain:
        seconds, microseconds = plain.time()
    return seconds * 1_000_000 + microseconds


def widest(times_us: list[int], window_us: int) -> int:
    """The most moments in any window that is open at its end."""
    ordered = sorted(times_us)
    return max(sum(start <= moment < start + window_us for moment in ordered[i:]) for i, start in enumerate(ordered))


async def test_permits_from_many_waiters_keep_their_distance(client, redis_url) -> None:
    limiters = [RateLimiter(client, "spaced", per_minute=3000) for _ in range(4)]
    given: list[int] = []

    async def take(limiter: RateLimiter) -> None:
        for _ in range(10):
            await limiter.permit()
            stored = int(await client.get("offload:rate:spaced"))
            given.append(stored - limiter.interval_us)

    await asyncio.gather(*(take(limiter) for limiter in limiters))
    moments = sorted(set(given))
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) >= limiters[0].interval_us
    assert widest(moments, 60_000_000 * 10 // 3000) <= 10, "ten in the time of ten, at most"


async def test_processes_share_one_rate(redis_url: str) -> None:
    """Each process prints the server's time just after each permit; the permits themselves cannot be closer together."""
    script = (
        "import asyncio, sys\n"
        "from service.engine.rate_limiter import RateLimiter\n"
        "from service.engine.redis.client import connect\n"
        "async def main():\n"
        "    client = connect(sys.argv[1])\n"
        "    limiter = RateLimiter(client, 'shared', 1200)\n"
        "    for _ in range(12):\n"
        "        await limiter.permit()\n"
        "        print((await client.execute_command('INCR', 'taken')), flush=True)\n"
        "    await client.aclose(close_connection_pool=True)\n"
        "asyncio.run(main())\n"
    )
    begun = server_now_us(redis_url)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, redis_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    taken = []
    for process in processes:
        output, _ = await process.communicate()
        assert process.returncode == 0
        taken += [int(line) for line in output.split()]
    assert sorted(taken) == list(range(1, 37))
    interval_us = WINDOW_S * 1_000_000 / 1200
    assert server_now_us(redis_url) - begun >= 35 * interval_us, "36 permits span 35 intervals, in any process"


async def test_the_wait_is_exact_and_a_pause_is_not_made_up_for(client) -> None:
    limiter = RateLimiter(client, "exact", per_minute=6)
    interval_ms = math.ceil(limiter.interval_us / 1000)
    assert await concurrent_permits(limiter, client) == [0, interval_ms]
    stored = int(await client.get("offload:rate:exact"))
    await client.set("offload:rate:exact", stored - 50 * limiter.interval_us)
    answers = await concurrent_permits(limiter, client)
    assert answers == [0, interval_ms], "after fifty idle intervals one permit is due, not fifty"


async def concurrent_permits(limiter: RateLimiter, client) -> list[int]:
    """What two questions of the very same moment are told: within a transaction the server's clock stands still."""
    await client.script_load(GCRA.text)
    pipe = client.pipeline(transaction=True)
    for _ in range(2):
        await GCRA(pipe, limiter._name, limiter.interval_us, round(WINDOW_S * 1_000_000))
    return await pipe.execute()


async def test_a_clock_set_back_stops_nothing_for_long(client) -> None:
    limiter = RateLimiter(client, "clock", per_minute=600)
    await limiter._ask()
    stored = int(await client.get("offload:rate:clock"))
    await client.set("offload:rate:clock", stored + 3_600_000_000)
    _, wait_ms = await limiter._ask()
    assert 0 < wait_ms <= limiter.interval_us / 1000 + 1


async def test_a_permit_that_is_late_is_not_used(client, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RateLimiter(client, "late", per_minute=60_000)
    requested = []

    async def slow_then_quick() -> tuple[Permit, int]:
        requested.append(1)
        return Permit(sent_s=0.0 if len(requested) == 1 else time.monotonic()), 0

    monkeypatch.setattr(limiter, "_ask", slow_then_quick)
    assert (await limiter.permit()).fresh
    assert len(requested) == 2


async def test_waiting_can_be_cancelled_and_holds_nobody_up(client) -> None:
    slow = RateLimiter(client, "slow", per_minute=1)
    await slow.permit()
    waiting = asyncio.create_task(slow.permit())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not slow._turn.locked()


async def test_no_limit_asks_nobody() -> None:
    unreachable = connect("redis://127.0.0.1:1")
    limiter = RateLimiter(unreachable, "none", per_minute=0)
    permits = [await limiter.permit() for _ in range(100)]
    assert all(permit.fresh for permit in permits)
    await unreachable.aclose(close_connection_pool=True)
