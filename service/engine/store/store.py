"""The job store speaks in verbs: queued, claimed, renewed, progressed, kept, split, settled, cancel, retry, delete.

Each verb is one atomic script (service/engine/store/lua). The reading side is in `queries.py`; `Store` is both.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.redis.command_connection import CommandConnection
from service.engine.redis.retry import NO_WRITES_NOW
from service.engine.states import State
from service.engine.store import channels, keys, scripts
from service.engine.store.bulk_operations import BulkOperations
from service.engine.store.error_groups import ErrorGroups
from service.engine.store.errors import LeaseLost, NoSuchJob, NotReplicated, OtherParts, WrongState
from service.engine.store.queries import Queries
from service.engine.store.queue_controls import QueueControls
from service.engine.store.records import Job, to_job
from service.engine.store.retention import Retention
from service.engine.store.script_inputs import NO_OFFER, Claim, IdleOffer, NewJob, Outcome
from service.engine.store.until_back import UntilBack
from service.engine.store.watch import Watchers
from service.lib.clock import SERVER
from tasks.sdk.types import Meter

pack = msgspec.msgpack.Encoder().encode
to_json = msgspec.json.Encoder().encode

PARTS_BATCH = 50
"""Parts that one script call makes: some milliseconds of the server's time, so that nobody else waits for long."""


REPLICATED_MS = 1_000
"""Milliseconds that replicas may take to confirm new jobs: some hundred times what they need on a healthy network."""


class Queued(msgspec.Struct, frozen=True):
    """Result of a request to queue: `outcome` is new, same, conflict or full."""

    outcome: str
    job_id: str
    state: str


@dataclass(slots=True, frozen=True)
class Claimed:
    """Result of a claim."""

    jobs: list[Job]
    external: list[str]
    """Ids that a plain arq client enqueued and that have no record yet."""
    unknown: list[str]
    """Job types that wait and that this worker cannot run."""
    next_due_ms: int
    """Milliseconds until the next deferred job or lease is due; -1 when there is none."""
    go_on: int
    """Number of the first ready jobs are of types that this worker cannot run; 0 where it has seen all that wait."""


