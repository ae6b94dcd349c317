"""Jobs that wait on a server which is not their queue's any more: no worker of the present settings looks there."""

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.redis.places import places_of
from settings.amounts import counted

log = structlog.get_logger("offload")


class LeftBehind(NamedTuple):
    """Jobs of a queue, waiting and running, on another server than the queue's."""

    queue: str
    jobs: int
    server: str

    @property
    def sentence(self) -> str:
        """One sentence that says what to do (docs/scaling.md), without its full stop."""
        wait = "waits" if self.jobs == 1 else "wait"
        return (
            f"{counted(self.jobs, 'job')} of the queue {self.queue} {wait} on {self.server}, where none of its workers looks: "
            "start one with the settings of before until they are done"
        )


async def left_behind(redis: Client) -> Sequence[LeftBehind]:
    """Jobs that are left of queues that have moved, on the servers that answer."""
    known = places_of(redis)
    found = []
    for place in known.all:
        moved = [queue for queue in known.by_queue if queue not in place.queues]
        pipe = place.client.pipeline(transaction=False)
        for queue in moved:
            # The queue's own sorted set: what waits and what runs.
            pipe.zcard(queue)
        try:
            numbers = await pipe.execute() if moved else []
        except (RedisError, OSError):
            continue
        words = place.server or "the main server"
        found += [LeftBehind(queue, jobs, words) for queue, jobs in zip(moved, numbers, strict=True) if jobs]
    return found


async def warn_of_left_behind(redis: Client) -> None:
    """Log it, once, as a process starts."""
    for one in await left_behind(redis):
        log.warning("queue.jobs_left_behind", queue=one.queue, jobs=one.jobs, server=one.server, reason=one.sentence)
