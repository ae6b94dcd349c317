"""Dead letters by cause: groups under an error's fingerprint, each with a life of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from service.engine.redis.client import Client
from service.engine.sealing import SEALING
from service.engine.store import keys
from service.lib.encryption import Unreadable

GroupState = Literal["open", "ignored", "resolved", "regressed"]

FORGOTTEN_MS = 30 * 86_400_000
"""An empty group that was last seen a month ago is forgotten."""

GROUPS_MAX = 1_000
"""Groups kept at most: messages that defy fingerprinting must not fill Redis."""


@dataclass(slots=True, frozen=True)
class ErrorGroup:
    """One cause. `seen` counts every dead letter it ever made, `waiting` those that are there now. Times in ms."""

    fingerprint: str
    type: str
    queue: str
    error: str
    error_type: str
    first_ms: int
    last_ms: int
    seen: int
    waiting: int
    sample: str
    life: GroupState


class ErrorGroups:
    """Reads the groups and changes their lives."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def list(self, limit: int = 200) -> list[ErrorGroup]:
        """Groups, last seen first, in two round trips."""
        prints = [p.decode() for p in await self.redis.zrevrange(keys.ERRORS, 0, limit - 1)]
        return [group for group in await self._get_many(prints) if group is not None]

    async def get(self, fingerprint: str) -> ErrorGroup | None:
        """One group, or None."""
        return (await self._get_many([fingerprint]))[0]

    async def _get_many(self, fingerprints: Sequence[str]) -> Sequence[ErrorGroup | None]:
        pipe = self.redis.pipeline(transaction=False)
        for fingerprint in fingerprints:
            pipe.hgetall(keys.error_group(fingerprint))
            pipe.zcard(keys.error_jobs(fingerprint))
        answers = await pipe.execute()
        return [
            _group(fingerprint, raw, waiting) if raw else None
            for fingerprint, raw, waiting in zip(fingerprints, answers[::2], answers[1::2], strict=True)
        ]

    async def live(self, fingerprint: str, life: GroupState) -> None:
        """Set a group's state. A resolved one that is seen again becomes regressed automatically."""
        if await self.redis.exists(keys.error_group(fingerprint)):
            await self.redis.hset(keys.error_group(fingerprint), "life", life)

    async def jobs(self, fingerprint: str, limit: int = 50) -> Sequence[str]:
        """Ids of the group's dead letters, newest first."""
        return [job_id for _, job_id in await self.newest(fingerprint, limit)]

    async def newest(self, fingerprint: str, limit: int) -> Sequence[tuple[float, str]]:
        """(creation stamp, id) of the group's dead letters, newest first."""
        rows = await self.redis.zrevrange(keys.error_jobs(fingerprint), 0, limit - 1, withscores=True)
        return [(stamp, job_id.decode()) for job_id, stamp in rows]

    async def forget(self, at_ms: int) -> int:
        """Forget groups that are empty and old, and the oldest empty ones above the bound. Returns how many went."""
        old = await self.redis.zrangebyscore(keys.ERRORS, "-inf", at_ms - FORGOTTEN_MS, start=0, num=100)
        surplus = await self.redis.zcard(keys.ERRORS) - GROUPS_MAX
        if surplus > 0:
            old += await self.redis.zrange(keys.ERRORS, 0, min(surplus, 100) - 1)
        gone = 0
        for fingerprint in {p.decode() for p in old}:
            if not await self.redis.zcard(keys.error_jobs(fingerprint)):
                await self.redis.zrem(keys.ERRORS, fingerprint)
                gone += await self.redis.delete(keys.error_group(fingerprint))
        return gone


def _group(fingerprint: str, raw: dict[bytes, bytes], waiting: int) -> ErrorGroup:
    text = {name.decode(): value.decode() for name, value in raw.items()}
    return ErrorGroup(
        fingerprint=fingerprint,
        type=text["type"],
        queue=text["queue"],
        error=_error(text["error"], text["sample"]),
        error_type=text["error_type"],
        first_ms=int(text["first_ms"]),
        last_ms=int(text["last_ms"]),
        seen=int(text["seen"]),
        waiting=waiting,
        sample=text["sample"],
        life=_life(text.get("life", "open")),
    )


def _error(text: str, job_id: str) -> str:
    """Text of the group, which is that of one of its jobs."""
    try:
        return SEALING.open(text, job_id, "error")
    except Unreadable as error:
        return str(error)


def _life(word: str) -> GroupState:
    return next(life for life in get_args(GroupState) if life == word)
