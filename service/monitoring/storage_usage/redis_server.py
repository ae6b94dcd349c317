"""State of the queue server itself."""

import statistics
import time
from dataclasses import dataclass

from service.engine.redis.client import Client

PINGS = 5
"""Round trips of which the median is shown: a single one is a coincidence."""


@dataclass(slots=True, frozen=True)
class ServerState:
    """Figures of INFO, and a measured round trip. `max_bytes` is 0 where the server has no bound of its own."""

    version: str
    used_bytes: int
    peak_bytes: int
    max_bytes: int
    policy: str
    fragmentation: float
    evicted_keys: int
    clients: int
    keys: int
    log_enabled: bool
    log_fine: bool
    log_bytes: int
    log_rewriting: bool
    round_trip_ms: float


async def server_state(redis: Client) -> ServerState:
    """Asks the server for everything at once."""
    info = await redis.info()
    took_ms = []
    for _ in range(PINGS):
        begun_s = time.perf_counter()
        await redis.ping()
        took_ms.append((time.perf_counter() - begun_s) * 1000)
    return ServerState(
        version=str(info.get("valkey_version") or info["redis_version"]),
        used_bytes=int(info["used_memory"]),
        peak_bytes=int(info["used_memory_peak"]),
        max_bytes=int(info["maxmemory"]),
        policy=str(info["maxmemory_policy"]),
        fragmentation=float(info["mem_fragmentation_ratio"]),
        evicted_keys=int(info["evicted_keys"]),
        clients=int(info["connected_clients"]),
        keys=await redis.dbsize(),
        log_enabled=bool(info["aof_enabled"]),
        log_fine=info.get("aof_last_write_status") == "ok" and info.get("aof_last_bgrewrite_status") == "ok",
        log_bytes=int(info.get("aof_current_size", 0)),
        log_rewriting=bool(info.get("aof_rewrite_in_progress")),
        round_trip_ms=statistics.median(took_ms),
    )
