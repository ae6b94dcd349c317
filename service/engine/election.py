"""`Election`: at most one process of the installation leads at a time, by a key in Redis that expires."""

import contextlib
import secrets

from redis.exceptions import RedisError

from service.engine.redis.client import Client

KEY = "offload:caretaker"
"""String: the leader. Expires unless renewed."""

TERM_S = 10.0
"""A leader that falls silent is replaced after this long."""


class Election:
    """One process's candidacy."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.me = secrets.token_hex(8)

    async def won(self) -> bool:
        """True where this process leads for the next TERM_S seconds."""
        term_ms = int(TERM_S * 1000)
        if await self.redis.set(KEY, self.me, nx=True, px=term_ms):
            return True
        if await self.redis.get(KEY) != self.me.encode():
            return False
        return bool(await self.redis.pexpire(KEY, term_ms))

    async def resign(self) -> None:
        """Let another process be elected immediately."""
        with contextlib.suppress(RedisError, OSError):
            if await self.redis.get(KEY) == self.me.encode():
                await self.redis.delete(KEY)
