"""Keys of an owner, besides its jobs: those that bear its name, and entries under it in shared ones."""

from collections import Counter
from collections.abc import Collection

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import keys

BY_OWNER = ("idempotency", "unique", "debounce", "throttle", "replace", "rerun", "rate:requests", "rate:mails")
"""Kinds of keys whose second part is the owner."""


class OwnerKeys:
    """Removes them. Each step may be done again."""

    def __init__(self, redis: Client, owners: Collection[str], job_ids: Collection[str]) -> None:
        self.redis, self.owners, self.job_ids = redis, owners, job_ids
        self.removed: Counter[str] = Counter()
        self._beginnings = tuple(f"{keys.PREFIX}{kind}:{owner}:" for kind in BY_OWNER for owner in owners)
        self._endings = tuple(f":{owner}" for owner in owners)

    async def remove(self) -> Counter[str]:
        """Remove all; returns the numbers by kind."""
        async for raw in self.redis.scan_iter(match=f"{keys.PREFIX}*", count=1_000):
            await self._examine(raw.decode("utf-8", "surrogateescape"))
        return self.removed

    async def _examine(self, key: str) -> None:
        kind, _, rest = key.removeprefix(keys.PREFIX).partition(":")
        if key.startswith(self._beginnings):
            await self._delete(key, "request keys")
        elif kind == "owner" and any(rest == f"{owner}:{state}" for owner in self.owners for state in State):
            await self._delete(key, "indexes")
        elif kind in ("deadlines", "starts", "held", "parked") and rest.endswith(self._endings):
            await self._delete(key, "limits")
        elif kind == "fair":
            self.removed["indexes"] += await self.redis.zrem(key, *(f"owner:{owner}" for owner in self.owners))
        elif kind == "error":
            await self._error_group(key, rest)
        elif key in (keys.USAGE, keys.USAGE_TAKEN):
            await self._fields(key)
        else:
            await self._record(key, kind, rest)

    async def _record(self, key: str, kind: str, rest: str) -> None:
        """A key whose content names the owner."""
        if kind == "workflow" and (await self.redis.hget(key, "owner") or b"").decode() in self.owners:
            await self._delete(key, "workflows")
        elif kind == "operation":
            words = (await self.redis.hget(key, "words") or b"").decode()
            if any(owner in words.split() for owner in self.owners):
                await self.redis.delete(keys.operation_ids(rest))
                await self.redis.zrem(keys.OPERATIONS, rest)
                await self._delete(key, "operations")

    async def _fields(self, key: str) -> None:
        names = [raw.decode() for raw in await self.redis.hkeys(key)]
        mine = [name for name in names if name.split("|", 2)[-1] in self.owners]
        if mine:
            self.removed["use that was not in the database yet"] += await self.redis.hdel(key, *mine)

    async def _error_group(self, key: str, fingerprint: str) -> None:
        """The group's text is that of one of its jobs: of an erased one it is another's, or the group goes."""
        sample = (await self.redis.hget(key, "sample") or b"").decode()
        if sample not in self.job_ids:
            return
        others = await self.redis.zrange(keys.error_jobs(fingerprint), 0, 0)
        other = others[0].decode() if others else ""
        error = await self.redis.hget(keys.job(other), "error") if other else None
        if error is None:
            await self.redis.zrem(keys.ERRORS, fingerprint)
            await self._delete(key, "error groups")
        else:
            await self.redis.hset(key, mapping={"sample": other, "error": error})
            self.removed["error texts"] += 1

    async def _delete(self, key: str, kind: str) -> None:
        self.removed[kind] += await self.redis.delete(key)
