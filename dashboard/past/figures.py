"""Figures of a past moment, queue by queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.capsule.figures import levels_of
from dashboard.past.moment import PastMoment
from service.monitoring.changes import Deploy, WorkerLife
from service.monitoring.changes.levels import Level
from service.monitoring.metrics import Figures
from service.services import Services

WORKERS_SHOWN = 50
DEPLOYS_READ = 100


@dataclass(frozen=True)
class PastRow:
    """One queue: what was counted in the piece of time, and the most that stood there at one time (None: not measured)."""

    queue: str
    counted: Figures
    level: Level | None

    @property
    def recorded(self) -> bool:
        """False where neither anything was counted nor measured."""
        return bool(self.counted.counts) or self.level is not None


@dataclass(frozen=True)
class Past:
    """The queues, their workers and the deploys that were on."""

    rows: Sequence[PastRow]
    workers: Sequence[WorkerLife]
    workers_found: int
    workers_since_ms: int | None
    deploys: Mapping[str, Deploy]
    """By part the last deploy at the moment's end."""


async def past_figures(services: Services, queues: Sequence[str], past: PastMoment) -> Past:
    """Read them: some records a queue, whatever the number of jobs."""
    rows = []
    for queue in queues:
        numbers = range(past.number, past.number + 1)
        (span,) = await services.metrics.between(past.tier, queue, numbers)
        levels = await levels_of(services, queue, past.tier, numbers)
        rows.append(PastRow(queue, span.total, levels.get(past.number)))
    changes = services.changes
    workers = [one for one in await changes.workers.between(past.first_ms, past.last_ms) if one.queue in queues]
    deploys: dict[str, Deploy] = {}
    for deploy in await changes.deploys.between(0, past.last_ms, DEPLOYS_READ):
        deploys.setdefault(deploy.part, deploy)
    return Past(rows, workers[:WORKERS_SHOWN], len(workers), await changes.workers.oldest_ms(), deploys)
