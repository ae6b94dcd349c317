"""State of a rate, as take_permits.lua keeps it."""

from service.engine.redis.client import Client
from service.engine.store import keys


async def ahead_us(redis: Client, name: str) -> int:
    """Microseconds by which the permits taken so far reach into the future; 0 where all are free again."""
    pipe = redis.pipeline(transaction=False)
    pipe.get(keys.permits(name))
    pipe.time()
    arrival, (seconds, micros) = await pipe.execute()
    return max(0, int(arrival or 0) - (int(seconds) * 1_000_000 + int(micros)))
