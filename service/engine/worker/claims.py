"""Claims of a worker, and its offers to take jobs as they are enqueued."""

import time
from typing import NamedTuple

import msgspec
import structlog

from service.engine.store import Claimed, Job, Store
from service.engine.store.script_inputs import NO_OFFER, Claim, IdleOffer
from service.engine.worker.leases import Leases
from tasks.sdk.types import REGISTRY

log = structlog.get_logger("offload.worker")

SCAN_S = 0.02
"""Interval between claims while a long row of jobs is skipped that only a newer worker can run: the server has others to
serve."""

SCANNED_S = 10.0
"""After so long of skipping, a claim begins at the queue's head again."""

POLL_S = 1.0
"""Interval in which an idle worker polls the queue: for deferred jobs, expired leases, and a wake-up that got lost."""

OFFER_MS = 1500
"""For so long after its last poll jobs are dispatched to a worker with free slots. One that hangs polls no more."""


class ClaimedJobs(NamedTuple):
    """Jobs that are leased to this worker now, and when to claim again."""

    jobs: list[Job]
    until_s: float
    """End of the leases (monotonic) at the earliest, where nothing renews them."""
    external: list[str]
    """Ids that plain arq clients enqueued."""
    wait_s: float
    """Seconds after which it is worth claiming again."""


class Claims:
    """One worker's claims, over a connection of their own. Dispatched jobs come on its channel (worker/listener.py).

    `rated` where a rate set for the queue bounds the starts of jobs: not where tasks meter what they send. `dispatched`
    where the worker offers its free slots, so that new jobs are leased to it as they are enqueued.
    """

    def __init__(self, store: Store, queue: str, worker: str, leases: Leases, *, rated: bool, dispatched: bool) -> None:
        self.store = store
        self.queue = queue
        self.worker = worker
        self.leases = leases
        self.rated = rated
        self.offer_ms = OFFER_MS if dispatched else 0
        self.known = {t.name: t for t in REGISTRY.values() if t.queue == queue}
        self.known_packed = msgspec.msgpack.encode(sorted(self.known))
        self.logged_unknown: set[str] = set()
        self.offered = False
        self.skip = 0
        self.skipping_since_s = 0.0

    async def up_to(self, want: int, *, channel_alive: bool) -> ClaimedJobs:
        """Claim at most `want` jobs. `channel_alive` where the worker's own channel has brought something lately."""
        sent_s = time.monotonic()
        claim = Claim(
            self.queue,
            self.worker,
            want,
            self.leases.lease_ms,
            self.known_packed,
            reap=self.leases.may_reap,
            rated=self.rated,
            skip=self.skip,
        )
        offer = IdleOffer(self.offer_ms, channel_alive, self.offered) if self.offer_ms else NO_OFFER
        found = await self.store.claimed(claim, offer)
        self._go_on(found)
        self.offered = bool(self.offer_ms) and channel_alive and len(found.jobs) < want
        for name in set(found.unknown) - self.logged_unknown:
            self.logged_unknown.add(name)
            log.warning("job_type.unknown", type=name)
        due_s = found.next_due_ms / 1000 if found.next_due_ms >= 0 else POLL_S
        wait_s = SCAN_S if self.skip else min(POLL_S, due_s)
        return ClaimedJobs(found.jobs, sent_s + self.leases.lease_ms / 1000, found.external, wait_s)

    def _go_on(self, found: Claimed) -> None:
        """Claim further down next time where jobs of types that are not known here are before the others.

        From the head again once all have been seen, and every SCANNED_S: what is urgent is there.
        """
        if not self.skip:
            self.skipping_since_s = time.monotonic()
        over = found.jobs and time.monotonic() - self.skipping_since_s > SCANNED_S
        self.skip = 0 if over else found.go_on

    async def decline(self) -> bool:
        """Withdraw the offer. True where the channel confirms it, after all that came before."""
        return await self.store.offer_withdrawn(self.queue, self.worker)
