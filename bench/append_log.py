"""What `appendfsync always` costs the embedded queue server against `everysec`: writes a second and their latency.

Run: `python -m bench.append_log [folder]`. The folder decides the disk. One write is a script call that adds a hash
field and a sorted-set member, about what accepting a job writes.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from service.supervisor.valkey import EmbeddedValkey

WRITE = "redis.call('HSET', KEYS[1], 'payload', ARGV[1]); return redis.call('ZADD', KEYS[2], 1, ARGV[2])"
PAYLOAD = "x" * 400
WRITES = 4000


async def one_after_another(redis: Redis, writes: int, latencies_ms: list[float], name: str) -> None:
    """`writes` writes on one connection, each waiting for its answer; appends each latency in ms."""
    for number in range(writes):
        started = time.perf_counter()
        await redis.eval(WRITE, 2, f"job:{name}:{number}", "queue", PAYLOAD, f"{name}:{number}")
        latencies_ms.append((time.perf_counter() - started) * 1000)


async def measure(folder: Path, fsync: Literal["always", "everysec"], clients: int) -> tuple[str, ...]:
    """One row of the table: policy, clients, writes a second, p50, p95, max in ms."""
    async with EmbeddedValkey(folder / f"{fsync}-{clients}", fsync=fsync) as server:
        redis = Redis.from_url(server.url)
        latencies_ms: list[float] = []
        started = time.perf_counter()
        await asyncio.gather(
            *(one_after_another(redis, WRITES // clients, latencies_ms, f"{client}") for client in range(clients))
        )
        rate = len(latencies_ms) / (time.perf_counter() - started)
        await redis.aclose()
    p95 = statistics.quantiles(latencies_ms, n=20)[-1]
    figures = (statistics.median(latencies_ms), p95, max(latencies_ms))
    return (fsync, str(clients), f"{rate:,.0f}", *(f"{figure:.2f}" for figure in figures))


async def main() -> None:
    """Print one table."""
    table = Table("appendfsync", "connections", "writes/s", "p50 ms", "p95 ms", "max ms", title="Append-only log")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for clients in (1, 20, 100):
            for fsync in ("everysec", "always"):
                table.add_row(*await measure(Path(folder), fsync, clients))  # type: ignore[arg-type]  # a literal of the loop
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
