"""`Sampler`: looks at each queue once a second, at those in which jobs wait five times, and charges the time since the last look.

What one look costs does not depend on how many jobs run in between, and nothing is added to the scripts that move jobs: the looks
see what records do not keep, such as failed attempts, parts, pauses and free slots. Waits that are shorter than the time between
two looks appear in the sum over many of them, as in a sampling profiler.
"""

import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence

from service.engine.redis.away import QueueServerAway
from service.engine.store import Store
from service.engine.store.breakers import BREAKER
from service.engine.store.queue_snapshot import Snapshots
from service.engine.store.worker_reports import WorkerInfo
from service.lib.async_tasks import pause
from service.lib.clock import now_ms
from service.monitoring.fairness.ledger import SEEN, UNREAD, Fairness, bounded
from service.monitoring.fairness.moment import Charge, Moment, Reason, charges

SAMPLE_S = 1.0
"""Interval in which every queue is looked at."""

MORE_POLLS, APART_S = 4, 0.2
"""Looks in between at queues in which jobs wait, and the mean time between two: five a second."""

FLUSH_S = 5.0
"""Interval in which amounts are written: a process that dies loses that much of the ledger."""

SPAN_MAX_S = 5.0
"""Time that one look answers for at most. After a longer gap what happened in it is not known, and is not charged."""

PENDING_MAX = 500
"""Amounts that are kept by name until they are written."""

WORKERS_FRESH_S = 5.0


class Sampler:
    """Runs in the maintenance leader. Amounts that are not written yet stay here while the server is away."""

    def __init__(self, store: Store, queues: Sequence[str]) -> None:
        self.store, self.queues = store, queues
        self.ledger, self.snapshots = Fairness(store.redis), Snapshots(store.redis)
        self._pending: dict[str, Counter[Charge]] = {}
        self._began_s = self._flushed_s = time.monotonic()
        self._last_s: dict[str, float] = {}
        self._workers: tuple[float, Sequence[WorkerInfo]] = (float("-inf"), ())

    async def sample(self) -> None:
        """Look at each queue, and some times more at those in which jobs wait. A duty."""
        waiting = await self.poll(self.queues)
        for _ in range(MORE_POLLS if waiting else 0):
            waiting = await self.poll(waiting)
        if time.monotonic() - self._flushed_s >= FLUSH_S:
            self._flushed_s = time.monotonic()
            await self.flush()

    async def poll(self, queues: Sequence[str]) -> Sequence[str]:
        """Charge to what each queue is now the time since it was last seen. Returns those in which jobs wait."""
        # At a random time: jobs that last just as long as a look would else be met always at their beginning.
        await pause(random.random() * 2 * APART_S)
        waiting = []
        for queue in queues:
            # The other queues are looked at all the same.
            with contextlib.suppress(QueueServerAway):
                moment, at_s = await self.moment(queue), time.monotonic()
                span_s = min(at_s - self._last_s.get(queue, self._began_s), SPAN_MAX_S)
                self._last_s[queue] = at_s
                self.charge(queue, moment, round(span_s * 1_000_000))
                if moment.waiting:
                    waiting.append(queue)
        return waiting

    def charge(self, queue: str, moment: Moment, span_us: int) -> None:
        """Add what a queue in this state for so long adds to the ledger."""
        pending = self._pending.setdefault(queue, Counter())
        pending[SEEN] += span_us
        if moment.unread:
            pending[UNREAD] += span_us
        for charge, amount in charges(moment, span_us):
            pending[charge] += amount
        if len(pending) > PENDING_MAX:
            self._pending[queue] = bounded(pending)

    async def flush(self) -> None:
        """Write what is not written yet."""
        for queue in list(self._pending):
            with contextlib.suppress(QueueServerAway):
                await self.ledger.add(queue, now_ms(), self._pending[queue])
                del self._pending[queue]

    async def moment(self, queue: str) -> Moment:
        """The queue as it is now."""
        snapshot = await self.snapshots.take(queue)
        if not snapshot.waiting and not snapshot.parked:
            return Moment()
        slots, held = await self._slots(queue), snapshot.holds.get("pause")
        return Moment(
            waiting=frozenset(owner for owner, _ in snapshot.waiting),
            limited=frozenset(owner for owner, _ in snapshot.parked),
            running=tuple(snapshot.running),
            slots=min(slots, snapshot.holds["limit"].value) if "limit" in snapshot.holds else slots,
            held=None if held is None else Reason.BREAKER if held.by == BREAKER else Reason.PAUSED,
            unread=snapshot.unread,
        )

    async def _slots(self, queue: str) -> int:
        read_s, workers = self._workers
        if time.monotonic() - read_s > WORKERS_FRESH_S:
            workers = await self.store.workers()
            self._workers = time.monotonic(), workers
        at_ms = now_ms()
        return sum(one.serving_slots for one in workers if one.queue == queue and one.alive(at_ms))
