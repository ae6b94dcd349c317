"""Figures of a span of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.monitoring.metrics.histogram import percentile_ms


@dataclass(slots=True)
class Figures:
    """Counts and time distributions of one queue or one job type in one span.

    `counts` also has `run_ms` and `wait_ms`, the sums of the two distributions, and (queue email-sender) the `mail_…`
    measures. `waits` and `runs` count jobs by bucket number (service/monitoring/metrics/histogram.py).
    """

    counts: dict[str, int] = field(default_factory=dict)
    waits: dict[int, int] = field(default_factory=dict)
    runs: dict[int, int] = field(default_factory=dict)

    def __getitem__(self, event: str) -> int:
        return self.counts.get(event, 0)

    @property
    def ended(self) -> int:
        """Completed and failed jobs."""
        return self["completed"] + self["failed"]

    @property
    def failure_rate(self) -> float | None:
        """Failed of those that ended, 0 to 1; None where none has."""
        return self["failed"] / self.ended if self.ended else None

    @property
    def mean_run_ms(self) -> float | None:
        """Mean duration of a completed attempt."""
        ran = sum(self.runs.values())
        return self["run_ms"] / ran if ran else None

    def wait_ms(self, share: float) -> float | None:
        """A percentile of the time between being ready and being started, `share` from 0 to 1; None without a job."""
        return percentile_ms(self.waits, share)

    def run_ms(self, share: float) -> float | None:
        """A percentile of the duration of completed attempts."""
        return percentile_ms(self.runs, share)

    def add(self, other: "Figures") -> None:
        """Take in another span's figures."""
        for mine, theirs in ((self.waits, other.waits), (self.runs, other.runs)):
            for bucket, number in theirs.items():
                mine[bucket] = mine.get(bucket, 0) + number
        for event, number in other.counts.items():
            self.counts[event] = self.counts.get(event, 0) + number


@dataclass(slots=True, frozen=True)
class Span:
    """One minute, hour or day (UTC) of one queue. `types` also has the types of parts, which are not in the `total`."""

    start_ms: int
    total: Figures
    types: Mapping[str, Figures]
    part_types: frozenset[str] = frozenset()
    """Those of `types` that are types of parts."""


@dataclass(slots=True, frozen=True)
class QueueWeek:
    """One line of the weekly report. Rates from 0 to 1; None where nothing ended. `messages` only for e-mail."""

    queue: str
    jobs: int
    success_rate: float | None
    mean_run_ms: float | None
    messages: int | None = None
    delivery_rate: float | None = None


@dataclass(slots=True, frozen=True)
class WeekReport:
    """A week from Monday to Sunday (UTC), and the week before it for comparison, queue by queue in the same order."""

    first_day: str
    last_day: str
    queues: Sequence[QueueWeek]
    before: Sequence[QueueWeek]
