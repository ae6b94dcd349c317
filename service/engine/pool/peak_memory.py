"""`PeakMemory`: memory that tasks of one kind took at most, and from that what the next should take, by its units."""

import math

import msgspec

WEIGHT = 0.2
"""Of the latest task: a new release's appetite decides after some ten tasks."""

SPREADS = 2.0
"""Root mean square errors that stand on top of the expected: of twenty tasks one takes more."""

LEAST_SPREAD = 0.05
"""Share that stands on top at least, however equal the tasks were."""


class PeakMemory(msgspec.Struct):
    """Exponentially weighted moments of (units, megabytes): a line through them foretells tasks of other sizes."""

    seen: int = 0
    units: float = 0.0
    mb: float = 0.0
    variance: float = 0.0
    covariance: float = 0.0
    square_error: float = 0.0

    def observe(self, units: int, mb: float) -> None:
        """Learn from a task of `units` units that took `mb` at most."""
        weight = max(WEIGHT, 1 / (self.seen + 1))
        error = mb - self._at(units) if self.seen else 0.0
        by_units, by_mb = units - self.units, mb - self.mb
        self.units += weight * by_units
        self.mb += weight * by_mb
        self.variance = (1 - weight) * (self.variance + weight * by_units * by_units)
        self.covariance = (1 - weight) * (self.covariance + weight * by_units * by_mb)
        self.square_error = (1 - weight) * self.square_error + weight * error * error
        self.seen += 1

    def foretold_mb(self, units: int) -> int | None:
        """Megabytes that a task of `units` units should take at most; None where none has been seen."""
        if not self.seen:
            return None
        at = self._at(units)
        return math.ceil(at + max(SPREADS * math.sqrt(self.square_error), LEAST_SPREAD * at))

    def _at(self, units: int) -> float:
        # Measurement noise may slope down; more units take no less.
        slope = max(0.0, self.covariance / self.variance) if self.variance > 0 else 0.0
        return max(0.0, self.mb + slope * (units - self.units))
