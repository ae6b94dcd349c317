"""Schedules that owners make through the API: kept in Redis with the jobs that they begin, bounded per owner."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from service.engine.redis.client import Client
from service.engine.schedules import keys
from service.engine.schedules.records import NoSuchSchedule
from service.engine.sealing import SEALING
from settings.schedules import CatchUp, Overlap, Schedule

PER_OWNER = 100
"""More than people keep in their heads, few enough that one owner cannot slow the ticker, which reads all every two seconds."""


SEALED_AS = ("schedules", "owned")
"""Context that an encrypted schedule is bound to."""


class NameTaken(Exception):
    """The owner has a schedule of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a schedule named {name[:80]} already")


class TooManySchedules(Exception):
    """The owner is at its bound."""

    def __init__(self) -> None:
        super().__init__(f"an owner keeps at most {PER_OWNER} schedules: delete one first")


class OwnedSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as an owner made it. Exactly one of `cron` and `every_s` is set; times in ms."""

    schedule_id: str
    owner: str
    name: str
    job: str
    payload: dict[str, Any]
    created_ms: int
    cron: str = ""
    every_s: int | None = None
    zone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.ONCE
    jitter_s: int = 0
    ends: datetime | None = None
    callback_url: str = ""

    def schedule(self) -> Schedule:
        """The schedule that the ticker works with, under its id: names are unique only within an owner."""
        return Schedule(
            self.schedule_id,
            self.cron,
            self.job,
            self.payload,
            self.zone,
            self.overlap,
            self.catch_up,
            every_s=self.every_s,
            anchor_ms=self.created_ms,
            jitter_s=self.jitter_s,
            ends=self.ends,
            owner=self.owner,
            title=self.name,
            callback_url=self.callback_url,
        )


def new_schedule_id() -> str:
    """An id that no other schedule has, and no declared one: 64 random bits."""
    return f"schedule-{secrets.token_hex(8)}"


class OwnedSchedules:
    """One hash of all of them, read whole: a few hundred bytes each, some thousands at the most."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis

    async def all(self) -> Sequence[OwnedSchedule]:
        """Every schedule, oldest first."""
        raws = await self.redis.hvals(keys.OWNED)
        return sorted((_read(raw) for raw in raws), key=lambda one: (one.created_ms, one.schedule_id))

    async def of(self, owner: str) -> Sequence[OwnedSchedule]:
        """One owner's, oldest first."""
        return [one for one in await self.all() if one.owner == owner]

    async def get(self, schedule_id: str, owner: str | None = None) -> OwnedSchedule:
        """One schedule. Raises NoSuchSchedule where there is none, or it is another owner's."""
        raw = await self.redis.hget(keys.OWNED, schedule_id)
        found = _read(raw) if raw else None
        if found is None or owner not in (None, found.owner):
            raise NoSuchSchedule(schedule_id)
        return found

    async def add(self, one: OwnedSchedule) -> None:
        """Keep a new schedule. Raises NameTaken or TooManySchedules; two at the same moment cannot both take a name."""
        async with self.redis.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.OWNED)
            others = [other for raw in await pipe.hvals(keys.OWNED) if (other := _read(raw)).owner == one.owner]
            if any(other.name == one.name for other in others):
                raise NameTaken(one.name)
            if len(others) >= PER_OWNER:
                raise TooManySchedules
            pipe.multi()
            pipe.hset(keys.OWNED, one.schedule_id, SEALING.seal(msgspec.json.encode(one).decode(), *SEALED_AS))
            await pipe.execute()

    async def remove(self, schedule_id: str, owner: str | None = None) -> None:
        """Forget a schedule with its runs; jobs that it began stay. Raises NoSuchSchedule."""
        await self.get(schedule_id, owner)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.hdel(keys.OWNED, schedule_id)
            pipe.delete(keys.schedule(schedule_id), keys.schedule_order(schedule_id), keys.schedule_runs(schedule_id))
            await pipe.execute()


def _read(raw: bytes) -> OwnedSchedule:
    return msgspec.json.decode(SEALING.open(raw, *SEALED_AS), type=OwnedSchedule)
