"""`Timeline`: records of one kind in order of time, bounded in number and age."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from service.engine.redis.client import Client
from service.engine.store.small_writes import write_small

DAY_MS = 86_400_000

Record = TypeVar("Record", bound=msgspec.Struct)


class Timeline(Generic[Record]):
    """Records under one key, each by its time (ms). The oldest over `count` and those older than `keep_ms` go."""

    def __init__(self, redis: Client, key: str, kind: type[Record], count: int, keep_ms: int) -> None:
        self.redis = redis
        self.key = key
        self.kind = kind
        self.count = count
        self.keep_ms = keep_ms

    def add_to(self, pipe: Any, record: Record, at_ms: int) -> None:
        """Add a record in the caller's pipeline."""
        pipe.zadd(self.key, {msgspec.json.encode(record): at_ms})
        pipe.zremrangebyscore(self.key, "-inf", at_ms - self.keep_ms)
        pipe.zremrangebyrank(self.key, 0, -self.count - 1)

    async def add(self, record: Record, at_ms: int) -> None:
        """Add a record, also where the server has no memory for jobs."""
        pipe = self.redis.pipeline(transaction=True)
        self.add_to(pipe, record, at_ms)
        await write_small(self.redis, pipe)

    async def between(self, first_ms: int, last_ms: float, limit: int) -> Sequence[Record]:
        """Records of the span, both ends included, newest first."""
        rows = await self.redis.zrevrangebyscore(self.key, last_ms, first_ms, start=0, num=limit)
        return [msgspec.json.decode(row, type=self.kind) for row in rows]

    async def last(self, at_ms: int) -> Record | None:
        """The newest record that is not later than a moment."""
        found = await self.between(0, at_ms, 1)
        return found[0] if found else None
