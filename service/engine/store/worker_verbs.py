"""The verbs of a worker: claimed, renewed, progressed, checkpointed, logged, split, settled. Each is one atomic script."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.redis.client import Client
from service.engine.redis.command_connection import CommandConnection
from service.engine.redis.retry import NO_WRITES_NOW, until_back
from service.engine.sealing import SEALED_START, SEALING
from service.engine.store import channels, keys, scripts
from service.engine.store.breakers import NO_BREAKERS, BreakerBounds
from service.engine.store.errors import LeaseLost, OtherParts
from service.engine.store.queries import Queries
from service.engine.store.records import Job, claimed_job
from service.engine.store.script_inputs import NO_OFFER, Claim, IdleOffer, NewJob, Outcome
from service.engine.store.sealed_inputs import outcomes as sealed_outcomes
from service.engine.store.sealed_inputs import requests
from tasks.sdk.types import Meter

log = structlog.get_logger("offload.worker")

pack = msgspec.msgpack.Encoder().encode
to_json = msgspec.json.Encoder().encode

Settle = Callable[[Sequence[Outcome]], Awaitable[Sequence[str]]]
"""Records how attempts ended, and returns each job's state."""

PARTS_BATCH = 50
"""Parts that one script call makes: some milliseconds of the server's time, so that no other client waits for long."""


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


class WorkerVerbs(Queries):
    """Claims jobs, and writes what happens to them until they are settled. `connection` carries claims and outcomes."""

    def __init__(
        self, redis: Client, connection: CommandConnection | None = None, breakers: BreakerBounds = NO_BREAKERS
    ) -> None:
        super().__init__(redis)
        self.connection = connection or redis
        self.breakers = breakers

    async def claimed(self, claim: Claim, offer: IdleOffer = NO_OFFER) -> Claimed:
        """Lease ready jobs to a worker, and keep its offer to take more. Promotes what is due."""
        args = (claim.queue, claim.worker, claim.slots, claim.lease_ms, claim.types, int(claim.reap), int(claim.rated))
        offered = (offer.valid_ms, int(offer.channel_alive), int(offer.previously_offered))
        rows, external, unknown, due, go_on = await scripts.CLAIM(self.connection, *args, claim.skip, *offered)
        jobs = [claimed_job(*row) for row in rows]
        return Claimed(jobs, [x.decode() for x in external], [x.decode() for x in unknown], due, go_on)

    async def offer_withdrawn(self, queue: str, worker: str) -> bool:
        """Dispatch nothing more to the worker. True where its channel says so, after all that came before."""
        pipe = self.redis.pipeline()
        pipe.hdel(keys.idle(queue), worker)
        pipe.publish(channels.of_worker(worker), channels.NO_MORE)
        return bool((await pipe.execute())[1])

    async def renewed(
        self, queue: str, lease_ms: int, held: Sequence[tuple[str, int] | tuple[str, int, int]]
    ) -> tuple[list[str], list[str]]:
        """Prolong leases, each by its id, its fence and its attempt's CPU time so far (ms).

        Returns (ids whose lease is lost, ids that were asked to stop).
        """
        lost, stop = await scripts.RENEW(self.redis, queue, lease_ms, pack(held))
        return [x.decode() for x in lost], [x.decode() for x in stop]

    async def progressed(
        self, job: Job, percent: int, message: str, data: dict[str, Any], units_done: int = -1
    ) -> None:
        """Record progress of an attempt and publish it to watchers. Raises LeaseLost.

        `percent` never goes back: a lower one leaves the bar as it is. `units_done` of the job's units, for the estimate of
        the rest; -1 leaves that number as it is.
        """
        words = SEALING.seal(message, job.id, "message")
        args = (job.id, job.queue, job.fence, percent, words, to_json(SEALING.data(data, job.id)), units_done)
        if not await scripts.PROGRESS(self.redis, *args):
            raise LeaseLost(job.id)

    async def checkpointed(self, job: Job, name: str, value: bytes) -> bytes:
        """Keep a small fact that later attempts can see. Returns the first value ever kept there. Raises LeaseLost."""
        names, kept = _checkpoint(job.id, name, value)
        first = await scripts.CHECKPOINT(self.redis, job.id, job.queue, job.fence, names[0], kept, *names[1:])
        if first is None:
            raise LeaseLost(job.id)
        return checkpoint_value(job.id, bytes(first))[1]

    async def logged(self, job_id: str, lines: Sequence[bytes]) -> None:
        """Add lines to the job's log."""
        await scripts.LOG(self.redis, job_id, *(SEALING.seal(line.decode(), job_id, "log") for line in lines))

    async def awaited(self, job: Job, event: str, timeout_ms: int, question: str, message: str) -> tuple[str, bytes]:
        """Ask for an event: (here, its body as JSON), (late, nothing) where its time is over, or (waits, nothing): then the
        job is to be put aside. Raises LeaseLost."""
        shown = (SEALING.seal(question, job.id, "question"), SEALING.seal(message, job.id, "message"))
        answer = await scripts.WAIT(self.redis, job.id, job.queue, job.fence, event, timeout_ms, *shown)
        if not answer:
            raise LeaseLost(job.id)
        body = SEALING.open(answer[1], job.id, f"event:{event}").encode() if len(answer) > 1 else b""
        return answer[0].decode(), body

    async def split(
        self, job: Job, parts: Sequence[NewJob], meter: Meter, units: int, group: int = 1
    ) -> tuple[int, list[str]]:
        """Make a group of the job's parts, once, a batch a call; an attempt that was cut short is gone on with.

        Returns (parts still to end, the ids in order once that is none). Raises LeaseLost, and OtherParts where an earlier
        attempt made another number of them.
        """
        made = 0
        while True:
            batch = pack(requests(parts[made : made + PARTS_BATCH]))
            args = (job.id, job.queue, job.fence, batch, to_json(meter), units, len(parts), made, PARTS_BATCH, group)
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
        sent = outcomes if SEALING.keyring is None else sealed_outcomes(outcomes)
        states = [x.decode() for x in await scripts.SETTLE(self.connection, pack(sent), *self.breakers)]
        for state in states:
            if NO_WRITES_NOW.match(state.removeprefix("error ")):
                raise RedisError(state)
        return states


