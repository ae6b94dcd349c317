"""Numbers of jobs by queue, type, owner and state, and how long those that wait will take. Sizes of indexes: no job is read."""

from collections.abc import Mapping, Sequence

from service.engine.redis.client import Client
from service.engine.states import State
from service.engine.store import keys
from service.engine.store.moved_types import MovedTypes, moved
from settings.queues import Queue

OLDEST_READ = 5
"""Waiting jobs of a type that are asked how long they have waited: the first created ones, few of which are retries."""

OWNER_OLDEST_READ = 50
"""Likewise of an owner, over all types and queues."""


class JobCounts:
    """Counts over the indexes of jobs."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.moved_types = MovedTypes(redis)

    async def count(self, owner: str | None) -> int:
        """Number of an owner's jobs (of all for None)."""
        pipe = self.redis.pipeline(transaction=False)
        for index in await self._indexes(owner):
            pipe.zcard(index)
        return sum(await pipe.execute())

    async def _indexes(self, owner: str | None) -> Sequence[str]:
        if owner is not None:
            return [keys.by_owner(owner, state) for state in State]
        return [keys.by_type(name, state) for name in await self.types() for state in State]

    async def types(self, queue: str | None = None) -> Sequence[str]:
        """Job types ever seen on a queue (all queues when None)."""
        return sorted({job_type for _, job_type in await self._seen([queue] if queue else None)})

    async def holds_others(self, queue: str) -> bool:
        """True where indexes of the queue's types hold jobs of other queues too."""
        seen = await self._seen()
        return any(name in moved(seen) for one, name in seen if one == queue)

    async def _seen(self, queues: Sequence[str] | None = None) -> Sequence[tuple[str, str]]:
        """(queue, job type) of everything ever seen on these queues, by default on all, in one round trip."""
        names = [str(queue) for queue in Queue] if queues is None else queues
        pipe = self.redis.pipeline(transaction=False)
        for name in names:
            pipe.smembers(keys.types(name))
        answers = zip(names, await pipe.execute(), strict=True)
        return [(name, job_type.decode()) for name, members in answers for job_type in members]

    async def counts(self) -> dict[str, dict[State, int]]:
        """Jobs (parts not counted) by queue and state: one ZCARD a type and state, whatever their number."""
        totals, seen = {str(q): dict.fromkeys(State, 0) for q in Queue}, await self._seen()
        for (queue, _, state), number in (await self._counts_of(seen, moved(seen))).items():
            totals[queue][state] += number
        return totals

    async def counts_of_owner(self, owner: str) -> dict[State, int]:
        """Jobs of an owner by state, in all queues."""
        pipe = self.redis.pipeline(transaction=False)
        for state in State:
            pipe.zcard(keys.by_owner(owner, state))
        return dict(zip(State, await pipe.execute(), strict=True))

    async def counts_of(self, queue: str) -> Mapping[tuple[str, State], int]:
        """Jobs of one queue by (type, state)."""
        seen = await self._seen()
        own = [pair for pair in seen if pair[0] == queue]
        return {(name, state): count for (_, name, state), count in (await self._counts_of(own, moved(seen))).items()}

    async def _counts_of(
        self, seen: Sequence[tuple[str, str]], elsewhere: set[str]
    ) -> Mapping[tuple[str, str, State], int]:
        """Jobs by (queue, type, state), of some (queue, type); `elsewhere` are types of which other queues have some too."""
        pipe = self.redis.pipeline(transaction=False)
        for _, job_type in seen:
            for state in State:
                pipe.zcard(keys.by_type(job_type, state))
        answers = iter(await pipe.execute())
        counts = {(queue, job_type, state): next(answers) for queue, job_type in seen for state in State}
        for name in elsewhere & {job_type for _, job_type in seen}:
            own = await self.moved_types.counts(name)
            counts |= {key: own[key[0], key[2]] for key in counts if key[1] == name}
        return counts

    async def backlog_ms(self) -> dict[str, int]:
        """Expected milliseconds of work that waits, by queue."""
        pipe = self.redis.pipeline(transaction=False)
        for queue in Queue:
            pipe.hget(keys.queue(queue), "backlog_ms")
        return {str(q): max(0, int(v or 0)) for q, v in zip(Queue, await pipe.execute(), strict=True)}

    async def waiting_since_ms(self) -> dict[str, int | None]:
        """When the job that waits longest became ready, by queue; None where none waits.

        Looked for among each type's OLDEST_READ first created ones: an operator's retry waits since the retry.
        """
        seen = await self._seen()
        pipe = self.redis.pipeline(transaction=False)
        for _, job_type in seen:
            pipe.zrange(keys.by_type(job_type, State.QUEUED), 0, OLDEST_READ - 1)
        found = [
            (queue, job_id.decode())
            for (queue, _), ids in zip(seen, await pipe.execute(), strict=True)
            for job_id in ids
        ]
        elsewhere = moved(seen)
        for queue, name in (pair for pair in seen if pair[1] in elsewhere):
            oldest = await self.moved_types.oldest(keys.by_type(name, State.QUEUED), queue, OLDEST_READ)
            found += [(queue, job_id) for job_id in oldest]
        for _, job_id in found:
            pipe.hmget(keys.job(job_id), "ready_ms", "queue", "blocked_by")
        since: dict[str, int | None] = {str(q): None for q in Queue}
        for (queue, _), (ready_ms, own, blocked_by) in zip(found, await pipe.execute(), strict=True):
            # One whose type was moved waits in the queue that it was put into; one whose key is full waits for no worker.
            if own != queue.encode() or blocked_by:
                continue
            earliest = since[queue]
            if ready_ms and (earliest is None or int(ready_ms) < earliest):
                since[queue] = int(ready_ms)
        return since

    async def oldest_of_owner(self, owner: str) -> tuple[int, str] | None:
        """When the owner's job that waits longest became ready (ms), and its id; None where none waits.

        Looked for among its OWNER_OLDEST_READ first created ones: an operator's retry waits since the retry.
        """
        pipe = self.redis.pipeline(transaction=False)
        ids = [
            raw.decode()
            for raw in await self.redis.zrange(keys.by_owner(owner, State.QUEUED), 0, OWNER_OLDEST_READ - 1)
        ]
        for job_id in ids:
            pipe.hget(keys.job(job_id), "ready_ms")
        found = zip(await pipe.execute(), ids, strict=True) if ids else []
        return min(((int(ready_ms), job_id) for ready_ms, job_id in found if ready_ms), default=None)

    async def known_memory(self, job_type: str) -> dict[str, bytes]:
        """Measured memory of a type's calls in the pool, by function, as JSON of PeakMemory."""
        return {name.decode(): row for name, row in (await self.redis.hgetall(keys.memory(job_type))).items()}

    async def learned_memory(self, job_type: str, function: str, measured: bytes) -> None:
        """Keep the measurement of one function. Of two workers that write together one is kept: it is a mean of many."""
        await self.redis.hset(keys.memory(job_type), function, measured)

    async def pace(self, job_type: str) -> tuple[float | None, float | None]:
        """Measured (milliseconds a job, milliseconds a unit) of a type; None where nothing has been measured."""
        job_ms, unit_ms = await self.redis.hmget(keys.pace(job_type), "job_ms", "unit_ms")
        return (float(job_ms) if job_ms else None, float(unit_ms) if unit_ms else None)
