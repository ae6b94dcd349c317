"""Position of a waiting job: in its queue's fair order, under its queue's limit and under its queue's rate."""

from dataclasses import dataclass

from service.engine.redis.client import Client
from service.engine.redis.places import of_queue
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.records import Job


@dataclass(frozen=True)
class QueuePosition:
    """As the claim script would find it now. Times in milliseconds since the epoch.

    `ahead`: ready jobs that are claimed before this one; None while it is not ready. `own_ahead`: waiting jobs of its
    owner that are older, in all queues of its server. `running`: leases on the queue, which a limit counts.
    `rate_next_ms`: when a rate allows the next start; `permit_next_ms`: when the tasks' own rate allows the next message.
    """

    ahead: int | None
    own_ahead: int
    running: int
    rate_next_ms: float
    permit_next_ms: float


async def position_of(redis: Client, job: Job) -> QueuePosition:
    """Two round trips, of the same cost whatever waits."""
    # The tasks' own rate is one for all queues, and stands on the main server.
    permit_us = await redis.get(keys.permits(job.queue))
    pipe = of_queue(redis, job.queue).pipeline(transaction=False)
    # Ready jobs are scored years in the past, so that all that stand before one of them are ready too.
    pipe.zrank(job.queue, job.id)
    pipe.zcount(keys.by_owner(job.owner, State.QUEUED), "-inf", f"({job.stamp}")
    pipe.hlen(keys.running(job.queue))
    pipe.hget(keys.queue(job.queue), "rate_next_ms")
    rank, own, running, rate_next = await pipe.execute()
    return QueuePosition(
        ahead=rank if job.state is State.QUEUED else None,
        own_ahead=own,
        running=running,
        rate_next_ms=float(rate_next or 0),
        permit_next_ms=float(permit_us or 0) / 1000,
    )
