"""The last runs of a job's task, drawn: how long each took by its height, how it ended by colour and shape."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.formats import duration
from dashboard.state_badges import badge
from service.engine.states import State
from service.engine.store import Job
from service.engine.store.run_history import PastRun, last_runs
from service.services import Services

RUNS = 60
"""Two hours of a busy task or two months of a nightly one; and a column of six pixels on a telephone."""

LEAST = 3.0
"""Height, in per cent, of a run that took no time next to a long one: it must be seen, and be met by a finger."""

TOP = 18.0
"""Per cent kept free above the columns for the mark of a run that did not end well."""


@dataclass(frozen=True)
class Column:
    """One run at `x` in a drawing RUNS wide and 100 high. `here` is the job whose page it is."""

    run: PastRun
    x: int
    y: float
    height: float
    title: str
    here: bool


@dataclass(frozen=True)
class History:
    """The columns, oldest first, in a drawing that has room for `width` of them. `longest` is in words; `ended` counts
    runs by how they ended, in that order.
    """

    columns: Sequence[Column]
    longest: str
    ended: Sequence[tuple[str, int]]
    width: int = RUNS

    @property
    def words(self) -> str:
        """The drawing in a sentence."""
        return ", ".join(f"{count} {word.lower()}" for word, count in self.ended)


async def history(services: Services, job: Job) -> History | None:
    """The last runs of the job's task; None for a part, which is a piece of a run, and before the first one has ended."""
    if job.parent:
        return None
    runs = await last_runs(services.redis, job.queue, job.type, RUNS)
    return drawn(runs, job.id) if runs else None


def drawn(runs: Sequence[PastRun], job_id: str) -> History:
    """At most RUNS runs as columns on one scale from nothing to the longest, the newest at the right."""
    longest_ms = max((run.ran_ms or 0 for run in runs), default=0)
    columns = []
    for index, run in enumerate(runs, RUNS - len(runs)):
        height = max(LEAST, (100 - TOP) * (run.ran_ms or 0) / longest_ms) if longest_ms else LEAST
        columns.append(Column(run, index, 100 - height, height, _title(run), run.job_id == job_id))
    states = [State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED]
    counted = [(badge(state).word, sum(run.state is state for run in runs)) for state in states]
    return History(columns, duration(longest_ms), [one for one in counted if one[1]])


def _title(run: PastRun) -> str:
    took = "never started" if run.ran_ms is None else f"ran {duration(run.ran_ms)}"
    return f"{badge(run.state).word}, {took}: {run.job_id}"