def _checkpoint(job_id: str, name: str, value: bytes) -> tuple[list[str], str | bytes]:
    """Names under which a checkpoint may stand, the first of which is written, and what is written."""
    if SEALING.keyring is None:
        return [name], value
    # With its name: new keys give it another digest.
    kept = msgspec.json.encode([name, value]).decode()
    return SEALING.digests(name, f"checkpoint {job_id}"), SEALING.seal(kept, job_id, "checkpoint")


def checkpoint_value(job_id: str, kept: bytes) -> tuple[str, bytes]:
    """Name and value of a checkpoint that was sealed; of another one the value alone. Raises Unreadable."""
    # `run.once` keeps random bytes: one in thousands began as a sealed text does, by the mark alone, and its job failed for good.
    if not kept.startswith(SEALED_START):
        return "", kept
    return msgspec.json.decode(SEALING.open(kept, job_id, "checkpoint"), type=tuple[str, bytes])


class UntilBack:
    """The verbs that a running job needs and that are safe to repeat, each tried again for as long as Redis is out of reach."""

    def __init__(self, store: WorkerVerbs) -> None:
        self.get = until_back(store.get)
        self.get_many = until_back(store.get_many)
        self.checkpointed = until_back(store.checkpointed)
        self.awaited = until_back(store.awaited)
        self.split = until_back(store.split)
        self._settled = until_back(store.settled)

    async def settled(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        """As `Store.settled`. An outcome is never given up while Redis is away: its fence decides what it is worth then."""
        states = await self._settled(outcomes)
        for number, state in enumerate(states):
            if state.startswith("error "):
                # Its lease will run out, and the job is settled as any whose worker fell silent.
                log.error("outcome.not_recorded", job=outcomes[number].id, error=state)
                states[number] = "lost"
        return states
