"""The job store speaks in verbs: queued, cancel, retry, delete, restore, purged. Each is one atomic script (store/lua).

A worker's verbs (claimed, renewed, progressed, split, settled) stand in `worker_verbs.py`, the reading side in `queries.py`
and `job_counts.py`; `Store` is all of them.
"""

import time
from collections.abc import Mapping, Sequence

import msgspec

from service.engine.outcomes import EnqueueOutcome
from service.engine.redis.client import Client
from service.engine.redis.command_connection import CommandConnection
from service.engine.sealing import SEALING, sealed_pairs
from service.engine.states import State
from service.engine.store import channels, keys, scripts
from service.engine.store.breakers import NO_BREAKERS, BreakerBounds
from service.engine.store.bulk_operations import BulkOperations
from service.engine.store.error_groups import ErrorGroups
from service.engine.store.errors import NoSuchJob, NotReplicated, WrongState
from service.engine.store.queue_controls import QueueControls
from service.engine.store.records import Job
from service.engine.store.retention import Retention
from service.engine.store.run_history import TAG
from service.engine.store.script_inputs import NewJob
from service.engine.store.sealed_inputs import merge_key, requests
from service.engine.store.watch import Watchers
from service.engine.store.worker_verbs import Settle, UntilBack, WorkerVerbs
from service.lib.clock import SERVER

pack = msgspec.msgpack.Encoder().encode

EVENTS_MAX = 100
"""Events kept for one job: more than any task asks for."""

REFUSED_EVENTS = {
    "ended": "job {job} is {state}: no event reaches it any more",
    "late": "job {job} waited for the event {event} until its time was over, and has gone on without it",
    "other": "job {job} has had another event {event}: the first one stands",
    "full": f"job {{job}} has had {EVENTS_MAX} events, as many as are kept",
}

REPLICATED_MS = 1_000
"""Milliseconds that replicas may take to confirm new jobs: some hundred times what they need on a healthy network."""


class Queued(msgspec.Struct, frozen=True):
    """Result of a request to queue. Where the outcome is OVER, `job_id` is the wait in ms; where it is AWAY, the server."""

    outcome: EnqueueOutcome
    job_id: str
    state: str


def _queued(row: Sequence[bytes]) -> Queued:
    outcome, job_id, state = (word.decode() for word in row)
    return Queued(EnqueueOutcome(outcome), job_id, state)


