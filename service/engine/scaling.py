"""Worker count that a queue's present work asks for, for whatever starts and stops workers (KEDA, a script)."""

import math

import msgspec

from service.engine.store import Store
from service.lib.clock import now_ms


class Wanted(msgspec.Struct, frozen=True):
    """Size of a queue's fleet. `backlog_s`: seconds of work that waits, for one slot; `slots`: jobs the fleet runs at once."""

    workers: int
    backlog_s: float
    slots: int


def workers_wanted(backlog_s: float, running: int, slots_each: int, within_s: float) -> int:
    """Number of workers that finish what waits within `within_s` seconds, and hold what runs; 0 where there is neither.

    The running jobs and parts count as slots that stay taken: a fleet sized for the backlog alone would shrink while a
    long job still runs, and hand it back.
    """
    slots = max(math.ceil(backlog_s / within_s), 1 if backlog_s > 0 else 0, running)
    return math.ceil(slots / slots_each)


async def wanted(store: Store, queue: str, slots_each: int, within_s: float) -> Wanted:
    """Size of a queue's fleet, from its backlog and its workers' reports. A paused queue asks for what runs alone.

    `slots_each` is the number of jobs that one worker runs at a time, `within_s` the seconds in which the backlog shall be
    worked off.
    """
    at_ms = now_ms()
    reports = [worker for worker in await store.workers() if worker.queue == queue and worker.alive(at_ms)]
    backlog_s = (await store.backlog_ms())[queue] / 1000
    held = "pause" in await store.controls.holds(queue)
    workers = workers_wanted(0.0 if held else backlog_s, sum(worker.active for worker in reports), slots_each, within_s)
    return Wanted(workers, round(backlog_s, 3), sum(worker.serving_slots for worker in reports))
