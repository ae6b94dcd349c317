"""Breakers in the audit log: no request opens or closes one, so no middleware writes it down."""

import contextlib

from service.engine.redis.away import QueueServerAway
from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from service.engine.store.breakers import events, forget_events
from service.monitoring.audit_log import Audit, AuditEntry, Target

AT_ONCE = 100
"""Events written in one go."""


class BreakerLog:
    """Writes down what happened to breakers."""

    def __init__(self, redis: Client, audit: Audit) -> None:
        self.redis = redis
        self.audit = audit

    async def write(self) -> None:
        """Move events from the queue server to the audit log. A death in between writes some of them twice, none never."""
        for place in places_of(self.redis).all:
            with contextlib.suppress(QueueServerAway):
                await self._write(place.client)

    async def _write(self, redis: Client) -> None:
        while found := await events(redis, AT_ONCE):
            for one in found:
                kind = "service" if one.service else "queue"
                words = f"{'1 job' if one.jobs == 1 else f'{one.jobs:,} jobs in a row'} failed: {one.error}"
                await self.audit.record(
                    AuditEntry(
                        actor="offload",
                        role="system",
                        action=f"{kind}.breaker-{one.what}",
                        target=Target(kind, one.service or one.queue),
                        owner="",
                        detail=words,
                    )
                )
            await forget_events(redis, len(found))
