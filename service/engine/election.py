"""`Election`: at most one process of the installation leads at a time, for a term that it renews."""

import contextlib
import secrets

from redis.exceptions import RedisError

from service.engine.store import Store

TERM_S = 10.0
"""A leader that falls silent is replaced after this long."""


class Election:
    """One process's candidacy."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.me = secrets.token_hex(8)

    async def won(self) -> bool:
        """True where this process leads for the next TERM_S seconds."""
        return await self.store.leads(self.me, int(TERM_S * 1000))

    async def resign(self) -> None:
        """Let another process be elected immediately."""
        with contextlib.suppress(RedisError, OSError):
            await self.store.resigned(self.me)
