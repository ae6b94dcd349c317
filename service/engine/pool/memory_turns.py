"""`MemoryTurns`: admission to a pool by memory: what its children should take together stays below a ceiling."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from service.engine.pool.sizing import RESERVE_MB
from tasks.sdk.memory_group import total_mb

MACHINE_SHARE = 0.75
"""Least share of the memory that children of one pool may take. Of much memory RESERVE_MB are left, as for their number."""


def default_ceiling_mb() -> int:
    """All but a gigabyte of the machine's memory, or of the container's where that is less; at least three quarters."""
    total = total_mb()
    return max(1, int(total * MACHINE_SHARE), total - RESERVE_MB)


@dataclass(eq=False)
class Grant:
    """Memory that a running task was admitted with; `seen_mb` is what its child holds at present."""

    mb: int
    seen_mb: int = 0
    ready: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def taken_mb(self) -> int:
        """The promise, or what the child has come to beyond that."""
        return max(self.mb, self.seen_mb)


class MemoryTurns:
    """Grants memory in the order of the requests: none overtakes, so a large task gets its turn when those before it end."""

    def __init__(self, ceiling_mb: int) -> None:
        self.ceiling_mb = ceiling_mb
        self.granted: set[Grant] = set()
        self.waiting: deque[Grant] = deque()

    @property
    def granted_mb(self) -> int:
        """Memory that running tasks were admitted with."""
        return sum(grant.mb for grant in self.granted)

    @contextlib.asynccontextmanager
    async def of(self, mb: int) -> AsyncIterator[Grant]:
        """Hold `mb` within the block; waits until it fits. One that is larger than the ceiling is admitted alone."""
        grant = Grant(max(1, min(mb, self.ceiling_mb)))
        self.waiting.append(grant)
        self._admit()
        try:
            await grant.ready
            yield grant
        finally:
            self.granted.discard(grant)
            with contextlib.suppress(ValueError):
                self.waiting.remove(grant)
            self._admit()

    def room_mb(self, grant: Grant) -> int:
        """Megabytes up to which the holder of `grant` may grow: what no other was promised or has taken."""
        return max(grant.mb, self.ceiling_mb - sum(one.taken_mb for one in self.granted if one is not grant))

    def _admit(self) -> None:
        while self.waiting and (not self.granted or self.granted_mb + self.waiting[0].mb <= self.ceiling_mb):
            grant = self.waiting.popleft()
            # Where many are cancelled at once, one that leaves finds others that have not run since: they take nothing.
            if not grant.ready.done():
                self.granted.add(grant)
                grant.ready.set_result(None)