class Store(WorkerVerbs):
    """Reads and writes job state on one server, or in one place of a cluster. `connection`, where given, carries what moves jobs:
    to enqueue, to claim, to settle."""

    def __init__(
        self,
        redis: Client,
        connection: CommandConnection | None = None,
        *,
        replicas: int = 0,
        breakers: BreakerBounds = NO_BREAKERS,
        keeps_clock: bool = True,
    ) -> None:
        super().__init__(redis, connection, breakers)
        self.keeps_clock = keeps_clock
        """A process has one time: where there are several servers, the main one's."""
        self.replicas = replicas
        """Replicas that must have a new job before `queued` returns, or a checkpoint. Needs `connection`: the wait is for its
        writes, and those before."""
        self.watchers = Watchers(redis)
        self.watch = self.watchers.watch
        self.controls = QueueControls(redis)
        self.error_groups = ErrorGroups(redis)
        self.operations = BulkOperations(self)
        self.retention = Retention(redis)
        self.until_back = UntilBack(self)

    def of_queue(self, queue: str) -> "Store":
        """The store of a queue's server: this one, where there is but one server (placed.py)."""
        return self

    def of_own(self, own: "Store") -> "Store":
        """The store of the server that `own` speaks to."""
        return self

    def settling(self, own: "Store", settle: Settle) -> Settle:
        """`settle` of the server `own`, for jobs whose next ones may stand on another server."""
        return settle

    async def aclose(self) -> None:
        """Stop watching."""
        await self.watchers.close()

    async def queued(self, jobs: Sequence[NewJob], *, together: bool = False) -> list[Queued]:
        """Write records, indexes and arq entries of `jobs`, all or nothing, in one round trip.

        With `together` one that is refused (conflict, full) keeps all others from being accepted; these are `held`.

        Raises NotReplicated where `replicas` servers do not confirm them in time: the jobs are queued all the same.
        """
        script = scripts.ENQUEUE_EXTERNAL if any(job.refused for job in jobs) else scripts.ENQUEUE
        rows = await script(self.connection, pack(requests(jobs)), int(together))
        answers = [_queued(row) for row in rows]
        if self.replicas:
            await self._replicated()
        return answers

    async def queued_apart(self, jobs: Sequence[NewJob], *, together: bool = False) -> list[Queued]:
        """As `queued`, for jobs of several clients: where a queue's own server does not answer, its jobs' outcome is AWAY."""
        return await self.queued(jobs, together=together)

    async def workflow_queued(
        self, workflow_id: str, jobs: Sequence[NewJob], fingerprint: str, fields: Mapping[str, str]
    ) -> list[Queued]:
        """Write a workflow and its jobs, all or nothing. One answer a job, or a single one, `same` or `conflict`, where a
        workflow of that id is there already."""
        record = {
            "id": workflow_id,
            "fingerprint": SEALING.digest(fingerprint, "workflow"),
            "fields": sealed_pairs([word for pair in fields.items() for word in pair], workflow_id),
        }
        rows = await scripts.ENQUEUE(self.connection, pack(requests(jobs)), 1, msgspec.msgpack.encode(record))
        answers = [_queued(row) for row in rows]
        if self.replicas:
            await self._replicated()
        return answers

    async def merging_into(self, job: NewJob) -> str:
        """Id of the job that a throttle, replace, rerun or debounce would give its payload to now; empty for none."""
        if job.debounce:
            known = await self.redis.get(keys.debounce(job.owner, job.type, merge_key(job, job.debounce["key"])))
            return known.decode() if known else ""
        if job.merge:
            known = await self.redis.get(
                keys.merged(job.merge["kind"], job.owner, job.type, merge_key(job, job.merge["key"]))
            )
            return known.decode().partition(" ")[2] if known else ""
        return ""

    async def _replicated(self) -> None:
        # A request that is repeated under its key writes nothing, and WAIT waits only for what its connection has written.
        await self.connection.execute_command("SET", keys.REPLICATED, "", "PX", 60_000)
        if await self.connection.execute_command("WAIT", self.replicas, REPLICATED_MS) < self.replicas:
            raise NotReplicated(self.replicas)

    async def checkpointed(self, job: Job, name: str, value: bytes) -> bytes:
        """As declared in worker_verbs.py. `value` itself is returned only once `replicas` servers have it: what a failover takes
        back would be granted to a second attempt. Raises NotReplicated; the same call again later finds it kept."""
        first = await super().checkpointed(job, name, value)
        if self.replicas and first == value:
            await self._replicated()
        return first

    async def sync_clock(self) -> None:
        """Set this process's time by the server's. Raises RedisError or OSError where it does not answer."""
        sent_s = time.monotonic()
        seconds, micros = await self.redis.time()
        SERVER.sync(seconds * 1000 + micros / 1000, sent_s)

    async def leads(self, process: str, term_ms: int) -> bool:
        """True where `process` leads for the next `term_ms`. Sets this process's time too."""
        sent_s = time.monotonic()
        elected, server_ms = await scripts.LEAD(self.redis, process, term_ms)
        if self.keeps_clock:
            SERVER.sync(server_ms, sent_s)
        return bool(elected)

    async def resigned(self, process: str) -> None:
        """Let another process be elected at once."""
        await scripts.LEAD(self.redis, process, 0)

    async def expired(self, at_most: int) -> int:
        """End jobs that could not begin before their `not_after`. Returns how many were looked at."""
        return int(await scripts.EXPIRE(self.redis, at_most))

    async def limits_checked(self, queue: str, at_most: int) -> int:
        """Let jobs begin whose key is free, and see that all that hold a key are active. Returns how many were not."""
        return int(await scripts.LIMITS(self.redis, queue, at_most))

    async def check_writes(self) -> None:
        """Raises RedisError, with the server's own words, where it would refuse a job now."""
        await scripts.ENQUEUE(self.connection, pack([]))

    async def command(self, worker: str, command: bytes) -> bool:
        """Send a worker one of channels.COMMANDS. False where it does not listen."""
        return bool(await self.redis.publish(channels.of_worker(worker), command))

    async def event_came(self, job_id: str, event: str, body: bytes, by: str) -> Job:
        """Keep an event for a job, which goes on where it waits for it. The same one once more changes nothing.

        Raises NoSuchJob, and WrongState where the job has ended, or waits for it no longer, or has another of that name.
        """
        sealed = SEALING.seal(body.decode(), job_id, f"event:{event}")
        answer = await scripts.EVENT(self.redis, job_id, event, sealed, by, EVENTS_MAX)
        if not answer:
            raise NoSuchJob(job_id)
        outcome, state = answer[0].decode(), answer[1].decode()
        if outcome == "other" and await self._same_event(job_id, event, body):
            outcome = "same"
        if outcome in REFUSED_EVENTS:
            raise WrongState(REFUSED_EVENTS[outcome].format(job=job_id, state=state, event=event))
        return await self.present(job_id)

    async def _same_event(self, job_id: str, event: str, body: bytes) -> bool:
        """True where the event that came before has the same body: sealed, equal ones differ."""
        before = await self.redis.hget(keys.events(job_id), f"event:{event}")
        return before is not None and SEALING.open(before, job_id, f"event:{event}") == body.decode()

    async def revised(self, job: Job, fields: Mapping[str, str], tags: Sequence[str]) -> bool:
        """Give a completed job other files, result and tags, all or nothing. False where it has changed since `job` was read."""
        flat = sealed_pairs([word for pair in fields.items() for word in pair], job.id)
        found_by = [f"{TAG}:{tag}" for tag in tags]
        return bool(await scripts.REVISE(self.redis, job.id, job.revision, pack(flat), pack(found_by)))

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