class Store(Queries):
    """Reads and writes job state in one Redis (not Redis Cluster). `connection`, where given, carries what moves jobs:
    to enqueue, to claim, to settle."""

    def __init__(self, redis: Client, connection: CommandConnection | None = None, *, replicas: int = 0) -> None:
        super().__init__(redis)
        self.connection = connection or redis
        self.replicas = replicas
        """Replicas that must have a new job before `queued` returns. Needs `connection`: the wait is for one's own writes."""
        self.watchers = Watchers(redis)
        self.watch = self.watchers.watch
        self.controls = QueueControls(redis)
        self.error_groups = ErrorGroups(redis)
        self.operations = BulkOperations(self)
        self.retention = Retention(redis)
        self.until_back = UntilBack(self)

    async def queued(self, jobs: Sequence[NewJob], *, together: bool = False) -> list[Queued]:
        """Write records, indexes and arq entries of `jobs`, all or nothing, in one round trip.

        With `together` one that is refused (conflict, full) keeps all others from being accepted; these are `held`.

        Raises NotReplicated where `replicas` servers do not confirm them in time: the jobs are queued all the same.
        """
        script = scripts.ADOPT if any(job.refused for job in jobs) else scripts.ENQUEUE
        rows = await script(self.connection, pack(jobs), int(together))
        answers = [Queued(*(word.decode() for word in row)) for row in rows]
        if self.replicas:
            await self._replicated()
        return answers

    async def workflow_queued(
        self, workflow_id: str, jobs: Sequence[NewJob], fingerprint: str, fields: Mapping[str, str]
    ) -> list[Queued]:
        """Write a workflow and its jobs, all or nothing. One answer a job, or a single one, `same` or `conflict`, where a
        workflow of that id is there already."""
        record = {"id": workflow_id, "print": fingerprint, "fields": [word for pair in fields.items() for word in pair]}
        rows = await scripts.ENQUEUE(self.connection, pack(jobs), 1, msgspec.msgpack.encode(record))
        answers = [Queued(*(word.decode() for word in row)) for row in rows]
        if self.replicas:
            await self._replicated()
        return answers

    async def _replicated(self) -> None:
        # A request that is repeated under its key writes nothing, and WAIT waits only for what its connection has written.
        await self.connection.execute_command("SET", keys.REPLICATED, "", "PX", 60_000)
        if await self.connection.execute_command("WAIT", self.replicas, REPLICATED_MS) < self.replicas:
            raise NotReplicated(self.replicas)

    async def claimed(self, claim: Claim, offer: IdleOffer = NO_OFFER) -> Claimed:
        """Lease ready jobs to a worker, and keep its offer to take more. Promotes what is due."""
        asked = (claim.queue, claim.worker, claim.slots, claim.lease_ms, claim.types, int(claim.reap), int(claim.rated))
        offered = (offer.valid_ms, int(offer.channel_alive), int(offer.previously_offered))
        rows, external, unknown, due, go_on = await scripts.CLAIM(self.connection, *asked, claim.skip, *offered)
        jobs = [to_job(row[0].decode(), dict(zip(row[2][::2], row[2][1::2], strict=True))) for row in rows]
        return Claimed(jobs, [x.decode() for x in external], [x.decode() for x in unknown], due, go_on)

    async def offer_withdrawn(self, queue: str, worker: str) -> bool:
        """Dispatch nothing more to the worker. True where its channel says so, after all that came before."""
        pipe = self.redis.pipeline()
        pipe.hdel(keys.idle(queue), worker)
        pipe.publish(channels.of_worker(worker), channels.NO_MORE)
        return bool((await pipe.execute())[1])

    async def sync_clock(self) -> None:
        """Set this process's time by the server's. Raises RedisError or OSError where it does not answer."""
        asked_s = time.monotonic()
        seconds, micros = await self.redis.time()
        SERVER.sync(seconds * 1000 + micros / 1000, asked_s)

    async def leads(self, process: str, term_ms: int) -> bool:
        """True where `process` leads for the next `term_ms`. Sets this process's time too."""
        asked_s = time.monotonic()
        elected, server_ms = await scripts.LEAD(self.redis, process, term_ms)
        SERVER.sync(server_ms, asked_s)
        return bool(elected)

    async def resigned(self, process: str) -> None:
        """Let another process be elected at once."""
        await scripts.LEAD(self.redis, process, 0)

    async def expired(self, at_most: int) -> int:
        """End jobs that could not begin before their `not_after`. Returns how many were looked at."""
        return int(await scripts.EXPIRE(self.redis, at_most))

    async def check_writes(self) -> None:
        """Raises RedisError, with the server's own words, where it would refuse a job now."""
        await scripts.ENQUEUE(self.connection, pack([]))

    async def command(self, worker: str, command: bytes) -> bool:
        """Send a worker one of channels.COMMANDS. False where it does not listen."""
        return bool(await self.redis.publish(channels.of_worker(worker), command))

    async def renewed(self, queue: str, lease_ms: int, held: Sequence[tuple[str, int]]) -> tuple[list[str], list[str]]:
        """Prolong leases. Returns (ids whose lease is lost, ids somebody asked to stop)."""
        lost, stop = await scripts.RENEW(self.redis, queue, lease_ms, pack(held))
        return [x.decode() for x in lost], [x.decode() for x in stop]

    async def progressed(
        self, job: Job, percent: int, message: str, data: dict[str, Any], units_done: int = -1
    ) -> None:
        """Record progress of an attempt and tell whoever watches. Raises LeaseLost."""
        args = (job.id, job.queue, job.fence, percent, message, to_json(data), units_done)
        if not await scripts.PROGRESS(self.redis, *args):
            raise LeaseLost(job.id)

    async def checkpointed(self, job: Job, name: str, value: bytes) -> bytes:
        """Keep a small fact that later attempts can see. Returns the first value ever kept there. Raises LeaseLost."""
        stands = await scripts.CHECKPOINT(self.redis, job.id, job.queue, job.fence, name, value)
        if stands is None:
            raise LeaseLost(job.id)
        return bytes(stands)

    async def logged(self, job_id: str, lines: Sequence[bytes]) -> None:
        """Add lines to the job's log."""
        await scripts.LOG(self.redis, job_id, *lines)

    async def split(self, job: Job, parts: Sequence[NewJob], meter: Meter, units: int) -> tuple[int, list[str]]:
        """Make the job's parts, once, a batch a call; an attempt that was cut short is gone on with.

        Returns (parts still to end, the ids in order once that is none). Raises LeaseLost, and OtherParts where an earlier
        attempt made another number of them.
        """
        made = 0
        while True:
            batch = pack(parts[made : made + PARTS_BATCH])
            args = (job.id, job.queue, job.fence, batch, to_json(meter), units, len(parts), made, PARTS_BATCH)
            left, *more = await scripts.PARTS(self.redis, *args)
            if left == -2:
                raise OtherParts(more[0], len(parts))
            if left < 0:
                raise LeaseLost(job.id)
            made, again, ids = more
            if made >= len(parts) and not again:
                return left, [x.decode() for x in ids]

    async def settled(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Record how attempts ended, in one round trip. Returns each job's state, or `lost` where the lease was lost.

        Raises RedisError where the server takes no writes at present: the same call again later records what is left.
        """
        for outcome in outcomes:
            outcome.sent()
        states = [x.decode() for x in await scripts.SETTLE(self.connection, pack(outcomes))]
        for state in states:
            if NO_WRITES_NOW.match(state.removeprefix("error ")):
                raise RedisError(state)
        return states

    async def cancel(self, job_id: str) -> Job:
        """Stop a job: at once where it waits, else as soon as its worker has stopped it. Raises NoSuchJob, WrongState."""
        before, _ = self._states(job_id, await scripts.CANCEL(self.redis, job_id))
        if State(before).terminal:
            raise WrongState(f"job {job_id} is {before} and can no longer be cancelled")
        return await self.present(job_id)

    async def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again; finished parts and checkpoints stay. Raises NoSuchJob, WrongState."""
        before, after = self._states(job_id, await scripts.RETRY(self.redis, job_id))
        if after not in (State.QUEUED, State.SCHEDULED) or before == after:
            raise WrongState(f"job {job_id} is {before}; only a failed, cancelled or expired job can be retried")
        return await self.present(job_id)

    async def delete(self, job_id: str) -> None:
        """Put a job that has ended into the bin, from where it can be restored for a while. Raises NoSuchJob, WrongState."""
        answer = await scripts.DELETE(self.redis, job_id)
        if not answer:
            raise NoSuchJob(job_id)
        if not answer[1]:
            raise WrongState(f"job {job_id} is {answer[0].decode()}; cancel it before deleting it")

    async def restore(self, job_id: str) -> Job:
        """Take a job out of the bin. Raises NoSuchJob when it is not there (any more)."""
        if not await scripts.RESTORE(self.redis, job_id):
            raise NoSuchJob(job_id)
        return await self.present(job_id)

    async def purged(self, job_ids: Sequence[str]) -> int:
        """Remove jobs that have ended for good, with their parts; what has not ended is left. Returns how many went."""
        return int(await scripts.PURGE(self.redis, *job_ids)) if job_ids else 0

    @staticmethod
    def _states(job_id: str, answer: list[bytes]) -> tuple[str, str]:
        if not answer:
            raise NoSuchJob(job_id)
        return answer[0].decode(), answer[1].decode()

    async def present(self, job_id: str) -> Job:
        """The record, or NoSuchJob."""
        job = await self.get(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        return job
