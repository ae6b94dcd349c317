"""Error groups of several servers: one cause is one group, wherever its jobs stand."""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import replace

from service.engine.redis.away import or_else
from service.engine.redis.client import Client
from service.engine.store.error_groups import ErrorGroup, ErrorGroups, GroupState

WORST: Sequence[GroupState] = ("regressed", "open", "ignored", "resolved")
"""Of a group whose life differs, as after a server was away while it was changed, the first of these holds."""


class PlacedErrorGroups(ErrorGroups):
    """Groups of all servers, by fingerprint."""

    def __init__(self, redis: Client, each: Sequence[ErrorGroups]) -> None:
        super().__init__(redis)
        self.each = each

    async def list(self, limit: int = 200) -> list[ErrorGroup]:
        found = await asyncio.gather(*(or_else(groups.list(limit), []) for groups in self.each))
        merged: dict[str, ErrorGroup] = {}
        for group in (group for groups in found for group in groups):
            known = merged.get(group.fingerprint)
            merged[group.fingerprint] = together(known, group) if known else group
        return sorted(merged.values(), key=lambda group: -group.last_ms)[:limit]

    async def get(self, fingerprint: str) -> ErrorGroup | None:
        found = await asyncio.gather(*(or_else(groups.get(fingerprint), None) for groups in self.each))
        merged: ErrorGroup | None = None
        for group in found:
            merged = together(merged, group) if merged and group else merged or group
        return merged

    async def live(self, fingerprint: str, life: GroupState) -> None:
        await asyncio.gather(*(groups.live(fingerprint, life) for groups in self.each))

    async def newest(self, fingerprint: str, limit: int) -> Sequence[tuple[float, str]]:
        found = await asyncio.gather(*(or_else(groups.newest(fingerprint, limit), ()) for groups in self.each))
        return list(heapq.merge(*found, reverse=True))[:limit]

    async def forget(self, at_ms: int) -> int:
        return sum(await asyncio.gather(*(groups.forget(at_ms) for groups in self.each)))


def together(one: ErrorGroup, other: ErrorGroup) -> ErrorGroup:
    """Two servers' groups of one fingerprint as one."""
    last = max(one, other, key=lambda group: group.last_ms)
    return replace(
        last,
        first_ms=min(one.first_ms, other.first_ms),
        seen=one.seen + other.seen,
        waiting=one.waiting + other.waiting,
        life=min(one.life, other.life, key=WORST.index),
    )
