"""Claims of a worker, and its offers to take jobs as they are enqueued."""

import time
from typing import NamedTuple

import msgspec
import structlog

from service.engine.store import Claimed, Job, Store
from service.engine.worker.leases import Leases
from tasks.sdk.types import REGISTRY

log = structlog.get_logger("offload.worker")

SCAN_S = 0.02
"""Between two looks at a long row of jobs that only a newer worker can run: the server has others to serve."""

SCANNED_S = 10.0
"""After so long a look into the depth of the queue begins at its head again."""

LOOK_S = 1.0
"""An idle worker looks at the queue this often: for deferred jobs, expired leases, and a wake-up that got lost."""

HANDED_MS = 1500
"""For so long after its last look at the queue a worker with free slots is handed jobs. One that hangs looks no more."""


class Claim(NamedTuple):
    """Result of a look at the queue."""

    jobs: list[Job]
    until_s: float
    """Until when (monotonic) the jobs are surely leased to this worker, where nothing renews their leases."""
    foreign: list[str]
    """Ids that plain arq clients enqueued."""
    wait_s: float
    """After which it is worth looking again."""


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
        self.logged_unknown: set[str] = set()
        self.noted = False
        self.skip = 0
        self.skipping_since_s = 0.0

    async def up_to(self, want: int, *, reached: bool) -> Claim:
        """Claim at most `want` jobs. `reached` says that the worker hears what comes on its channel."""
        asked_s = time.monotonic()
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
            skip=self.skip,
        )
        self._go_on(answer)
        self.noted = bool(self.handed_ms) and reached and len(answer.jobs) < want
        for name in set(answer.unknown) - self.logged_unknown:
            self.logged_unknown.add(name)
            log.warning("left for a newer worker: this one does not know the type", type=name)
        due_s = answer.next_due_ms / 1000 if answer.next_due_ms >= 0 else LOOK_S
        wait_s = SCAN_S if self.skip else min(LOOK_S, due_s)
        return Claim(answer.jobs, asked_s + self.leases.lease_ms / 1000, answer.foreign, wait_s)

    def _go_on(self, answer: Claimed) -> None:
        """Look further down next time where jobs of types that are not known here stand before the others.

        From the head again once all have been seen, and every SCANNED_S: what is urgent stands there.
        """
        if not self.skip:
            self.skipping_since_s = time.monotonic()
        over = answer.jobs and time.monotonic() - self.skipping_since_s > SCANNED_S
        self.skip = 0 if over else answer.go_on

    async def decline(self) -> bool:
        """Be handed nothing more. True where the channel says so, after all that came before."""
        return await self.store.unlisted(self.queue, self.worker)
