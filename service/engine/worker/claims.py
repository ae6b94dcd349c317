"""What a worker asks the queue for, and what it lets itself be handed."""

import msgspec
import structlog

from service.engine.store import Job, Store
from service.engine.worker.leases import Leases
from tasks.sdk.types import REGISTRY

log = structlog.get_logger("offload.worker")

LOOK_S = 1.0
"""An idle worker looks at the queue this often: for deferred jobs, expired leases, and a wake-up that got lost."""

HANDED_MS = 1500
"""For so long after its last look at the queue a worker with free slots is handed jobs. One that hangs looks no more."""


class Claims:
    """One worker's claims, over a connection of their own. Whoever reads its channel (channels.of_worker) gets what is handed."""

    def __init__(self, store: Store, queue: str, worker: str, leases: Leases, *, rated: bool, handed: bool) -> None:
        self.store = store
        self.queue = queue
        self.worker = worker
        self.leases = leases
        self.rated = rated
        self.handed_ms = HANDED_MS if handed else 0
        self.known = {t.name: t for t in REGISTRY.values() if t.queue == queue}
        self.known_packed = msgspec.msgpack.encode(sorted(self.known))
        self.told_unknown: set[str] = set()
        self.noted = False

    async def up_to(self, want: int, *, reached: bool) -> tuple[list[Job], list[str], float]:
        """At most `want` jobs, ids that plain arq clients enqueued, and seconds until something is due.

        `reached` says that the worker hears what is said on its channel.
        """
        answer = await self.store.claimed(
            self.queue,
            self.worker,
            want,
            self.leases.lease_ms,
            self.known_packed,
            reap=self.leases.may_reap,
            rated=self.rated,
            idle_ms=self.handed_ms,
            heard=reached,
            noted=self.noted,
        )
        self.noted = bool(self.handed_ms) and reached and len(answer.jobs) < want
        for name in set(answer.unknown) - self.told_unknown:
            self.told_unknown.add(name)
            log.warning("left for a newer worker: this one does not know the type", type=name)
        due_s = answer.next_due_ms / 1000 if answer.next_due_ms >= 0 else LOOK_S
        return answer.jobs, answer.foreign, min(LOOK_S, due_s)

    async def decline(self) -> bool:
        """Be handed nothing more. True where the channel says so, after all that came before."""
        return await self.store.unlisted(self.queue, self.worker)
