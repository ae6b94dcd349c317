"""Jobs that follow one on another queue server. settle.lua writes them into the outbox of the server on which the job before
them completes, with the completion; from there they are moved to their own queue's server.

An entry goes once its job is queued. What is moved twice, because a process died or a server fell silent in between, is known
by its key on the other side and queued once.
"""

import contextlib
from collections.abc import Sequence

import msgspec
import structlog
from redis.exceptions import RedisError

from service.engine.redis.away import QueueServerAway
from service.engine.store import keys
from service.engine.store.script_inputs import Idem, NewJob, OnwardJob, Outcome, as_json
from service.engine.store.store import Store
from service.engine.store.worker_verbs import Settle
from service.lib.reminder import Reminder
from settings import Queue

log = structlog.get_logger("offload.outbox")

AT_ONCE = 100
"""Jobs moved in one call."""

KNOWN_S = 30 * 86_400
"""Seconds for which a moved job is known on the other side: longer than a server is away and then comes back."""

MOVE_S = 0.5
"""Interval in which maintenance looks for jobs to move: the worker that has settled moves its own at once."""


class Outbox:
    """The outbox of one server, `own`; `everywhere` is the store of all."""

    def __init__(self, own: Store, everywhere: Store) -> None:
        self.own = own
        self.everywhere = everywhere
        self.queues = [str(queue) for queue in Queue if everywhere.of_queue(queue) is not everywhere.of_own(own)]
        self.away = Reminder()

    async def move(self) -> None:
        """Move what is there. Jobs of a server that does not answer stay; the others go on."""
        pipe = self.own.redis.pipeline(transaction=False)
        for queue in self.queues:
            pipe.llen(keys.onward(queue))
        waiting = await pipe.execute() if self.queues else []
        for queue, number in zip(self.queues, waiting, strict=True):
            if number:
                await self._move(queue)

    async def _move(self, queue: str) -> None:
        key = keys.onward(queue)
        try:
            while rows := await self.own.redis.lrange(key, 0, AT_ONCE - 1):
                await self.everywhere.queued([_known(msgspec.json.decode(row, type=NewJob)) for row in rows])
                pipe = self.own.redis.pipeline(transaction=True)
                for row in rows:
                    # By value: another process may have moved some of them a moment ago.
                    pipe.lrem(key, 1, row)
                await pipe.execute()
            self.away.over()
        except QueueServerAway as error:
            if self.away.due():
                log.warning("outbox.waits", queue=queue, error=str(error))

    def settling(self, settle: Settle) -> Settle:
        """`settle`, with jobs that follow on other servers put into the outbox, and moved once that is done."""
        if not self.queues:
            return settle
        others = frozenset(self.queues)

        async def settled(outcomes: Sequence[Outcome]) -> Sequence[str]:
            follow = False
            for outcome in outcomes:
                outcome.next = [_onward(job) if job.queue in others else job for job in outcome.next]
                follow = follow or any(isinstance(job, OnwardJob) for job in outcome.next)
            states = await settle(outcomes)
            if follow:
                # Maintenance moves what this cannot.
                with contextlib.suppress(RedisError, OSError):
                    await self.move()
            return states

        return settled


def _onward(job: NewJob | OnwardJob) -> NewJob | OnwardJob:
    return job if isinstance(job, OnwardJob) else OnwardJob(job.id, job.queue, as_json(job))


def _known(job: NewJob) -> NewJob:
    # No client's key has a line break in it.
    job.idem = Idem(f"outbox\n{job.id}", job.id, KNOWN_S, lasting=True)
    return job
